from __future__ import annotations

import pytest
import torch

from engine.model.inputs import LEAST_TEXT, pad, spoken_title
from engine.model.tokenizer import TokenCounter

LONG = "the fern needs water and shade. " * 60


def test_a_title_is_spoken():
    assert spoken_title("docs/api_v2.md > Set-up") == "docs api v2 md Set up"
    assert spoken_title("src/fooBar.py > class FooBar") == "src foo Bar py class Foo Bar"


def test_a_document_is_its_title_and_its_text(inputs):
    [row] = inputs.documents([("notes.txt", "The key hangs.")])
    tokens = [inputs.tokenizer.id_to_token(i) for i in row]
    assert tokens[0] == "[CLS]" and tokens[-1] == "[SEP]" and tokens.count(":") == 1
    assert tokens[tokens.index(":") + 1 : -1] == ["the", "key", "hangs", "."]
    [bare] = inputs.documents([("", "The key hangs.")])
    assert len(bare) == 6


def test_documents_keep_to_their_length(inputs):
    long_title = "the handbook " * 20
    rows = inputs.documents([(long_title, LONG), ("a", LONG), ("", "fern")])
    assert [len(row) for row in rows] == [128, 128, 3]
    fits = "fern " * inputs.max_text_tokens
    assert TokenCounter(inputs.tokenizer)([fits]) == [inputs.max_text_tokens]
    [row] = inputs.documents([(long_title, fits)])
    assert row.count(inputs.tokenizer.token_to_id("fern")) == inputs.max_text_tokens
    # The end of a long title names the section: it is what stays.
    [row] = inputs.documents([("handbook " * 30 + "tides", "fern")])
    assert inputs.tokenizer.id_to_token(row[row.index(inputs.colon) - 1]) == "tides"


def test_places_map_tokens_to_characters(inputs):
    evidence = [("a.txt", "Mina  Okafor,\r\nLisbon!"), ("b.txt", "\ufeffÉclair zürich — désk\t14")]
    row = inputs.active("Where does she work?", evidence)
    covered: list[set[int]] = [set(), set()]
    for position, (piece, start, end) in row.places.items():
        token = inputs.tokenizer.id_to_token(row.ids[position]).removeprefix("##")
        written = evidence[piece][1][start:end]
        assert token in ("[UNK]", written.lower()) or token in plain(written)
        covered[piece] |= set(range(start, end))
    for (_, text), characters in zip(evidence, covered, strict=True):
        assert characters == {i for i, c in enumerate(text) if not c.isspace() and c != "\ufeff"}
    assert all(row.segments[p] == 1 for p in row.places)
    assert all(p >= row.question_length for p in row.places)


def plain(text: str) -> str:
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


def test_the_question_routes(inputs):
    row = inputs.active("who", [("a", "fern shade"), ("b", "water")])
    assert [i for i, routes in enumerate(row.routing) if routes] == [*range(3)]
    last = [*inputs.title_ids("b"), inputs.tokenizer.token_to_id("water"), inputs.sep]
    assert row.ids[-len(last) :] == last
    assert row.segments == [0] * 3 + [1] * (len(row.ids) - 3)
    alone = inputs.active("who", [])
    assert alone.routing == [True] * 3 and alone.places == {}


def pieces(row) -> list[int]:
    """Tokens of text of each piece of evidence that is left."""
    held = [place[0] for place in row.places.values()]
    return [held.count(i) for i in range(max(held) + 1)]


def test_evidence_that_does_not_fit_is_cut_to_equal_shares(inputs):
    three = inputs.active("who", [("a", LONG), ("b", LONG), ("c", LONG)])
    assert pieces(three) == [128, 128, 128]
    five = pieces(inputs.active("who", [(name, LONG) for name in "abcde"]))
    assert max(five) - min(five) <= 1 and sum(five) == 512 - 3 - 5 * 3
    short_first = pieces(inputs.active("who", [("a", "fern"), *((name, LONG) for name in "bcde")]))
    assert short_first[0] == 1 and min(short_first[1:]) > max(five)
    # The newest takes what the older ones leave.
    assert pieces(inputs.active("who", [("a", LONG), ("b", "fern"), ("c", LONG)])) == [128, 1, 128]


@pytest.mark.parametrize("count", [0, 1, 4, 7, 20, 60])
@pytest.mark.parametrize("title", ["", "t", "the handbook of leave and travel " * 5])
def test_the_length_is_never_exceeded(inputs, count, title):
    row = inputs.active(LONG, [(title, LONG)] * count)
    limit = inputs.config.max_position_embeddings
    assert len(row.ids) == len(row.segments) <= limit
    assert row.question_length == inputs.config.max_question_tokens + 2
    if count:
        assert len(row.ids) > limit - 4 if count > 4 else row.places
        # The newest is always there, whatever had to go.
        assert max(place[0] for place in row.places.values()) == count - 1
        assert min(n for n in pieces(row) if n) >= LEAST_TEXT


def test_padding():
    ids, mask = pad([[5, 6, 7], [8]])
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert torch.equal(mask, torch.tensor([[True, True, True], [True, False, False]]))


TABLE = "| Place | Key | Shade |\n|-------|-----|-------|\n| Lisbon | 14 | water |\n| Porto | 8 | fern |"


def test_a_cell_is_read_with_the_name_of_its_column(inputs):
    row = inputs.active("what key", [("", TABLE)])
    cells = {TABLE[a:b]: position for position, (_, a, b) in row.places.items()}
    for cell, name in (("14", "key"), ("water", "shade"), ("fern", "shade")):
        before = [inputs.tokenizer.id_to_token(i).removeprefix("##") for i in row.ids[: cells[cell]]]
        assert before[-1] == ":" and "".join(before).endswith(f"{name}:")
    # A name is no place an answer could have, and every cell is one.
    names = [p for p in range(row.question_length, len(row.ids) - 1) if p not in row.places]
    assert len(names) >= 12 and {"Lisbon"[0], "8"} <= {c[0] for c in cells}


def test_a_line_of_dashes_takes_two_tokens(inputs):
    length = lambda text: len(inputs.active("what", [("", text)]).ids)
    assert length("fern " + "-" * 60 + " fern") == length("fern -- fern")
    assert length("the the the the") == length("the") + 3
