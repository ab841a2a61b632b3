"""Questions nobody had to write: a sentence with a thing taken out of it, another passage of the same text that has it.

    python -m training.recurring_questions MODEL_FOLDER TEXT_FOLDER OUT.jsonl [--config training/configs/reader_tenth.json]

A name, number, identifier or phrase that recurs in a document is cut from one sentence, and pointed at in a passage that
tells of the same in other words (the idea of recurring spans: Ram et al. 2021, arXiv:2101.00438). A reader trained
before says which of them can be told at all: those where it holds the place likely, yet is not sure.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from benchmarks.sets import read_lines
from engine.model.encoder import MSAEncoder
from engine.model.inputs import EncoderInputs
from training.batches import answer_tokens
from training.step import padded
from training.stated_questions import SENTENCE
from training.train import load

Sample = dict[str, Any]

SPAN = re.compile(
    r"(?P<code>`[^`\n]{2,40}`|\b\w+(?:[_.]\w+)+\b(?:\(\))?|\b[a-z]+[A-Z]\w+\b)"
    r"|(?P<date>\b(?:\d{1,2} )?(?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{1,2},)? \d{4}\b|\b1[0-9]\d\d\b|\b20[0-2]\d\b)"
    r"|(?P<number>(?:[$£€]|\b)\d[\d,.]*(?:\d|\b)(?:%| (?:percent|million|billion|thousand)\b)?)(?P<unit> (?!and |or |the |of |to |in |is |are |was |were |for |with |from |that |this |which |at |on |as |but |than |then |per |more |other )[a-z]{3,12}\b)?"
    r"|(?P<name>\b[A-Z][\w'’-]+(?: (?:of|de|the|and|von|van|for) [A-Z][\w'’-]+| [A-Z][\w'’-]+)*)"
    r"|(?:(?<= a )|(?<= an )|(?<= the )|(?<= of )|(?<= by )|(?<= called )|(?<= as ))(?P<phrase>[a-z]{4,}(?: [a-z]{4,}){1,2})(?=[,.;:]| of | to | in | is | that | which | for | and )"
)
NO_NAME = re.compile(
    r"^(?:If|As|In|On|At|By|To|The|A|An|It|Its|He|She|We|You|Your|They|Their|This|These|That|Those|There|Here|What|When|Where|Which|Who|Why|How|For"
    r"|From|With|Though|Although|While|After|Before|Because|But|And|Or|Not|No|Yes|Also|However|All|Each|Every|Any|Some|Most|Many|Both|Such|See|Use|Mr|Mrs|Miss|Dr)\b"
)
WORD = re.compile(r"[A-Za-z]{4,}|\d+")
COMMON = frozenset(
    "that this with from have been were their which when they also into other more than some most many such only after before between about "
    "would could should there these those then them used using will each both over through while where being does your what very well first".split()
)
PRONOUN = re.compile(r"^(?:It|He|She|They|This|These)\b")
LONGEST_QUESTION = 34
PASSAGE = (250, 900)
MOST_PLACES = 5
LEAST_SHARED, MOST_ALIKE = 2, 0.6
LEAST_LIKELY, SURE, SURE_KEPT = 0.04, 0.8, 0.3
GROUP = 16


def words_of(text: str) -> set[str]:
    """What a text is about: its longer words, without their endings, as far as six letters tell."""
    return {w[:6].lower() for w in WORD.findall(text)} - COMMON


def passages_of(text: str) -> list[str]:
    """Paragraphs put together up to a passage's length."""
    passages, held = [], ""
    for line in text.split("\n"):
        if held and len(held) + len(line) > PASSAGE[1]:
            passages.append(held)
            held = ""
        held = f"{held}\n{line}" if held else line
    return [p for p in [*passages, held] if PASSAGE[0] <= len(p) <= 2 * PASSAGE[1]]


def recurring_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """At most four questions a record."""
    found = (sample for record in records for sample in islice(_of_record(record, rng), 4))
    return list(islice(found, wanted))


