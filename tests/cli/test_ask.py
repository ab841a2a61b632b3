from __future__ import annotations

import json

import pytest
from fake_memory import HOP, LONG, SCAN, answered, unanswered


def test_answer_comes_first_then_citations_with_quotes(msa):
    ran = msa("ask", "how many days?")
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out.splitlines() == [
        "Five days.",
        "",
        "  handbook/leave.md:12-14",
        "    Five days carry over;",
        "    the rest lapses in March.",
        "  scan.pdf#page=3",
        "    über\\x1b[31mred",
        "",
        "confidence high (0.91)",
    ]


def test_not_found_shows_the_nearest_passages_and_exits_1(msa):
    ran = msa("ask", "no such thing?")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0] == "Not found in memory."
    assert lines[2:4] == ["Nearest passages:", "  handbook/leave.md:12-14"]


def test_json_is_the_result_and_one_document(msa):
    ran = msa("ask", "days?", "--json")
    assert json.loads(ran.out) == json.loads(json.dumps(answered("days?").to_dict()))
    assert ran.err == ""
    assert "über" in ran.out
    assert msa("ask", "no?", "--json").code == 1


def test_question_from_stdin(msa, memory):
    assert msa("ask", "-", stdin="  how many\ndays?\n").code == 0
    assert ("ask", "how many\ndays?", None, None) in memory.calls


@pytest.mark.parametrize("command", ["ask", "recall"])
def test_empty_question_is_an_error(msa, memory, command):
    for arguments in (["", "--json"], ["   "], ["-"]):
        ran = msa(command, *arguments)
        assert (ran.code, ran.out, ran.err) == (2, "", "msa: the question is empty\n")
    assert memory.calls == []


@pytest.mark.parametrize("arguments", [["ask"], ["ask", "q", "--batch", "f"], ["recall"]])
def test_either_a_question_or_a_batch(msa, arguments):
    ran = msa(*arguments)
    assert ran.code == 2
    assert ran.err == "msa: give either a QUESTION or --batch FILE\n"


def test_limits_reach_the_engine(msa, memory):
    msa("ask", "q", "--top-k", "4", "--max-hops", "2")
    assert ("ask", "q", 4, 2) in memory.calls
    assert msa("ask", "q", "--top-k", "0").code == 2


def test_verbose_tells_hops_and_timings_on_stderr(msa):
    ran = msa("ask", "q", "-v")
    assert ran.out == msa("ask", "q").out
    lines = ran.err.splitlines()
    assert lines[0] == f"hop 1  {HOP.query}"
    assert lines[1].split(maxsplit=3) == ["●", "0.910", "handbook/leave.md:10-20", "Leave > Carry over"]
    assert lines[2].split() == ["○", "0.200", "notes.jsonl:7-7", "[n7]", "Note"]
    assert lines[3] == "  -> enough evidence (enough: 0.88)"
    assert lines[4] == "route 1.2 ms · total 8.0 ms"


def test_recall_is_one_unbroken_line_a_document(msa, memory):
    ran = msa("recall", "q", "-k", "5", "--max-hops", "2")
    assert ran.code == 0
    assert ("recall", "q", 5, 2) in memory.calls
    first, second = ran.out.splitlines()
    assert first.startswith(f"1  0.930  {LONG}:1-9  ") and first.endswith("Leave")
    assert second.startswith("2  0.500  scan.pdf#page=3  ") and second.endswith("手当 > 通勤")


def test_recall_of_nothing(msa):
    ran = msa("recall", "no?")
    assert (ran.code, ran.out) == (1, "")
    assert json.loads(msa("recall", "no?", "--json").out) == {"question": "no?", "documents": []}


def test_batch_gives_a_json_line_for_each_question(msa, tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": "a", "question": "days?"}\r\n\n{"question": "no?", "id": 7, "more": []}'
    )
    ran = msa("ask", "--batch", str(path))
    assert ran.code == 0
    assert ran.err == ""
    one, two = ran.out.splitlines()
    assert one.startswith('{"id": "a", "question": "days?"')
    assert json.loads(two) == json.loads(json.dumps({"id": 7, **unanswered("no?").to_dict()}))
    assert SCAN.quote in json.loads(one)["citations"][1]["quote"]


def test_batch_of_recalls_from_stdin(msa):
    ran = msa("recall", "--batch", "-", "--json", stdin='{"id": 1, "question": "q"}\n')
    assert ran.code == 0
    assert list(json.loads(ran.out)) == ["id", "question", "documents"]


def test_batch_with_nothing_found_exits_1(msa):
    assert msa("ask", "--batch", "-", stdin='{"id": 1, "question": "no?"}\n').code == 1
    assert msa("ask", "--batch", "-", stdin="").code == 1


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[1]",
        b"\xff\xfe",
        b'{"question": "q"}',
        b'{"id": true, "question": "q"}',
        b'{"id": 1}',
        b'{"id": 1, "question": " "}',
        b'{"id": 1, "question": "refuse this"}',
    ],
)
def test_a_bad_line_is_told_and_skipped(msa, line):
    ran = msa("ask", "--batch", "-", stdin=line + b'\n{"id": 2, "question": "q"}\n')
    assert ran.code == 2
    assert [json.loads(line)["id"] for line in ran.out.splitlines()] == [2]
    assert ran.err.startswith("msa: stdin:1: ") and ran.err.count("\n") == 1


def test_a_damaged_memory_ends_the_batch(msa, memory):
    ran = msa("ask", "--batch", "-", stdin='{"id": 1, "question": "corrupt"}\n{"id": 2, "question": "q"}\n')
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "msa: segment 3 is damaged; run msa verify\n"
    assert memory.calls[-1] == ("close",)


def test_missing_batch_file(msa, tmp_path):
    ran = msa("ask", "--batch", str(tmp_path / "none.jsonl"))
    assert ran.code == 2
    assert ran.err == f"msa: {tmp_path / 'none.jsonl'}: No such file or directory\n"


def test_budgets_are_sizes(msa, memory):
    msa("ask", "q", "--ram-budget", "1.5G", "--gpu-budget", "512MiB")
    options = memory.calls[0][2]
    assert (options["ram_budget"], options["gpu_budget"]) == (3 << 29, 512 << 20)
    assert msa("recall", "q", "--ram-budget", "0").code == 0
    bad = msa("stats", "--ram-budget", "lots")
    assert bad.code == 2 and "'lots' is not a size" in bad.err
