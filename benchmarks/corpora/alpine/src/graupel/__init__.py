"""graupel: reads, checks and judges the snow measurements of the GS-4 stations."""

__version__ = "3.7.2"
