"""The hop loop with a scripted model in the seat: what it wants, when it has enough, and what it reads are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from tiny import CONFIG

from engine import Memory
from engine.found import Found, asked_share, names_of, share_of_best
from engine.interleave import Interleaver
from engine.model.config import ModelConfig
from engine.model.interface import Answered, Candidates, Context, Evidence, Reading
from engine.model.states import DocumentStates
from engine.policy import Policy
from engine.recall import recall
from engine.several import answers_of, asks_for_several, one_by_one

TEXTS = {
    "a.txt": "The lighthouse was built by Ada.",
    "b.txt": "The bridge was built by Bo.",
    "c.txt": "Ada was born in Porto.",
    "d.txt": "Bo was born in Lund.",
    "e.txt": "Nothing is said here.",
}
POLICY = {
    "plain_hops": 9,
    "inject": 2,
    "later_inject": 2,
    "hypotheses": 2,
    "lexical_weight": 0.0,
    "enough": 0.5,
    "choice": {"head": 1.0, "routing": 0.0, "lexical": 0.0, "bias": 0.0},
    "answer": {"reading": 1.0, "choice": 0.0, "agree": 0.0, "hop": 0.0, "enough": 0.0, "bias": 0.0},
}


@dataclass
class Scripted:
    """`wants` gives names with scores for what was read so far (names, oldest first); the rest is not wanted.
    `enough` says after which readings to stop, `answers` what stands where and how surely."""

    wants: Callable[[tuple[str, ...]], dict[str, float]]
    enough: Callable[[tuple[str, ...]], float]
    answers: dict[str, tuple[str, float]]
    policy: dict = field(default_factory=lambda: POLICY)
    name: str = "scripted"
    fingerprint: str = "5" * 64
    config: ModelConfig = field(default_factory=lambda: ModelConfig.from_dict({**CONFIG, "vocab_size": 9}))
    device: torch.device = torch.device("cpu")
    max_text_tokens: int = 60
    contexts: list[tuple[str, ...]] = field(default_factory=list)
    routed: list[tuple[str, ...]] = field(default_factory=list)

    def count_tokens(self, texts):
        return [len(text.split()) for text in texts]

    def encode_documents(self, documents):
        shape = self.config.state_shape
        torch.manual_seed(1)
        return [
            DocumentStates(
                torch.randn(1, 1, shape.router_heads, shape.router_dim),
                torch.randn(1, 1, shape.kv_heads, shape.head_dim),
                torch.randn(1, 1, shape.kv_heads, shape.head_dim),
                5,
            )
            for _ in documents
        ]

    def route(self, contexts, memory):
        """Scores in the order of the memory; the store says which file a document is."""
        names = {row.id: row.name for row in memory.store.documents(memory.keys.document_ids.tolist())}
        rows = []
        for context in contexts:
            self.routed.append(read(context))
            wanted = self.wants(read(context))
            rows.append([wanted.get(names[d], -9.0) for d in memory.keys.document_ids.tolist()])
        self.names = names
        return torch.tensor(rows)

    def choose(self, contexts, candidates):
        return [
            [self.wants(read(c)).get(self.names[d], -9.0) for d in k.documents]
            for c, k in zip(contexts, candidates, strict=True)
        ]

    def answer(self, contexts, candidates):
        self.contexts += [read(c) for c in contexts]
        return [Answered(self._readings(context), self.enough(read(context))) for context in contexts]

    def _readings(self, context):
        readings = []
        for piece, evidence in enumerate(context.evidence):
            word, score = self.answers.get(evidence.title, ("", -5.0))
            start = evidence.text.find(word)
            kind = word if word in ("yes", "no") else "span"
            readings.append(Reading(kind, piece, max(start, 0), max(start, 0) + max(len(word), 1), score))
        return readings


def read(context: Context) -> tuple[str, ...]:
    return tuple(e.title for e in context.evidence)


@pytest.fixture
def ask(tmp_path: Path):
    """ask(model, max_hops=3) is (answer, model) over a memory of TEXTS."""
    folder = tmp_path / "files"
    folder.mkdir()
    opened = []

    def run(
        model: Scripted,
        max_hops: int = 3,
        files: tuple[str, ...] = tuple(TEXTS),
        question: str = "Where was its builder born?",
        texts: dict[str, str] = TEXTS,
        **options,
    ):
        for name, text in texts.items():
            (folder / name).write_text(text)
        memory = Memory.open(tmp_path / f"memory{len(opened)}", create=True)
        opened.append(memory)
        memory._model = model
        memory.ingest([folder / name for name in files])
        return memory.ask(question, max_hops=max_hops, **options)

    yield run
    for memory in opened:
        memory.close()


def chain(names: tuple[str, ...]) -> dict[str, float]:
    follow = {(): {"a.txt": 5.0, "b.txt": 4.0}, ("a.txt",): {"c.txt": 6.0}, ("b.txt",): {"d.txt": 5.0}}
    return follow.get(names, {})


def test_two_hops(ask):
    model = Scripted(chain, lambda names: float(names == ("a.txt", "c.txt")), {"c.txt": ("Porto", 2.0)})
    answer = ask(model)
    assert (answer.found, answer.answer) == (True, "Porto")
    assert [c.source for c in answer.citations] == ["c.txt", "a.txt"]
    assert [c.quote for c in answer.citations] == [TEXTS["c.txt"], TEXTS["a.txt"]]
    assert [hop.decision for hop in answer.hops] == ["go on: not enough yet", "stop: enough"]
    first, second = answer.hops
    assert {d.source for d in first.documents if d.chosen} == {"a.txt", "b.txt"}
    assert "c.txt" in {d.source for d in second.documents if d.chosen}
    assert "a.txt" in second.query


def test_later_rounds_may_weigh_otherwise(ask):
    against = {**POLICY, "later_inject": 1, "later_choice": {"head": -1.0, "routing": 0.0, "lexical": 0.0, "bias": 0.0}}
    chosen = []
    for policy in (POLICY, against):
        model = Scripted(chain, lambda names: 0.0, {}, policy={**policy, "hypotheses": 1})
        first, second = ask(model, max_hops=2).hops
        assert {d.source for d in first.documents if d.chosen} == {"a.txt", "b.txt"}
        chosen.append({d.source for d in second.documents if d.chosen})
    assert "c.txt" in chosen[0] and chosen[1] and "c.txt" not in chosen[1]


def test_enough_stops_at_once(ask):
    model = Scripted(chain, lambda names: 1.0, {"a.txt": ("Ada", 2.0)})
    answer = ask(model)
    assert answer.answer == "Ada" and len(answer.hops) == 1
    assert [c.source for c in answer.citations] == ["a.txt"]


@pytest.mark.parametrize("hops", [1, 2, 4])
def test_max_hops_ends_it(ask, hops):
    told = []
    model = Scripted(lambda names: dict.fromkeys(TEXTS, 1.0), lambda names: 0.0, {})
    answer = ask(model, max_hops=hops, on_hop=told.append)
    assert not answer.found and answer.answer is None and answer.citations == []
    assert len(answer.hops) == hops and answer.hops[-1].decision == "stop: hops used up"
    assert told == answer.hops
    assert answer.nearest and answer.confidence < 0.5


def test_no_document_is_taken_twice(ask):
    model = Scripted(lambda names: dict.fromkeys(TEXTS, 1.0), lambda names: 0.0, {})
    ask(model, max_hops=5)
    assert all(len(set(names)) == len(names) for names in model.contexts)
    together = [frozenset(names) for names in model.contexts]
    assert len(set(together)) == len(together), "the same documents in another order were read again"


def test_all_read_is_the_end(ask):
    model = Scripted(lambda names: dict.fromkeys(TEXTS, 1.0), lambda names: 0.0, {})
    answer = ask(model, max_hops=9, files=("a.txt",))
    assert [hop.decision for hop in answer.hops] == ["go on: not enough yet", "stop: nothing more to look at"]
    assert model.contexts == [("a.txt",)]


def test_a_second_hypothesis_survives_a_wrong_first_hop(ask):
    script = (chain, lambda names: float(names == ("b.txt", "d.txt")), {"d.txt": ("Lund", 2.0)})
    answer = ask(Scripted(*script), max_hops=2)
    assert (answer.answer, [c.source for c in answer.citations]) == ("Lund", ["d.txt", "b.txt"])
    alone = ask(Scripted(*script, policy={**POLICY, "hypotheses": 1}), max_hops=2)
    assert not alone.found


def test_the_surest_reading_wins_over_all_rounds(ask):
    model = Scripted(chain, lambda names: 0.0, {"a.txt": ("Ada", 1.0), "c.txt": ("Porto", 3.0), "d.txt": ("Lund", 2.0)})
    answer = ask(model, max_hops=2)
    assert answer.answer == "Porto" and answer.confidence == pytest.approx(0.9526, abs=1e-4)


def test_several_things_asked_for_are_all_given(ask):
    readings = {"a.txt": ("Ada", 3.0), "b.txt": ("Bo", 2.0), "d.txt": ("Lund", -3.0)}
    model = Scripted(chain, lambda names: 1.0, readings)
    several = ask(model, question="What are the names of all builders?")
    assert several.answers == ["Ada", "Bo"] and several.answer == "Ada; Bo"
    assert [c.source for c in several.citations] == ["a.txt", "b.txt"]
    assert ask(model).answers == ["Ada"]


def compare(ask, **answers):
    """Who was born first, asked of two files that say when; `answers` are what is read in each."""
    model = Scripted(lambda names: {"a.txt": 5.0, "b.txt": 4.0}, lambda names: 1.0, answers, policy={**POLICY, "stop": 0.4})
    born = {"a.txt": "Ada Bell was born in 1950.", "b.txt": "Bo Carr was born in May 1902."}
    return ask(model, files=tuple(born), texts=born, question="Who was born first, Ada Bell or Bo Carr?")


def test_two_things_are_compared_by_what_is_found_of_each(ask):
    answer = compare(ask, **{"a.txt": ("1950", 3.0), "b.txt": ("May 1902", 2.0)})
    assert (answer.answer, answer.found, answer.answers) == ("Bo Carr", True, ["Bo Carr"])
    assert [c.quote for c in answer.citations] == ["Ada Bell was born in 1950.", "Bo Carr was born in May 1902."]
    assert [hop.query for hop in answer.hops] == ["When was Ada Bell born?", "When was Bo Carr born?"]


def test_what_a_question_leads_over_is_asked_for_first(ask):
    texts = {"a.txt": "Red Mill was directed by Ada Bell.", "b.txt": "Ada Bell was born in Farsund.", "c.txt": "Farsund lies in Agder."}
    readings = {"a.txt": ("Ada Bell", 3.0), "b.txt": ("Farsund", 4.0), "c.txt": ("Agder", 5.0)}
    order = iter(({"a.txt": 5.0}, {"b.txt": 5.0}, {"c.txt": 5.0}))
    model = Scripted(lambda names: wanted[0], lambda names: 1.0, readings, policy={**POLICY, "inject": 1})
    wanted = [{}]

    def route(contexts, memory, plain=model.route):
        wanted[0] = next(order, wanted[0])
        return plain(contexts, memory)

    model.route = route
    question = "In which county is the birthplace of the director of Red Mill?"
    answer = ask(model, files=tuple(texts), texts=texts, question=question)
    assert (answer.question, answer.answer) == (question, "Agder")
    assert [c.source for c in answer.citations] == ["c.txt", "b.txt", "a.txt"]
    asked = ["Who is the director of Red Mill?", "What is the birthplace of Ada Bell?", "In which county is Farsund?"]
    assert [hop.query for hop in answer.hops] == asked


def test_what_does_not_tell_is_asked_as_it_was(ask):
    answer = compare(ask, **{"a.txt": ("1950", 3.0), "b.txt": ("Carr", 2.0)})
    assert answer.answer == "1950" and answer.hops[-1].query == "Who was born first, Ada Bell or Bo Carr?"


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("What are the secret numbers of red mill and old bridge?", True),
        ("List the ports it listens on.", True),
        ("Which spare parts do we keep?", True),
        ("Name three risks", True),
        ("What is the name of the port?", False),
        ("Which exception does it raise?", False),
        ("How many days of leave are carried over?", False),
        ("What is the last day on which customers can order?", False),
        ("Give me all ports", True),
        ("Which storm struck all the islands?", False),
        ("Who sold it in both towns?", False),
    ],
)
def test_the_wording_says_whether_several_are_asked_for(question, several):
    assert asks_for_several(question) == several


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("What are all the ports of A, B, and C?", ["A", "B", "C"]),
        ("What are the secret numbers of red mill and old bridge?", ["red mill", "old bridge"]),
        ("What are the themes of Romeo and Juliet?", []),
        ("List all ports.", []),
        ("What is the port of A, B and C?", []),
        ("What are the names of the man who came late to see the old mill, Ada and Bo?", []),
    ],
)
def test_several_named_things_are_asked_for_one_by_one(question, parts):
    asked = one_by_one(question)
    assert [q.rpartition(" of ")[2].rstrip("?") for q in asked] == parts
    assert all(q.endswith("?") and q.startswith(question[:9]) for q in asked)


def test_parts_of_a_question_are_answered_together(ask):
    builders = {"the old lighthouse": "a.txt", "the new bridge": "b.txt", "the red barn": "e.txt"}

    class Each(Scripted):
        def answer(self, contexts, candidates):
            out = super().answer(contexts, candidates)
            for context, answered in zip(contexts, out, strict=True):
                wanted = next(name for thing, name in builders.items() if thing in context.question)
                answered.readings = [r for r in answered.readings if self.names[context.evidence[-1].document] == wanted]
            return out

    model = Each(chain, lambda names: 1.0, {"a.txt": ("Ada", 3.0), "b.txt": ("Bo", 2.0)})
    answer = ask(model, question="Who are the builders of the old lighthouse, the new bridge and the red barn?")
    assert answer.answers == ["Ada", "Bo"] and answer.answer == "Ada; Bo" and answer.found
    assert [c.source for c in answer.citations] == ["a.txt", "b.txt"]
    assert answer.confidence == pytest.approx(0.8808, abs=1e-4) and len(answer.hops) >= 3
    nobody = ask(Each(chain, lambda names: 1.0, {}), question="Who are the builders of the old lighthouse, the new bridge and the red barn?")
    assert not nobody.found and nobody.answer is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Why was the lighthouse built?", TEXTS["a.txt"]),
        ("How do I build a lighthouse?", TEXTS["a.txt"]),
        ("How was it built?", "Ada"),
        ("How many were built by whom?", "Ada"),
        ("Who built it and why?", "Ada"),
    ],
)
def test_how_and_why_are_answered_by_the_sentence_that_says_it(ask, question, answer):
    model = Scripted(chain, lambda names: 1.0, {"a.txt": ("Ada", 3.0)})
    given = ask(model, question=question)
    assert given.answer == answer and given.citations[0].quote == TEXTS["a.txt"]


def test_words_enough_to_say_why_stay_alone(ask):
    clause = "lighthouse was built by Ada"
    given = ask(Scripted(chain, lambda names: 1.0, {"a.txt": (clause, 3.0)}), question="Why is it there?")
    assert given.answer == clause and given.citations[0].quote == TEXTS["a.txt"]


def test_the_words_asked_for_can_decide():
    line = "The secret number of 7f3a-99 is 12."
    assert asked_share("What is the secret number of 7f3a-99?", line) > asked_share("What is the secret number of 81cc-99?", line)
    assert asked_share("Who?", "Nobody.") == 0.0 and asked_share("Old mills", "old MILLS") == 1.0


def test_what_holds_the_question_in_its_own_words_is_read_beside_what_is_wanted_most(ask):
    wants = lambda names: {"a.txt": 5.0, "b.txt": 4.0}  # noqa: E731
    model = Scripted(wants, lambda names: 1.0, {"a.txt": ("Ada", 1.0), "e.txt": ("Nothing", 3.0)}, policy={**POLICY, "candidate_weight": 0.01})
    answer = ask(model, question="Is nothing said here?", max_hops=1)
    assert sorted(model.contexts) == [("a.txt",), ("e.txt",)] and answer.answer == "Nothing"


def test_yes_rests_on_its_passage(ask):
    model = Scripted(chain, lambda names: 1.0, {"a.txt": ("yes", 2.0)})
    answer = ask(model)
    assert answer.answer == "yes" and answer.citations[0].quote == TEXTS["a.txt"]


def test_top_k_bounds_what_is_looked_at(ask):
    model = Scripted(chain, lambda names: 1.0, {"a.txt": ("Ada", 2.0)})
    assert [d.source for d in ask(model, top_k=2).hops[0].documents] == ["a.txt", "b.txt"]


def test_recall_follows_the_best_document(tmp_path, ask):
    model = Scripted(chain, lambda names: 0.0, {})
    ask(model, max_hops=1)
    with Memory.open(tmp_path / "memory0") as memory:
        memory._model = model
        model.routed.clear()
        one = [d.source for d in memory.recall("who", 3).documents]
        two = [d.source for d in memory.recall("who", 3, max_hops=2).documents]
    # What the second round reveals comes right after the first round's best.
    assert one[:2] == ["a.txt", "b.txt"] and two == ["a.txt", "c.txt", "b.txt"]
    assert model.routed == [(), (), ("a.txt",)]


@pytest.mark.parametrize(
    ("scores", "given"),
    [
        ([6.0, 5.0, 4.8, 4.5, 2.0], 4),  # what lies behind a gap is not meant
        ([6.0, 5.3, 5.2, 3.7, 1.0], 3),
        ([6.0, 5.0, 4.0, 3.0, 2.0], 3),  # nor is what only a row of small steps leads to
        ([6.0, 1.0], 1),
    ],
)
def test_several_answers_end_at_a_gap(scores, given):
    text = "alpha bravo charlie delta echo"
    starts = [0, 6, 12, 20, 26]
    context = Context("q", (Evidence(1, "t", text),))
    found = [
        Found(context, Reading("span", 0, a, a + 4, 0.0), score=score) for a, score in zip(starts, scores, strict=False)
    ]
    assert len(answers_of("What are all the words?", found)) == given
    assert len(answers_of("What is the word?", found)) == 1


def test_what_is_said_in_the_same_words_is_meant_beyond_the_gap():
    pieces = tuple(Evidence(i, "t", f"The port of the mill is {place}.") for i, place in enumerate(("Lothra", "Bergen", "Sund")))
    context = Context("q", (*pieces, Evidence(9, "t", "The port of the quarry is Tarsin.")))
    of = lambda piece, score: Found(context, Reading("span", piece, *span(context, piece), 0.0), score=score)
    span = lambda context, piece: ((t := context.evidence[piece].text).rindex(" ") + 1, len(t) - 1)
    found = [of(0, 9.0), of(1, 5.0), of(3, 4.0), of(2, 2.0)]
    assert [f.text for f in answers_of("What are all the ports of the mill?", found)] == ["Lothra", "Bergen", "Sund"]


def test_exact_words_may_weigh_more_where_the_model_still_chooses():
    model = Scripted(lambda names: dict.fromkeys(TEXTS, 1.0), lambda names: 1.0, {"a.txt": ("Ada", 2.0)})
    policies = [Policy(lexical_weight=0.2), Policy(lexical_weight=0.2, candidate_weight=0.7)]
    weights = []

    class Seen(Interleaver):
        def _route(self, contexts, k, exclude, lexical_weight):
            weights.append(lexical_weight)
            return [[] for _ in contexts]

        def _candidates(self, routed):
            return Candidates([], [], [])

    for policy in policies:
        loop = Seen(model, None, None, policy)
        loop.ask("q", 1)
        recall(loop, "q", 3, 1)
    assert weights == [0.2, 0.2, 0.7, 0.2]


def test_several_things_are_looked_for_in_more_documents(ask):
    for question, read in (("Where was its builder born?", 2), ("What are all the places?", 4)):
        model = Scripted(lambda names: dict.fromkeys(TEXTS, 1.0), lambda names: 1.0, {"a.txt": ("Ada", 2.0)})
        assert len([d for d in ask(model, question=question, max_hops=1).hops[0].documents if d.chosen]) == read


def test_a_document_in_the_midst_of_a_table_knows_its_columns(tmp_path):
    rows = "".join(f"| SK-{i} | fern ring | {i} months |\n" for i in range(60))
    (tmp_path / "parts.md").write_text(f"# Parts\n\n| Part | Name | Replace |\n|---|---|---|\n{rows}\nThe end | of it.\n")
    model = Scripted(chain, lambda names: 0.0, {})
    with Memory.open(tmp_path / "memory", create=True) as memory:
        memory._model = model
        memory.ingest([tmp_path / "parts.md"])
        asker = memory._asking()
        loop = asker._loop(None)
        pieces = [loop.evidence(d) for d in asker.store.all_document_ids()]
    assert len(pieces) > 3 and pieces[0].columns == ()
    assert {p.columns for p in pieces[1:-1]} == {("Part", "Name", "Replace")}


def test_a_cell_says_what_its_column_is_called():
    table = "| Place | Room |\n|---|---|\n| Norway | 165 |\n\nIt costs 12 to call."
    context = Context("q", (Evidence(1, "t", table), Evidence(2, "t", "Sund | 140", columns=("Place", "Room"))))
    found = [Found(context, Reading("span", piece, at, at + 3, 0.0)) for piece, at in ((0, table.index("165")), (0, table.index("12 to")), (1, 7))]
    assert found[0].said.startswith("Room: ") and "Norway" in found[0].said
    assert found[1].said == "It costs 12 to call." and found[2].said == "Room: Sund | 140"


def test_readings_that_say_the_same_share_their_weight():
    text = "It opens at noon. The noon gun is fired because the harbour master ordered it."
    readings = [(text.index("noon"), 4), (text.index("The noon"), 8), (text.index("harbour"), 7), (text.index("fired"), 5)]
    found = lambda question: [Found(Context(question, (Evidence(1, "t", text),)), Reading("span", 0, a, a + n, 0.0)) for a, n in readings]
    noon, the_noon, harbour, fired = (f.same for f in found("What opens it?"))
    assert noon == the_noon and len({noon, harbour, fired}) == 3
    why = found("Why is the gun fired?")
    assert why[1].same == why[2].same == why[3].same != why[0].same
    assert share_of_best(why[1:]) == 1.0


def test_code_that_says_what_is_asked_is_read_though_others_are_wanted_more(ask):
    texts = {
        "a.txt": "A wick is trimmed.",
        "b.txt": "Oil is stored.",
        "c.txt": "A lamp is lit.",
        "lamp.py": "WICK_TRIM_LIMIT = 40\n",
        "news.md": "# News\n\n## 2.31.0\n\nLamps are lit.\n",
    }
    wanted = {"a.txt": 5.0, "b.txt": 4.0, "c.txt": 3.0, "lamp.py": 0.0}
    model = Scripted(lambda names: wanted, lambda names: 1.0, {})
    answer = ask(model, 1, tuple(texts), "What is the trim limit of a wick?", texts)
    assert {d.source for d in answer.hops[0].documents if d.chosen} == {"lamp.py", "a.txt"}
    other = ask(model, 1, tuple(texts), "Who is the keeper?", texts)
    assert {d.source for d in other.hops[0].documents if d.chosen} == {"a.txt", "b.txt"}


def test_a_version_is_cited_with_what_came_in_it(ask):
    texts = {"news.md": "## 2.31.0 (May)\n\nWicks are trimmed twice.\n"}
    model = Scripted(lambda names: {"news.md": 1.0}, lambda names: 1.0, {"news.md > 2.31.0 (May)": ("trimmed", 3.0)})
    answer = ask(model, 1, tuple(texts), "In which version are wicks trimmed twice?", texts)
    assert answer.answer == "2.31.0"
    assert [c.quote for c in answer.citations] == ["## 2.31.0 (May)", "Wicks are trimmed twice."]


def test_names_are_words_for_one_thing():
    assert names_of("What did Ada pay for Lamp 3, may I ask? Whose is max_wicks?") == {"ada", "lamp", "3", "max_wicks"}
    assert names_of("Who built the lighthouse?") == set()


def test_names_are_told_with_an_answer_in_its_sentence_its_title_or_what_was_read_before():
    def named(question: str, kind: str = "span") -> float:
        evidence = (Evidence(1, "Trim", "Bo lit it. Cy has 12 lamps."), Evidence(2, "Lund", "Ada sold it. It cost 40."))
        return Found(Context(question, evidence), Reading(kind, 1, 21, 23, 1.0)).named

    assert named("What did Lund ask of Bo?") == 1.0
    assert named("What did Ada ask of Bo?") == 0.5
    assert named("What was asked?") == 0.0 and named("Was it Lund?", "yes") == 0.0
