"""Send short messages to the roles of the fault desk.

The gateway token is read from LMT_SMS_TOKEN at the moment of sending, so it can
be changed without a restart.
"""
import logging
import os
import time
from typing import Callable

from .config import SETTINGS, dry_run
from .errors import BadSetting, DeliveryFailed

log = logging.getLogger("lindtram.notify")

# role -> internal extension or pager group
ROUTES = {
    "control_room": "pager-1",
    "workshop_duty": "pager-4",
    "depot_master": "mail",
    "software_oncall": "pager-6",
}
QUIET_FROM, QUIET_TO = 22, 5      # hours; mail is held back in between


def shorten(text: str) -> str:
    """Cut to SMS_CHARS; the last three characters become dots."""
    text = " ".join(text.split())
    if len(text) <= SETTINGS.SMS_CHARS:
        return text
    return text[: SETTINGS.SMS_CHARS - 3] + "..."


def is_quiet(hour: int) -> bool:
    return hour >= QUIET_FROM or hour < QUIET_TO


def send(role: str, text: str, gateway: Callable[[str, str, str], bool],
         hour: int = 12, sleep: Callable[[float], None] = time.sleep) -> str:
    """Send one message; returns "sent", "held" or "dry".

    Pagers ring at any hour.  A failed try is repeated with a pause that doubles;
    after SEND_TRIES tries DeliveryFailed is raised.
    """
    route = ROUTES.get(role, "pager-6")       # unknown roles go to software on-call
    if route == "mail" and is_quiet(hour):
        return "held"
    if dry_run():
        log.info("dry run: %s <- %s", route, text)
        return "dry"
    token = os.environ.get("LMT_SMS_TOKEN")
    if not token:
        raise BadSetting("LMT_SMS_TOKEN is not set")
    pause = SETTINGS.FIRST_PAUSE
    for attempt in range(1, SETTINGS.SEND_TRIES + 1):
        if gateway(token, route, shorten(text)):
            return "sent"
        log.warning("try %d to %s failed", attempt, route)
        if attempt < SETTINGS.SEND_TRIES:
            sleep(pause)
            pause *= 2
    raise DeliveryFailed(route)
