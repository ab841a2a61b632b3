"""Appointments: slots, horizon and the pause after sedation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .config import Config
from .errors import SedationClash, SlotTaken, TooFarAhead

#: length of a visit in slots
VISIT_SLOTS = {
    "vaccination": 1,
    "consultation": 2,
    "dental": 5,
    "ct": 4,
    "mri": 6,
    "exotic": 3,
}

#: used when the kind of visit is not known
DEFAULT_SLOTS = 2

#: visits for which the patient is sedated
SEDATED = {"dental", "ct", "mri"}


@dataclass
class Visit:
    """One booked visit."""

    patient: str
    vet: str
    room: str
    kind: str
    start: datetime
    end: datetime


def duration(kind, config):
    """Length of a visit as a timedelta."""
    slots = VISIT_SLOTS.get(kind, DEFAULT_SLOTS)
    return timedelta(minutes=slots * config.slot_minutes)


def round_to_slot(moment, config):
    """Move a time back to the beginning of its slot."""
    minute = moment.minute - moment.minute % config.slot_minutes
    return moment.replace(minute=minute, second=0, microsecond=0)


class Diary:
    """All visits of one site, kept in memory."""

    def __init__(self, config=None):
        self.config = config or Config()
        self.visits = []

    def _overlapping(self, start, end):
        return [v for v in self.visits if v.start < end and start < v.end]

    def _check_room(self, room, start, end):
        """A room rests after a sedated patient, for cleaning and waking."""
        pause = timedelta(minutes=self.config.buffer_after_sedation_min)
        for visit in self.visits:
            if visit.room != room:
                continue
            rest = pause if visit.kind in SEDATED else timedelta(0)
            if visit.start < end and start < visit.end + rest:
                raise SedationClash(f"{room} is free from {visit.end + rest}")

    def book(self, patient, vet, room, kind, start, now, emergency=False):
        """Book a visit and return it.

        Emergencies ignore the limit of bookings per vet, never the rest
        time of the room.
        """
        start = round_to_slot(start, self.config)
        if start - now > timedelta(days=self.config.max_days_ahead):
            raise TooFarAhead(str(start))
        end = start + duration(kind, self.config)
        same_vet = [v for v in self._overlapping(start, end) if v.vet == vet]
        if len(same_vet) >= self.config.max_double_bookings and not emergency:
            raise SlotTaken(f"{vet} at {start}")
        self._check_room(room, start, end)
        visit = Visit(patient, vet, room, kind, start, end)
        self.visits.append(visit)
        return visit

    def cancel(self, visit, now):
        """Remove a visit; return True when a late fee is due.

        Late means less than 18 hours before the start, for MRI less than
        48 hours.
        """
        self.visits.remove(visit)
        hours = 48 if visit.kind == "mri" else 18
        return visit.start - now < timedelta(hours=hours)
