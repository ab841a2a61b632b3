"""Text messages that remind owners of a visit."""

import os
from datetime import timedelta

from .config import Config

#: longest message that still counts as one
MAX_SMS_CHARS = 153

#: set to "1" to write messages to the log instead of sending them
DRY_RUN_ENV = "TAH_SMS_DRY_RUN"

#: instructions added to the message, by kind of visit
FASTING_HOURS = {"dental": 10, "ct": 8, "mri": 12}


def fasting_text(kind):
    """Sentence about food, or an empty string."""
    hours = FASTING_HOURS.get(kind)
    return f" No food for {hours} h before." if hours else ""


def compose(visit):
    """Text of a reminder, cut to one message."""
    text = (f"{visit.patient}: {visit.kind} with {visit.vet} on "
            f"{visit.start:%d.%m. %H:%M}.{fasting_text(visit.kind)}")
    return text[:MAX_SMS_CHARS]


def is_quiet(moment, config):
    """True during the night, when nothing is sent."""
    return (moment.hour >= config.quiet_from_hour
            or moment.hour < config.quiet_to_hour)


def send_times(visit, config=None):
    """Moments at which reminders go out; night hours move to the morning.

    Vaccinations get only the second reminder.
    """
    config = config or Config()
    hours = [config.first_reminder_h, config.second_reminder_h]
    if visit.kind == "vaccination":
        hours = hours[1:]
    times = []
    for before in hours:
        moment = visit.start - timedelta(hours=before)
        while is_quiet(moment, config):
            moment += timedelta(minutes=30)
        times.append(moment)
    return times


def dry_run():
    """Whether messages are only logged."""
    return os.environ.get(DRY_RUN_ENV) == "1"
