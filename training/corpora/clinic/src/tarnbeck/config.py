"""Settings of the package.

Every value here is a default.  A site overrides it with an environment
variable named ``TAH_`` plus the upper-case name given in ENV_NAMES.
"""

import os
from dataclasses import dataclass, fields

#: field name -> environment variable
ENV_NAMES = {
    "slot_minutes": "TAH_SLOT_MINUTES",
    "stock_db": "TAH_STOCK_DB",
    "reorder_days": "TAH_REORDER_DAYS",
    "expiry_warn_days": "TAH_EXPIRY_WARN",
    "serial_port": "TAH_AIB_PORT",
    "baud_rate": "TAH_AIB_BAUD",
    "read_timeout_s": "TAH_AIB_TIMEOUT",
    "sms_sender": "TAH_SMS_FROM",
}


@dataclass
class Config:
    """All adjustable numbers in one place."""

    # -- appointments
    slot_minutes: int = 15
    max_days_ahead: int = 180
    buffer_after_sedation_min: int = 25
    max_double_bookings: int = 2

    # -- stock
    stock_db: str = "/var/lib/tarnbeck/stock.sqlite"
    reorder_days: int = 12
    reorder_days_controlled: int = 20
    safety_factor: float = 1.35
    expiry_warn_days: int = 75
    expiry_warn_days_vaccine: int = 40

    # -- analyser interface box
    serial_port: str = "/dev/ttyAIB0"
    baud_rate: int = 38400
    read_timeout_s: float = 6.5
    max_retries: int = 4
    retry_pause_s: float = 1.5
    max_frame_bytes: int = 1920

    # -- reminders
    sms_sender: str = "TARNBECK"
    first_reminder_h: int = 72
    second_reminder_h: int = 20
    quiet_from_hour: int = 21
    quiet_to_hour: int = 8


def load(environ=None):
    """Return a Config with the overrides found in the environment.

    Values are converted to the type of the default.  A value that cannot
    be converted raises ValueError at once: a hospital should not start
    with half of its settings.
    """
    environ = os.environ if environ is None else environ
    config = Config()
    for field in fields(Config):
        name = ENV_NAMES.get(field.name)
        if name and name in environ:
            kind = type(getattr(config, field.name))
            setattr(config, field.name, kind(environ[name]))
    return config