def _of_record(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    title, passages = record["title"], passages_of(record["text"][:60_000])
    if len(passages) < 2:
        return
    places: dict[str, set[int]] = defaultdict(set)
    for number, passage in enumerate(passages):
        for match in SPAN.finditer(passage):
            places[match.group().strip("`")].add(number)
    topics = [words_of(p) for p in passages]
    asked = [(n, m) for n, p in enumerate(passages) for m in SENTENCE.finditer(p) if 40 < len(m.group().strip()) < 220]
    rng.shuffle(asked)
    for number, sentence in asked[:120]:
        sample = _asked(title, passages, topics, places, number, sentence.group().strip(), rng)
        if sample is not None:
            yield sample


def _asked(
    title: str, passages: list[str], topics: list[set[str]], places: dict[str, set[int]], number: int, sentence: str, rng: random.Random
) -> Sample | None:
    spans = [m for m in SPAN.finditer(sentence) if _tells(m, title)]
    rng.shuffle(spans)
    for match in spans:
        answer = match.group().strip("`")
        others = places[answer] - {number}
        if not others or len(others) > MOST_PLACES:
            continue
        rest = words_of(sentence[: match.start()] + " " + sentence[match.end() :]) - words_of(answer)
        about = rest - words_of(title)
        fitting = [n for n in others if len(about & topics[n]) >= LEAST_SHARED and passages[n].count(answer) <= 2]
        if not fitting or len(sentence.split()) > LONGEST_QUESTION:
            continue
        held = max(fitting, key=lambda n: len(about & topics[n]))
        place = _place(passages[held], answer, rest)
        if place is None:
            continue
        lacking = [n for n, p in enumerate(passages) if answer not in p]
        lacking.sort(key=lambda n: -len(rest & topics[n]))
        negatives = [{"title": title, "text": passages[n]} for n in lacking[:2]]
        gold = {"title": title, "text": passages[held], "spans": [[place, place + len(answer)]]}
        return {"set": "recurring", "question": _question(sentence, match, title, rng), "kind": "span", "golds": [gold], "negatives": negatives}
    return None


def _tells(match: re.Match[str], title: str) -> bool:
    text = match.group()
    if text.lower() in title.lower():
        return False
    beside = match.string[max(0, match.start() - 1) : match.start()] + match.string[match.end() : match.end() + 1]
    if re.search(r"[-\w/\\§'’(:<]", beside):
        return False
    if match["name"]:
        return len(text) > 3 and (match.start() > 0 or " " in text) and not NO_NAME.match(text)
    if match["number"]:
        return match["unit"] is not None or (len(match["number"]) > 1 and match["number"][0] in "$£€")
    return True


def _place(passage: str, answer: str, rest: set[str]) -> int | None:
    """Where the passage says it, in the sentence that shares most with the question and is no copy of it."""
    best: tuple[int, int] | None = None
    for sentence in SENTENCE.finditer(passage):
        at = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", sentence.group())
        if at is None:
            continue
        shared = len(words_of(sentence.group()) & rest)
        if shared > MOST_ALIKE * len(rest):
            return None
        if best is None or shared > best[0]:
            best = shared, sentence.start() + at.start()
    return None if best is None else best[1]


def _question(sentence: str, match: re.Match[str], title: str, rng: random.Random) -> str:
    before, after = sentence[: match.start()], sentence[match.end() :].rstrip(".!? \n")
    asked = "what"
    if match["date"]:
        before, asked = (before[: -len(before.split()[-1]) - 1], "when") if re.search(r"\b(?:in|on|In|On) $", before) else (before, "which date")
    elif match["number"]:
        asked = f"how many{match['unit']}" if match["unit"] else "how much"
    elif match["name"]:
        asked = rng.choice(("what", "who or what", "which one"))
    question = f"{before}{asked}{after}"
    name = re.sub(r"\s*\(.*", "", title.split("/")[-1]).strip()
    if 2 < len(name) < 50 and name.lower() not in question.lower():
        if PRONOUN.match(question):
            question = PRONOUN.sub(name, question)
        elif rng.random() < 0.4:
            question = f"{name}: {question}"
    return question[0].upper() + question[1:] + "?"


@torch.no_grad()
def tellable(samples: list[Sample], model: MSAEncoder, inputs: EncoderInputs, rng: random.Random) -> Iterator[Sample]:
    """Samples whose place the model holds likely, and few of those it is sure of."""
    rows = [inputs.active(s["question"], [(g["title"], g["text"]) for g in s["golds"]]) for s in samples]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    for begin in range(0, len(order), GROUP):
        picked = order[begin : begin + GROUP]
        ids, mask, segments = padded([rows[i] for i in picked], model.norm.weight.device)
        reading = model.heads.read(model.active(model.encode_reading(ids, mask, segments), mask, [None]))
        for i, start, end in zip(picked, reading.start, reading.end, strict=True):
            span = answer_tokens(rows[i], samples[i]["golds"])
            if span is None:
                continue
            among = torch.tensor(list(rows[i].places))
            likely = (start[span[0]] - start[among].logsumexp(0) + end[span[1]] - end[among].logsumexp(0)).exp()
            if likely >= LEAST_LIKELY and (likely < SURE or rng.random() < SURE_KEPT):
                yield samples[i]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "reader_tenth.json")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    rng = random.Random(config["seed"])
    model, inputs = load(args.model)
    model.eval()
    with args.out.open("w", encoding="utf-8") as out:
        for file, wanted in config["recurring_questions"].items():
            made = recurring_samples(read_lines(args.text / f"{file}.jsonl.xz"), wanted, rng)
            kept = list(tellable(made, model, inputs, rng))
            out.writelines(json.dumps(s, ensure_ascii=False) + "\n" for s in kept)
            print(f"{file}: {len(made)}, of which told {len(kept)}", flush=True)


if __name__ == "__main__":
    main()
