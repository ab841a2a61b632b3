"""A notebook's text has its cells and what they print on the lines of the file; pictures and the rest are blank."""

import json
from pathlib import Path

from engine.sources.notebook import notebook_text
from engine.sources.read import read_source

CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Tides\n", "\n", "The *spring* tide is \"high\" \u2013 4 m.\n", "## Data"]},
    {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": [
            {"name": "stdout", "output_type": "stream", "text": ["mean 3.2\n", "# no heading\n"]},
            {"data": {"image/png": "iVBORw0KGgo" * 50, "text/plain": ["<Figure>"]}, "metadata": {}, "output_type": "display_data"},
        ],
        "source": ["# a comment\n", "    print(f\"mean {x}\")"],
    },
    {"cell_type": "markdown", "metadata": {}, "source": []},
    {"cell_type": "raw", "metadata": {}, "source": "One string\nof two lines."},
]
NOTEBOOK = json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def test_each_line_of_a_cell_stands_on_its_line_of_the_file():
    text, sections = notebook_text(NOTEBOOK)
    said, written = text.split("\n"), NOTEBOOK.split("\n")
    assert len(said) == len(written)
    told = [line for line in said if line]
    assert told[:3] == ["# Tides", 'The *spring* tide is "high" \u2013 4 m.', "## Data"]
    assert told[3:] == ["mean 3.2", "# no heading", "<Figure>", "# a comment", '    print(f"mean {x}")', "One string of two lines."]
    at = said.index('    print(f"mean {x}")')
    assert json.loads(written[at].strip()) == said[at] and "iVBOR" not in text
    assert [s.title for s in sections if text[s.start : s.end].strip()] == [("Tides",), ("Tides", "Data")]


def test_what_is_no_notebook_or_on_one_line_is_read_as_it_is(tmp_path: Path):
    for text in ("", "{", "[]", '{"a": 1}', json.dumps({"cells": CELLS[2:3]}, indent=1), "[" * 100_000):
        assert notebook_text(text) is None
    (tmp_path / "a.ipynb").write_text('{"a": 1}')
    (source,) = read_source(tmp_path / "a.ipynb").sources
    assert (source.kind, source.text) == ("text", '{"a": 1}')
    (tmp_path / "b.ipynb").write_bytes(NOTEBOOK.replace("\n", "\r\n").encode())
    (source,) = read_source(tmp_path / "b.ipynb").sources
    assert source.kind == "notebook" and source.text == notebook_text(NOTEBOOK)[0]


def test_odd_strings_do_no_harm():
    cells = [{"cell_type": "markdown", "source": ["a \ud800 b\n", "tab\tand \\ and \u2028 line\n"]}]
    text, _ = notebook_text(json.dumps({"cells": cells}, indent=1))
    assert text.encode() and "tab\tand \\ and" in text
    assert len(text.split("\n")) == json.dumps({"cells": cells}, indent=1).count("\n") + 1
    one_line = notebook_text(json.dumps({"cells": CELLS}))
    assert one_line is None or "\n" not in one_line[0]
