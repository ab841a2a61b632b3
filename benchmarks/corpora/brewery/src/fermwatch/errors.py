"""Exceptions of fermwatch.

FermwatchError
  SensorError
    StaleReading
    ImplausibleReading
  ControlError
    ValveBusy
    CeilingExceeded
    ManualModeActive
  RecipeError
    UnknownStep
  StoreError
"""


class FermwatchError(Exception):
    """Root of all errors raised on purpose; carries an exit code."""

    exit_code = 10


class SensorError(FermwatchError):
    """A probe could not be read."""

    exit_code = 20


class StaleReading(SensorError):
    """The newest reading is too old to steer by."""


class ImplausibleReading(SensorError):
    """The probe answered with a value no beer can have."""

    exit_code = 22


class ControlError(FermwatchError):
    """A command could not be given."""

    exit_code = 30


class ValveBusy(ControlError):
    """The valve is still inside its rest period."""

    def __init__(self, tank: str, wait_seconds: float):
        super().__init__(f"{tank}: valve rests for {wait_seconds:.0f} s more")
        self.tank = tank
        self.wait_seconds = wait_seconds


class CeilingExceeded(ControlError):
    """The tank is hotter than its ceiling; cooling is forced."""

    exit_code = 33


class ManualModeActive(ControlError):
    """Someone has taken the tank by hand."""


class RecipeError(FermwatchError):
    """A recipe is malformed."""

    exit_code = 40


class UnknownStep(RecipeError):
    """The recipe names a step that does not exist."""


class StoreError(FermwatchError):
    """The readings database failed."""

    exit_code = 50
