"""Questions over tables put together again from rows: the answer is the cell, whatever form the table takes."""

import random

from training.table_questions import paragraphs, table_samples

TITLE = "Ferries - Timetable"
ROWS = [
    {"title": TITLE, "text": f"Rank: {n}; Ferry: {ferry}; Harbour: {harbour}; Length (m): {length} m"}
    for n, (ferry, harbour, length) in enumerate((("Tove", "Lund", 40), ("Ada", "Porto", 31), ("Bo", "Bergen", 22), ("Mina", "Sund", 57)), 1)
]
OTHER = [{"title": "Ferns - Kinds", "text": f"Fern: {fern}; Shade: {shade}"} for fern, shade in (("Lady", "full"), ("Royal", "half"), ("Oak", "none"))]
PROSE = ["The ferries of the sound are numbered from the north. Nobody knows why."]


def made(wanted: int = 400) -> list[dict]:
    prose = paragraphs([{"text": f"{PROSE[0]} A third sentence."}, {"text": "Short."}])
    assert prose == PROSE
    return table_samples([*ROWS, *OTHER, {"title": "x", "text": "No table; at all"}], prose, wanted, random.Random(3))


def test_the_answer_is_the_cell_of_the_row_and_column_asked_for():
    table = {row["text"].split("; ")[1].split(": ")[1]: dict(c.split(": ", 1) for c in row["text"].split("; ")) for row in ROWS}
    seen = 0
    for sample in made():
        if sample["kind"] != "span" or sample["golds"][0]["title"] != TITLE:
            continue
        [gold] = sample["golds"]
        [(a, b)] = gold["spans"]
        answer = gold["text"][a:b]
        named = [ferry for ferry in table if ferry in sample["question"]]
        if len(named) == 1 and "length" in sample["question"] and answer.endswith(" m"):
            seen += 1
            assert answer == table[named[0]]["Length (m)"]
    assert seen > 10


def test_tables_come_in_several_forms_some_among_prose():
    texts = [(s["golds"] or s["negatives"])[0]["text"] for s in made()]
    assert any("|---|" in t for t in texts) and any("\n\n" in t and "---" not in t for t in texts)
    assert any(t.startswith(PROSE[0]) for t in texts) and any(t.endswith(PROSE[0]) for t in texts)


def test_what_the_table_does_not_have_is_not_answerable():
    null = [s for s in made() if s["kind"] == "null"]
    assert null and all(s["golds"] == [] and len(s["negatives"]) == 1 for s in null)


def test_numbers_of_rows_are_given_but_name_nothing():
    questions = [s["question"] for s in made() if s["kind"] == "span"]
    assert not any(q.endswith(("of 1?", "of 2?", "of 3?")) for q in questions)


def test_no_more_than_wanted_and_the_same_for_a_seed():
    assert len(made(7)) == 7 and made(7) == made(7)
