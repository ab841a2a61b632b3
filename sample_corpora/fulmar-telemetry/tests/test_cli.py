import math
from datetime import timedelta

from fulmar.cli import main
from fulmar.fields import CTRaw, HeaveBurst, Status, pack_ct, pack_heave, pack_status
from fulmar.frames import Frame, FrameType, encode


def write_spool(path, noon):
    status = Status(12.9, 300.0, 40.0, 56.5, -7.0, ())
    frames = [
        Frame(214, 1, noon, FrameType.STATUS, pack_status(status)),
        Frame(214, 2, noon, FrameType.CT, pack_ct(CTRaw("CT30871", 1, 1))),
    ]
    wave = [math.sin(2 * math.pi * i / 20) for i in range(1000)]
    for part in range(10):
        burst = HeaveBurst(2.5, part, tuple(wave[part * 100:(part + 1) * 100]))
        when = noon + timedelta(seconds=40 * part)
        frames.append(Frame(214, 3 + part, when, FrameType.HEAVE, pack_heave(burst)))
    path.write_bytes(b"".join(map(encode, frames)))


def test_whole_run(tmp_path, noon, capsys):
    spool = tmp_path / "day.bin"
    write_spool(spool, noon)
    base = ["--database", str(tmp_path / "t.sqlite3")]
    assert main([*base, "ingest", str(spool)]) == 0
    assert main([*base, "ingest", str(spool), "--strict"]) == 0  # all duplicates now
    assert main([*base, "status"]) == 0
    assert main([*base, "check", "--at", noon.isoformat()]) == 3
    assert main([*base, "waves", "214", "--at", "2024-06-12T12:30:00Z"]) == 0
    out = capsys.readouterr().out
    assert "12 duplicates" in out and "0214 E217 CRITICAL" in out and "Tz 8.0 s" in out


def test_strict_needs_certificate(tmp_path, noon):
    write_spool(tmp_path / "day.bin", noon)
    assert main(["--database", str(tmp_path / "t"), "ingest", str(tmp_path), "--strict"]) == 4


def test_wrong_configuration(tmp_path):
    (tmp_path / "c.toml").write_text("nonsense = 1")
    assert main(["--config", str(tmp_path / "c.toml"), "status"]) == 5
