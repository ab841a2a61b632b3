"""What holds for every command: options, streams, exit codes, interrupts, terminals, start-up."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_memory import LONG

from engine import __version__
from engine.errors import NoMemoryError

COMMANDS = {
    "ingest": ["ingest", "docs"],
    "ask": ["ask", "q"],
    "recall": ["recall", "q"],
    "forget": ["forget", "handbook"],
    "sources": ["sources"],
    "stats": ["stats"],
    "verify": ["verify"],
    "rebuild": ["rebuild"],
}
every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


@every_command
def test_shared_options_after_and_before_the_name(msa, memory, command):
    shared = ["--store", "s", "--device", "cpu", "--json"]
    for arguments in ([*command, *shared], [*shared, *command]):
        memory.__init__()
        ran = msa(*arguments)
        assert ran.code == 0
        json.loads(ran.out)
        _, store, options = memory.calls[0]
        assert (store, options["device"]) == (Path("s"), "cpu")


def test_the_option_after_the_name_wins(msa, memory):
    msa("--store", "before", "sources", "--store", "after")
    assert memory.calls[0][1] == Path("after")


@every_command
def test_every_command_has_help(msa, command):
    for flag in ("-h", "--help"):
        ran = msa(command[0], flag)
        assert (ran.code, ran.err) == (0, "")
        assert all(option in ran.out for option in ("--store", "--json", "--device"))


def test_version_and_bare_help(msa):
    assert msa("--version").out == f"msa {__version__}\n"
    ran = msa()
    assert ran.code == 0
    assert all(f"\n  {name} " in ran.out for name in COMMANDS)


@every_command
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_msa_error_is_one_line(msa, memory, command, flags):
    memory.error = NoMemoryError("no memory at /x; run msa ingest")
    ran = msa(*command, *flags)
    assert (ran.code, ran.out, ran.err) == (2, "", "msa: no memory at /x; run msa ingest\n")


def test_an_unexpected_error_is_one_line_unless_debugging(msa, memory, monkeypatch):
    memory.error = RuntimeError("two\nlines")
    ran = msa("stats")
    assert ran.code == 2
    assert ran.err == (
        "msa: unexpected RuntimeError: two lines (run with MSA_DEBUG=1 for the traceback)\n"
    )
    monkeypatch.setenv("MSA_DEBUG", "1")
    assert "Traceback (most recent call last)" in msa("stats").err


@pytest.mark.parametrize("arguments", [["nonsense"], ["--json"], ["ask", "q", "--nonsense"], ["ingest"]])
def test_usage_errors(msa, arguments):
    ran = msa(*arguments)
    assert (ran.code, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert first.startswith("msa: ")
    assert second.startswith("try 'msa")


def test_interrupt_in_a_command(msa, memory):
    memory.error = KeyboardInterrupt()
    ran = msa("ask", "q", "--json")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "interrupted; everything committed so far is kept\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_running_ingest(child, number, code):
    process = child("ingest", "slow", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "at work\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert ("everything committed so far is kept" in err) == (code == 130)


def test_a_reader_that_goes_away_is_no_error(child):
    process = child("many", "sources", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"handbook/leave.md")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 0


def test_the_exit_code_stays_true_without_a_reader(child):
    read, write = os.pipe()
    os.close(read)
    process = child("ask", "no?", stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 1


def test_each_batch_line_comes_before_the_next_question(child):
    process = child(
        "ask", "--batch", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    for number in (1, 2):
        process.stdin.write(json.dumps({"id": number, "question": "q"}) + "\n")
        assert json.loads(process.stdout.readline())["id"] == number
    process.stdin.close()
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("command", [["ask", "q", "-v"], ["recall", "q"], ["sources"]], ids=" ".join)
def test_piped_output_is_plain_and_unbroken(child, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "20")
    process = child(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate(timeout=30)
    assert "\x1b" not in out + err
    assert (LONG in out) == (command[0] != "ask")


COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("command", [["ask", "q"], ["recall", "q"]], ids=" ".join)
def test_no_color(on_terminal, command):
    assert COLOUR.search(on_terminal(*command)[1])
    assert not COLOUR.search(on_terminal(*command, NO_COLOR="1")[1])


def test_a_terminal_gets_heads_and_bars(on_terminal):
    code, output = on_terminal("stats", NO_COLOR="1")
    assert code == 0
    assert "█" in output and "share" in output
    assert "fits in RAM" in " ".join(output.split())


def test_progress_shows_on_a_terminal(on_terminal):
    code, output = on_terminal("ingest", "docs")
    assert code == 0
    assert "2/2 files" in output
    assert output.rstrip().endswith("tokens/s)")


def test_hops_pass_by_on_a_terminal(on_terminal):
    code, output = on_terminal("ask", "q")
    assert code == 0
    assert "hop 1: how many days carry over? -> handbook/leave.md" in output


@pytest.mark.parametrize("arguments", [["--help"], ["stats"], ["sources", "--json"], ["recall", "q"]])
def test_start_up_leaves_heavy_modules_alone(arguments):
    here = Path(__file__).parent
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "from fake_memory import FakeMemory\n"
        "from msa_cli import app, opening\n"
        "opening.open_memory = FakeMemory().open\n"
        "assert app.main(sys.argv[1:]) == 0\n"
        "heavy = {'torch', 'numpy', 'pymupdf', 'transformers', 'rich', 'sqlite3'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(here), *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_torch_starts_without_its_compilers_rules_and_works():
    script = (
        "import sys\n"
        "from msa_cli.quick_torch import RULES, import_torch\n"
        "import_torch()\n"
        "import torch\n"
        "assert RULES not in sys.modules and 'torch._prims' not in sys.modules\n"
        "x = torch.randn(3, 4, requires_grad=True)\n"
        "torch.nn.functional.layer_norm(x, (4,)).softmax(-1).sum().backward()\n"
        "assert torch.isfinite(x.grad).all()\n"
        "import torch._meta_registrations\n"
        "assert 'torch._prims' in sys.modules\n"
        "assert torch.empty(2, 3, device='meta').matmul(torch.empty(3, 5, device='meta')).shape == (2, 5)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
