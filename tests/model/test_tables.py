"""Tables in plain text: their cells, and what the columns are called."""

from engine.model.tables import column_names, first_row, header_before, table_cells, tables

MARKDOWN = """Rates for a night:

| Where  | Room | Meals, per day |
|:-------|-----:|---|
| London | £175 | £45            |
| Norway |      | £62            |

The sums are limits."""
STROKES = "Part | Name | Replace\n\nSK-1 | Hatch ring | at each opening\n\nSK-2 | Swivel | 30 months\n\nThe intervals are short."


def cells(text: str) -> list[list[list[str]]]:
    return [[[text[a:b] for a, b in row] for row in table.rows] for table in tables(text)]


def named(text: str) -> list[tuple[str, str]]:
    """(name, first word of the cell it stands before)."""
    return [(name, text[at:].split()[0]) for at, name in column_names(text)]


def test_markdown_with_a_marked_header():
    [rows] = cells(MARKDOWN)
    assert rows == [["Where", "Room", "Meals, per day"], ["London", "£175", "£45"], ["Norway", "", "£62"]]
    expected = [("Where", "London"), ("Room", "£175"), ("Meals, per day", "£45"), ("Where", "Norway"), ("Meals, per day", "£62")]
    assert named(MARKDOWN) == expected


def test_rows_between_blank_lines_with_a_header_that_looks_like_one():
    [rows] = cells(STROKES)
    assert rows[2] == ["SK-2", "Swivel", "30 months"]
    assert named(STROKES)[-1] == ("Replace", "30") and len(named(STROKES)) == 6


def test_what_is_no_header_names_nothing():
    pairs = "Mass | 238 kg\nColour | yellow"
    numbers = "1 | 2 | 3\n4 | 5 | 6"
    assert cells(pairs) == [[["Mass", "238 kg"], ["Colour", "yellow"]]] and column_names(pairs) == []
    assert len(cells(numbers)) == 1 and column_names(numbers) == []


def test_prose_and_single_rows_are_no_tables():
    for text in ("a | b", "one\ntwo | three\nfour", "x: int | None", "|", "", "||||\n", "--- | ---"):
        assert list(tables(text)) == [] and table_cells(text) == []


def test_rows_of_another_width_begin_another_table():
    assert cells("a | b\nc | d\ne | f | g\nh | i | j") == [[["a", "b"], ["c", "d"]], [["e", "f", "g"], ["h", "i", "j"]]]


def test_a_stroke_in_a_cell_may_be_escaped():
    text = r"| a \| b | c |" + "\n| d | e |"
    assert cells(text) == [[[r"a \| b", "c"], ["d", "e"]]]
    assert [text[a] for a, _ in table_cells(text)] == ["a", "c", "d", "e"]


def test_a_table_may_have_begun_before():
    start, rest = MARKDOWN[: MARKDOWN.index("| Norway")], MARKDOWN[MARKDOWN.index("| Norway") :]
    assert len(first_row(rest)) == 3 and first_row("prose\n| a | b |") == [] and first_row("") == []
    assert header_before(start, 3) == ["Where", "Room", "Meals, per day"]
    assert header_before(start, 2) == [] and header_before("Prose only.", 3) == [] and header_before("", 3) == []
    assert header_before(f"{start}\nProse between.\n", 3) == []
    strokes = STROKES.index("SK-2")
    assert header_before(STROKES[:strokes], 3) == ["Part", "Name", "Replace"]
    names = [(name, rest[at:].split()[0]) for at, name in column_names(rest, header_before(start, 3))]
    assert names == [("Where", "Norway"), ("Meals, per day", "£62")]
    # Of a text that begins otherwise, or in another table, nothing is said.
    assert column_names("The sums.\n" + rest, ["Where", "Room", "Meals"]) == [] and column_names(rest, ["a", "b"]) == []


def test_long_rules_are_read_at_once():
    rule = "|" + "-" * 200_000
    assert column_names(f"| a | b | c |\n{rule}x\n| d | e | f |") == [] and header_before(f"| a | b |\n{rule}|\n", 2) == ["a", "b"]


HANGING = "Rates\n\n\nWhere\n| Room\n| Meals\n\n\nNorway\n| | £62\n\nLondon\n\n| £175\n| £45\nThe sums are limits."


def test_cells_on_lines_of_their_own():
    [rows] = cells(HANGING)
    assert rows == [["Where", "Room", "Meals"], ["Norway", "", "£62"], ["London", "£175", "£45"]]
    assert named(HANGING) == [("Where", "Norway"), ("Meals", "£62"), ("Where", "London"), ("Room", "£175"), ("Meals", "£45")]
    rest = HANGING[HANGING.index("London") :]
    assert len(first_row(rest)) == 3 and header_before(HANGING[: HANGING.index("London")], 3) == ["Where", "Room", "Meals"]


def test_markdown_rows_do_not_hang_on_prose():
    for text in ("Prices:\n| a | b |\n| c | d |", "Prices:\n| a | b\n| c | d"):
        assert cells(text) == [[["a", "b"], ["c", "d"]]]
