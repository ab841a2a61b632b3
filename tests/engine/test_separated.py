"""Cells of .csv text by their characters in it, whatever stands in quotes; read with the names of their columns."""

import csv
import io
from pathlib import Path

import pytest
from tiny import save_model
from tokenizers import Tokenizer

from engine.memory import Memory
from engine.model.config import ModelConfig
from engine.model.inputs import EncoderInputs
from engine.separated import as_strokes, header, named, rows, separator_of

TEXT = 'name,role,"home town"\nAda,"Manager, West",Bergen\r\nOla,,"says ""hi"" | ok"\n\n"two\nlines",x,\n'
NAMES = ("name", "role", "home town")


def cells(text: str, separator: str) -> list[list[str]]:
    return [[text[a:b] for a, b in row] for row in rows(text, separator)]


def test_cells_are_those_a_csv_parser_finds():
    parsed = [row for row in csv.reader(io.StringIO(TEXT, newline="")) if row]
    assert [[c.replace('""', '"') for c in row] for row in cells(TEXT, ",")] == parsed


@pytest.mark.parametrize("text", ["", "\n", "a", "a,", ",", '"', '"a', 'a"b,"c"d,e', '"a",\r\n"b"\r\n', ' " x " , y '])
def test_odd_lines_are_cells_too_and_keep_their_length(text: str):
    assert all(0 <= a <= b <= len(text) for row in rows(text, ",") for a, b in row)
    assert len(as_strokes(text, ",")) == len(text)


def test_the_separator_and_the_header_are_told_by_the_first_line():
    assert [separator_of(line) for line in ("a,b", "a;b,c;d", "a\tb", '"a,b,c";d', "a|b", "alone", "")] == [*",;\t;|", "", ""]
    assert header(TEXT.partition("\n")[0], ",") == NAMES
    assert header("\ufeffa,b", ",") == ("a", "b")
    for line in ("1,Ada", "a,,b", "alone", "2020-01-04,b", "", f"{'long ' * 20},b"):
        assert header(line, separator_of(line)) == ()


def test_strokes_stand_for_separators_and_nothing_moves():
    shown = as_strokes(TEXT, ",")
    assert len(shown) == len(TEXT) and shown.splitlines()[1] == "Ada| Manager, West |Bergen "
    assert shown.count("|") == sum(len(row) - 1 for row in rows(TEXT, ","))


def test_a_cell_has_its_columns_name_but_not_in_the_header_or_a_row_of_another_length():
    found = [(name, TEXT[a : a + 4]) for a, name in named(TEXT, NAMES, ",")]
    assert found[:3] == [("name", "Ada,"), ("role", "Mana"), ("home town", "Berg")]
    assert ("name", "name") not in found and len(found) == 3 + 2 + 2
    assert named("a,b\n", NAMES, ",") == []


def test_the_reader_sees_names_and_strokes_and_points_into_the_file(tmp_path: Path):
    folder = save_model(tmp_path / "model")
    inputs = EncoderInputs(Tokenizer.from_file(str(folder / "tokenizer.json")), ModelConfig.load(folder))
    text = "key,number,place\nmay,14,lisbon\n"
    row = inputs.active("where", [("key", text, ("key", "number", "place"), ",")])
    told = [inputs.tokenizer.id_to_token(i) for i in row.ids]
    at = next(p for p, place in row.places.items() if text[place[1] : place[2]] == "14")
    assert told[at - 2 : at] == [inputs.tokenizer.id_to_token(i) for i in inputs.title_ids("number")]
    assert all(text[a:b].strip() for _, a, b in row.places.values())


def test_a_csv_file_is_ingested_with_its_columns_as_title_and_quoted_by_rows(tmp_path: Path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    rows_of = "".join(f'{i},"Street {i}, West",{i * 3}\n' for i in range(90))
    (corpus / "keys.csv").write_text("key,street,number\n" + rows_of)
    (corpus / "bare.tsv").write_text("1\t2\n3\t4\n")
    memory = Memory.open(tmp_path / "store", model=save_model(tmp_path / "model"), create=True)
    memory.ingest([corpus])
    assert {(s.source, s.kind) for s in memory.sources()} == {("keys.csv", "csv"), ("bare.tsv", "csv")}
    titles = {d.title for question in ("key street number", "bare") for d in memory.recall(question, 50).documents}
    assert titles == {"keys.csv > key, street, number", "bare.tsv"}
