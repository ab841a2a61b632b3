"""The haystack holds what is asked for, once, and the score counts whole values only."""

from benchmarks.needles import KINDS, Maker, haystack, score


def test_every_value_stands_in_the_haystack_of_its_kind(tmp_path):
    maker = Maker(3)
    needles = [maker.needle(kind) for kind in KINDS for _ in range(3)]
    haystack(tmp_path, 6000, needles, None, maker)
    files = {name: "".join(f.read_text() for f in sorted(tmp_path.glob(f"{name}-*.txt"))) for name in ("noise", "essay", "lines")}
    for needle in needles:
        hay = files[KINDS[needle.kind][0]]
        assert all(hay.count(line) == 1 for line in needle.lines)
        assert all(sum(text.count(v) for text in files.values()) == 1 for v in needle.values)
    assert {len(n.values) for n in needles if n.kind == "multi-query"} == {4}
    words = sum(len(text.split()) for text in files.values())
    assert 3000 < words < 9000


def test_the_same_seed_makes_the_same_needles():
    assert Maker(5).needle("multi-value") == Maker(5).needle("multi-value")


def test_score_counts_whole_values():
    assert score(["1234567", "x"], ["1234567", "7654321"]) == 0.5
    assert score(["123456"], ["1234567"]) == 0.0
    assert score([" 1234567."], ["1234567"]) == 1.0
