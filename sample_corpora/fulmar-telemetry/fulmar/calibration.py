"""Calibration certificates and the corrections they prescribe.

The laboratory issues one JSON file per probe and calibration, named after the
serial number and the date, for instance ``CT30871_2024-06-18.json``::

    {"serial": "CT30871", "date": "2024-06-18", "technician": "HV",
     "temperature": [-4.81, 3.02e-5, 0.0],
     "conductivity": [0.11, 1.247e-5, 0.0]}

The coefficients are those of a polynomial in the raw counts, constant first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Sequence

from .errors import CalibrationError, CertificateExpired, NoCertificate
from .fields import CTRaw

MAX_AGE_DAYS = 400
MAX_DEGREE = 4

# Readings outside these spans are physically impossible at sea and point to a
# certificate that belongs to another probe.
TEMPERATURE_SPAN = (-2.5, 40.0)
CONDUCTIVITY_SPAN = (0.0, 75.0)


@dataclass(frozen=True)
class Certificate:
    """Coefficients for one probe, valid from ``date``."""

    serial: str
    date: date
    technician: str
    temperature: tuple[float, ...]
    conductivity: tuple[float, ...]

    @classmethod
    def from_json(cls, text: str) -> "Certificate":
        try:
            data = json.loads(text)
            cert = cls(
                data["serial"],
                date.fromisoformat(data["date"]),
                data.get("technician", ""),
                tuple(float(c) for c in data["temperature"]),
                tuple(float(c) for c in data["conductivity"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"malformed certificate: {error}") from error
        for name in ("temperature", "conductivity"):
            count = len(getattr(cert, name))
            if not 2 <= count <= MAX_DEGREE + 1:
                raise CalibrationError(f"{name} has {count} coefficients")
        return cert

    def age_on(self, day: date) -> int:
        """Whole days between the calibration and ``day``."""
        return (day - self.date).days


@dataclass(frozen=True)
class CT:
    """Corrected reading of a conductivity and temperature probe."""

    temperature: float  # deg C
    conductivity: float  # mS/cm
    serial: str
    suspect: bool = False


def polynomial(coefficients: Sequence[float], x: float) -> float:
    """Evaluate a polynomial by Horner's rule, constant term first."""
    value = 0.0
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value


class CertificateBook:
    """All certificates of a directory, newest usable one first."""

    def __init__(self, max_age_days: int = MAX_AGE_DAYS) -> None:
        self.max_age_days = max_age_days
        self._certificates: dict[str, list[Certificate]] = {}

    @classmethod
    def load(cls, directory: Path, max_age_days: int = MAX_AGE_DAYS) -> "CertificateBook":
        book = cls(max_age_days)
        for path in sorted(directory.glob("*.json")):
            try:
                book.add(Certificate.from_json(path.read_text(encoding="utf-8")))
            except CalibrationError as error:
                raise CalibrationError(f"{path.name}: {error}") from error
        return book

    def add(self, certificate: Certificate) -> None:
        entries = self._certificates.setdefault(certificate.serial, [])
        entries.append(certificate)
        entries.sort(key=lambda cert: cert.date, reverse=True)

    def find(self, serial: str, day: date) -> Certificate:
        """Return the certificate in force on ``day``.

        Raises :class:`NoCertificate` when there is none at all for the probe
        and :class:`CertificateExpired` when the newest is over the age limit.
        """
        for certificate in self._certificates.get(serial, ()):
            if certificate.date <= day:
                age = certificate.age_on(day)
                if age > self.max_age_days:
                    raise CertificateExpired(serial, age, self.max_age_days)
                return certificate
        raise NoCertificate(f"no certificate for {serial} on {day}")

    def apply(self, raw: CTRaw, day: date) -> CT:
        """Correct ``raw`` with the certificate in force on ``day``."""
        certificate = self.find(raw.serial, day)
        temperature = polynomial(certificate.temperature, raw.temp_counts)
        conductivity = polynomial(certificate.conductivity, raw.cond_counts)
        suspect = not (
            TEMPERATURE_SPAN[0] <= temperature <= TEMPERATURE_SPAN[1]
            and CONDUCTIVITY_SPAN[0] <= conductivity <= CONDUCTIVITY_SPAN[1]
        )
        return CT(round(temperature, 4), round(conductivity, 4), raw.serial, suspect)
