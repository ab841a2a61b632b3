"""Irrigation and cold-store control of the Harrowmere co-operative."""

__version__ = "3.4.1"
