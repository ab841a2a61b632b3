from datetime import datetime, timezone

import pytest

from fulmar.crc import crc16
from fulmar.errors import ChecksumError, ClockError, FrameError, UnsupportedVersion
from fulmar.fields import (
    CTRaw, HeaveBurst, Met, Status, pack_ct, pack_heave, pack_met, pack_status, parse,
)
from fulmar.frames import Frame, FrameType, StreamDecoder, decode, encode
from fulmar.faults import by_code


def make(noon, seq=7, payload=b"abc", kind=FrameType.MET, version=2):
    return Frame(214, seq, noon, kind, payload, version)


def test_crc_check_value():
    assert crc16(b"123456789") == 0x29B1


def test_round_trip(noon):
    frame = make(noon)
    assert decode(encode(frame)) == frame


def test_damaged_frame(noon):
    data = bytearray(encode(make(noon)))
    data[-3] ^= 0x10
    with pytest.raises(ChecksumError):
        decode(bytes(data))


def test_unknown_version(noon):
    with pytest.raises(UnsupportedVersion):
        decode(encode(make(noon, version=9)))


def test_lost_clock():
    frame = make(datetime(2000, 1, 1, 0, 5, tzinfo=timezone.utc))
    with pytest.raises(ClockError, match="E509"):
        decode(encode(frame))


def test_payload_limit(noon):
    with pytest.raises(FrameError):
        encode(make(noon, payload=bytes(241)))


def test_stream_with_noise_byte_by_byte(noon):
    good = [encode(make(noon, seq)) for seq in range(3)]
    broken = bytearray(good[1])
    broken[8] ^= 0xFF
    stream = b"\x00\xf3noise" + good[0] + bytes(broken) + b"\xf3" + good[2]
    decoder = StreamDecoder()
    frames = [f for i in range(len(stream)) for f in decoder.feed(stream[i:i + 1])]
    assert [f.seq for f in frames] == [0, 2]
    assert decoder.stats.bad_checksums == 1
    assert decoder.stats.skipped_bytes == 7 + len(broken) + 1


def test_met_with_missing_values(noon):
    met = Met(12.34, 271.5, None, 88.5, 987.64)
    assert parse(make(noon, payload=pack_met(met))) == met


def test_status_with_faults(noon):
    status = Status(12.81, 3.4, 41.5, 56.25, -6.75, (by_code("E304"), by_code("E418")))
    frame = make(noon, payload=pack_status(status), kind=FrameType.STATUS)
    assert parse(frame) == status


def test_ct_and_heave(noon):
    raw = CTRaw("CT30871", 512_000, 2_900_000)
    assert parse(make(noon, payload=pack_ct(raw), kind=FrameType.CT)) == raw
    burst = HeaveBurst(2.5, 1, (0.125, -0.5, 1.75))
    assert parse(make(noon, payload=pack_heave(burst), kind=FrameType.HEAVE)) == burst
