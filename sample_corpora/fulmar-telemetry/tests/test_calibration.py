import json
from datetime import date

import pytest

from fulmar.calibration import Certificate, CertificateBook, polynomial
from fulmar.errors import CalibrationError, CertificateExpired, NoCertificate
from fulmar.fields import CTRaw

CERT = {
    "serial": "CT30871",
    "date": "2024-06-18",
    "technician": "HV",
    "temperature": [-4.81, 3.02e-5, 0.0],
    "conductivity": [0.11, 1.247e-5, 0.0],
}


def book():
    result = CertificateBook()
    result.add(Certificate.from_json(json.dumps(CERT)))
    return result


def test_polynomial_order():
    assert polynomial([1, 2, 3], 10) == 321


def test_apply():
    ct = book().apply(CTRaw("CT30871", 512_000, 2_900_000), date(2024, 9, 1))
    assert ct.temperature == pytest.approx(10.6524)
    assert ct.conductivity == pytest.approx(36.273)
    assert not ct.suspect


def test_suspect_when_impossible():
    assert book().apply(CTRaw("CT30871", 5_000_000, 0), date(2024, 9, 1)).suspect


def test_expiry():
    assert book().find("CT30871", date(2025, 7, 23))
    with pytest.raises(CertificateExpired):
        book().find("CT30871", date(2025, 7, 24))


def test_missing_and_future():
    with pytest.raises(NoCertificate):
        book().find("CT00001", date(2024, 9, 1))
    with pytest.raises(NoCertificate):
        book().find("CT30871", date(2024, 6, 17))


def test_malformed_file_is_named(tmp_path):
    (tmp_path / "CT1_2024-01-01.json").write_text('{"serial": "CT1"}')
    with pytest.raises(CalibrationError, match="CT1_2024-01-01.json"):
        CertificateBook.load(tmp_path)
