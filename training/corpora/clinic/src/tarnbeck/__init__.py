"""Booking, drug stock and analyser interface of Tarnbeck Animal Hospital."""

__version__ = "3.8.2"
