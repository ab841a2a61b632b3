from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_memory import FAILED, FOOTPRINT, LONG, SOURCES
from typer.testing import CliRunner

from engine.results import FailedSource, IngestReport
from msa_cli.app import app


def test_ingest_is_one_summary_line(msa, memory):
    ran = msa("ingest", "docs", "--wait", "2.5", "--hidden", "--model", "m")
    assert ran.code == 0
    assert ran.out == (
        "ingested: 2 added, 0 changed, 1 unchanged; 4 documents, 900 tokens in 0.5 s (1,800 tokens/s)\n"
    )
    assert ran.err == ""
    options = {"model": Path("m"), "device": None, "create": True, "thinks": True}
    assert memory.calls[:2] == [
        ("open", None, options),
        ("ingest", [Path("docs")], False, False, True, 2.5),
    ]


def test_a_failed_file_is_named_and_exits_2(msa, memory):
    memory.report = IngestReport(added=1, failed=[FAILED], missing=["old.md"], skipped=[FAILED] * 3)
    ran = msa("ingest", "docs")
    assert ran.code == 2
    assert "1 failed" in ran.out
    assert ran.err.splitlines() == [
        "msa: broken.pdf: encrypted",
        "3 files skipped (--dry-run names them)",
        "no longer on disk (use --prune to drop): old.md",
    ]


def test_many_missing_sources_are_counted(msa, memory):
    memory.report = IngestReport(missing=[f"{n}.md" for n in range(9)])
    ran = msa("ingest", "docs")
    assert ran.code == 0
    assert ran.err.splitlines()[-1] == "... and 4 more no longer on disk"


def test_dry_run_lists_files_on_stdout(msa, memory):
    memory.report = IngestReport(listed=["a.md", LONG], skipped=[FailedSource("x.bin", "not text")])
    ran = msa("ingest", "--dry-run", "docs")
    assert (ran.code, ran.out) == (0, f"a.md\n{LONG}\n")
    assert "skipped x.bin: not text" in ran.err
    assert memory.calls[1][3] is True


@pytest.mark.parametrize("command", [["ingest", "docs"], ["rebuild"]])
def test_ingest_and_rebuild_json(msa, memory, command):
    memory.report = IngestReport(added=1, failed=[FAILED])
    ran = msa(*command, "--json")
    assert (ran.code, ran.err) == (2, "")
    assert json.loads(ran.out) == memory.report.to_dict()


def test_rebuild(msa, memory):
    assert msa("rebuild", "--wait", "1").out.startswith("rebuilt: ")
    assert ("rebuild", 1.0) in memory.calls


def test_sources(msa, memory):
    ran = msa("sources")
    assert ran.code == 0
    assert [line.split("  ")[0] for line in ran.out.splitlines()] == [item.name for item in SOURCES]
    assert json.loads(msa("sources", "--json").out) == {"sources": [item.to_dict() for item in SOURCES]}
    memory.items = []
    ran = msa("sources")
    assert (ran.code, ran.out, ran.err) == (0, "", "memory is empty\n")


def test_a_name_that_is_no_text_is_still_listed(msa, memory):
    memory.items = [SOURCES[0].__class__("caf\udce9.md", None, "text", 1, 1, "caf\udce9.md", 1)]
    assert msa("sources").out.startswith("caf\\udce9.md ")
    assert json.loads(msa("sources", "--json").out)["sources"][0]["name"] == "caf\udce9.md"


def test_stats(msa):
    ran = msa("stats")
    assert ran.code == 0
    for text in (
        "/home/ada/.msa",
        "3 (1 jsonl, 1 markdown, 1 text)",
        "1,249 in 22 chunks",
        "msa-small (c0ffee12)",
        "5.0 MiB",
        "4236.2 bytes a token",
        "2.8 KiB  RAM (2.8 KiB resident)",
        "router keys fit in RAM",
    ):
        assert text in ran.out
    assert "100,000,000 tokens  router_keys 190.7 MiB" in ran.out
    assert json.loads(msa("stats", "--json").out) == FOOTPRINT.to_dict()


def test_verify(msa, memory):
    ran = msa("verify")
    assert (ran.code, ran.out) == (0, "sound: checked 1 segment, 5 documents, 3 sources\n")
    memory.problems = ["segment 1: checksum does not hold"]
    ran = msa("verify")
    assert ran.code == 2
    assert ran.out.splitlines()[0] == "segment 1: checksum does not hold"
    assert json.loads(msa("verify", "--json").out)["problems"] == memory.problems


def test_forget_without_a_terminal_does_not_ask(msa, memory):
    ran = msa("forget", "handbook/leave.md", "--wait", "3")
    assert (ran.code, ran.out) == (0, "forgot handbook/leave.md\n")
    assert ran.err == "3 documents, 1,200 tokens removed\n"
    assert ("forget", "handbook/leave.md", 3.0) in memory.calls


def test_forget_sums_several_names_in_one_result(msa, memory):
    ran = msa("forget", "handbook", "handbook/leave.md", "notes.jsonl#n7", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "sources": ["handbook/leave.md", LONG, "notes.jsonl#n7"],
        "documents": 5,
        "tokens": 1249,
    }
    assert [call[1] for call in memory.calls if call[0] == "forget"] == ["handbook", "notes.jsonl#n7"]


def test_one_unknown_name_forgets_nothing(msa, memory):
    ran = msa("forget", "handbook/leave.md", "typo.md")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "msa: typo.md: not in memory; nothing was forgotten\n"
    assert len(memory.items) == len(SOURCES)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("\n", 1)])
def test_forget_asks_on_a_terminal(on_terminal, typed, code):
    got, output = on_terminal("forget", "handbook", typed=typed)
    assert got == code
    assert "Forget 2 sources (4 documents)? [y/N]" in output
    assert ("nothing was forgotten" in output) == (code == 1)


def test_forget_yes_does_not_ask(on_terminal):
    code, output = on_terminal("forget", "handbook", "--yes")
    assert code == 0
    assert "[y/N]" not in output


def test_the_typer_app_maps_exit_codes_by_itself(memory):
    runner = CliRunner()
    assert runner.invoke(app, ["ask", "no?"]).exit_code == 1
    result = runner.invoke(app, ["forget", "typo.md"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("msa: typo.md")
