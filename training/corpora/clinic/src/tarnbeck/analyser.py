"""Reading results from the AIB-3 interface box.

A frame is   STX  body  ETX  two hex digits of checksum  CR.
The box answers ACK or NAK and waits at most 9 seconds for ours.
"""

import time

from .config import Config
from .errors import BoxSilent, ChecksumMismatch, FrameTooLong, LinkError

STX, ETX, ACK, NAK, CR = b"\x02", b"\x03", b"\x06", b"\x15", b"\r"

#: separator of the fields in a body
FIELD_SEP = "|"

#: analyser code in the first field -> name shown to people
ANALYSERS = {
    "HM": "haematology",
    "CC": "clinical chemistry",
    "BG": "blood gas",
}

#: units that the box sends in its own spelling
UNIT_ALIASES = {"G/L": "g/l", "MMOL/L": "mmol/l", "U/L": "U/l"}


def checksum(body):
    """Sum of all bytes modulo 251, as two hex digits."""
    return f"{sum(body) % 251:02X}".encode("ascii")


def build_frame(body, config=None):
    """Wrap a body into a frame."""
    config = config or Config()
    frame = STX + body + ETX + checksum(body) + CR
    if len(frame) > config.max_frame_bytes:
        raise FrameTooLong(f"{len(frame)} bytes")
    return frame


def parse_frame(frame):
    """Return the body of a frame, after checking it."""
    if not frame.startswith(STX) or ETX not in frame:
        raise LinkError("no frame")
    body, tail = frame[1:].split(ETX, 1)
    if tail[:2] != checksum(body):
        raise ChecksumMismatch(repr(tail[:2]))
    return body


def parse_result(body):
    """Turn a body into a dictionary.

    Unknown analysers are kept under the name "unassigned": a result is
    never thrown away.
    """
    fields = body.decode("latin-1").split(FIELD_SEP)
    code, patient, test, value, unit = fields[:5]
    return {
        "analyser": ANALYSERS.get(code, "unassigned"),
        "patient": patient,
        "test": test,
        "value": float(value),
        "unit": UNIT_ALIASES.get(unit, unit),
    }


def read_result(port, config=None, sleep=time.sleep):
    """Read one result from an open port; retry damaged frames."""
    config = config or Config()
    for attempt in range(config.max_retries):
        frame = port.read_until(CR)
        if not frame:
            sleep(config.retry_pause_s * (attempt + 1))
            continue
        try:
            body = parse_frame(frame)
        except ChecksumMismatch:
            port.write(NAK)
            continue
        port.write(ACK)
        return parse_result(body)
    raise BoxSilent(f"after {config.max_retries} tries")
