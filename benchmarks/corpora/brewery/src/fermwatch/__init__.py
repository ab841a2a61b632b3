"""fermwatch: watches and steers the fermenters of Hollin Beck Brewery."""

__version__ = "3.4.1"
