"""Exceptions of orchardctl.

Everything raised on purpose descends from OrchardError, so that the main
loop can tell our own errors from programming mistakes.
"""


class OrchardError(Exception):
    """Base of all; ``exit_code`` is what the command line returns."""

    exit_code = 10


class ConfigError(OrchardError):
    """A setting is missing, unreadable or out of range."""

    exit_code = 11


class SensorError(OrchardError):
    """A sensor could not be read or is not to be believed."""

    exit_code = 20


class StaleReading(SensorError):
    """The newest reading is too old to act on."""

    exit_code = 21


class ImplausibleReading(SensorError):
    """The value lies outside the physical range of the sensor."""

    exit_code = 22


class WaterError(OrchardError):
    """Base for trouble in the irrigation."""

    exit_code = 30


class FlowMismatch(WaterError):
    """The water meter disagrees with the nominal flow of the valve."""

    exit_code = 31


class DailyCapReached(WaterError):
    """The licence to draw from the brook is used up for today."""

    exit_code = 32


class PlantError(OrchardError):
    """Base for faults reported by the CR-6 cold-room unit."""

    exit_code = 40


class CompressorLockout(PlantError):
    exit_code = 41


class DefrostOverrun(PlantError):
    exit_code = 42


class AtmosphereFault(PlantError):
    exit_code = 43
