from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.sources.decode import decode, storable

PATH = Path("a.txt")
FRENCH = "Le café fermé était déjà très éloigné de l'hôtel où l'été s'achève, près de la forêt."
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний."


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "\ufeffmark", "é\u2028x\n", "𝄞 clef", "a\rb", ""])
def test_utf8_is_exact(text):
    assert decode(text.encode("utf-8"), PATH) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_marks(encoding):
    assert decode("\ufeffhé 𝄞".encode(encoding), PATH) == "\ufeffhé 𝄞"


@pytest.mark.parametrize(("text", "encoding"), [(FRENCH, "latin-1"), (FRENCH, "cp1252"), (RUSSIAN * 4, "cp1251"),
                                                ("“smart quotes” are — alas — common here", "cp1252"),
                                                ("café", "latin-1")])  # fmt: skip
def test_legacy_encodings_keep_offsets(text, encoding):
    assert decode(text.encode(encoding), PATH) == text


def test_declared_encoding():
    text = "# -*- coding: koi8-r -*-\n# " + RUSSIAN
    assert decode(text.encode("koi8-r"), PATH) == text


def test_unknown_declared_encoding_is_passed_over():
    assert decode("# coding: klingon\n# café au lait\n".encode("latin-1"), PATH).endswith("café au lait\n")


def test_a_few_bad_bytes_do_not_garble_the_rest():
    data = ("naïve façade " * 20).encode() + b"\xff" + " déjà vu".encode()
    text = decode(data, PATH)
    assert text.count("\ufffd") == 1 and text.endswith("déjà vu") and text.startswith("naïve façade")


@pytest.mark.parametrize("data", [b"ab\0cd", bytes(range(128, 256)) * 3 + bytes(range(1, 32)) * 9, b"\xff\xfea", b"\xff\xfe\x00\xd8"])
def test_not_text(data):
    with pytest.raises(SourceError, match="a.txt: not text"):
        decode(data, PATH)


def test_what_comes_out_can_be_stored():
    assert storable("a\ud800b\udfff é") == "a\ufffdb\ufffd é"
    decode("x +2AA- y é".encode("latin-1"), PATH).encode("utf-8")
