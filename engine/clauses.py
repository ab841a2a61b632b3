"""Questions that tell a thing by a clause instead of its name -> the question about that thing, and what is left to ask of it.

"Which post does the colleague hold who offered to organise the open day?" asks first who offered that; "Ann ordered forty of a
part; how often is that part replaced?" which part. Tried where the question as it stands has no sure answer.
"""

from __future__ import annotations

import re

from engine.comparing import LONGEST_QUESTION
from engine.nested import PEOPLE, Step

SHORTEST_CLAUSE = 2
"""Words."""

_PERSON = re.compile(
    rf"\b(?:{PEOPLE}|person|man|woman|people|colleague|employee|engineer|official|actor|actress|scientist|politician|officer|customer|doctor"
    r"|teacher|musician|host)s?$"
)
_SMALL = r"(?:be|is|are|was|were|been|of|in|on|at|to|by|for|from|with|and|or|not|have|has|had|same|first|last|most|least|way|time|reason|fact|idea|claim|belief|theory|view|only|one)"
_WORD = rf"(?!{_SMALL}\b)[a-z][\w-]*"
_PREPOSITION = r"(?: (?:to|for|at|on|in|by|from|with|of|as))?"
# Verbs that more may follow than a preposition.
_VERB = r"(?:become|begin|start|end|join|win|leave|get|have|gain|lose|open|close|cost|receive|play|die|live|attend|study|work|serve|move|marry"
_VERB += r"|take|make|come|go|belong|happen|occur|use|weigh|sell|rise|fall|pay|hold|own|run|represent|raise|return|call|carry|allow|need|want)"
_PARTICIPLE = r"(?:[a-z]+(?:ed|wn|ilt|ent|ung|ten|old)|born|made|held|found|set|led|kept|won|paid|put|from|like)"
_THING = rf"\b(?:the|a|an|some) (?P<what>(?:{_WORD} ){{0,2}}?{_WORD})"
_DONE = r"[a-z]+(?:ed|wn|ught|ilt|ade|ung|iven|aken|ritten)(?= (?:by|in|at|on|from|during|near|under|between) )|(?:called|named|titled|entitled)"
_DOING = r"(?!(?:king|thing|during|being|going|meeting|morning|evening|building|following|including|according)\b)[a-z]{2,}ing(?= [A-Z0-9\"'])"
_HOW = rf"(?P<how>who|that|which|where|whose|(?:in|at|on|for) which|{_DONE}|{_DOING})"
_CLAUSE = re.compile(rf"{_THING},? {_HOW} (?P<clause>[^?;]{{8,}})\?$")
# The thing's own verb stands before its clause, or after it.
_VERB_FIRST = re.compile(rf"{_THING} (?P<verb>{_WORD}) (?P<how>who|that|which) (?P<clause>[^?;]{{8,}})\?$")
_VERB_LAST = re.compile(rf"^(?P<clause>.{{8,}}?) (?P<verb>{_VERB} .+|(?:be |have been )?[a-z]+{_PREPOSITION})$")
_PARTICIPLE_LAST = re.compile(rf"^(?P<clause>.{{8,}}) (?P<verb>{_PARTICIPLE}{_PREPOSITION})$")
_ASKS = re.compile(r"\b(?:which|what|who|whose|whom|when|where|how)\b", re.IGNORECASE)
_AUX = r"(?:does|did|do|must|can|should|may|might|will|would|could|shall)"
_AUXILIARY = re.compile(rf"\b{_AUX}$")
_ASKS_AGAIN = re.compile(rf"^{_AUX}\b")
_IS = re.compile(r"\b(?:is|are|was|were)$")
_NO_OBJECT = re.compile(r"\b(?:when|after|before|because|that|if|while|than|as|(?:which|one|any|some|all|most|many) of)$", re.IGNORECASE)
_SAID = re.compile(r"\b(?:told|tell|reminded|informed|showed|taught|convinced|assured|warned|suggested to|said to)$")
_PRONOUNS = frozenset(("who", "that", "which", "where", "whose", "in which", "at which", "on which", "for which"))
_ITSELF = re.compile(r"^(?:who|what|which \w+)(?: exactly)? (?:is|was|are|were)(?: the name (?:of|for|given to))?$", re.IGNORECASE)
_TOLD = re.compile(
    r"^(?P<told>[^;:?]{12,}?)(?P<mark>[;:.]) (?P<ask>(?:[A-Za-z]+ ){0,3}(?i:which|what|who|whose|when|where|how)\b[^?.]*?\b)"
    rf"(?:that|those|this|these|such an?) (?P<what>{_WORD})(?P<rest>\b[^?]*)\?$"
)


def told_by_clause(question: str) -> Step | None:
    """The thing that a question tells by a clause alone, to be asked for first; None where there is none."""
    question = " ".join(question.split())
    if len(question) > LONGEST_QUESTION:
        return None
    if told := _TOLD.match(question):
        return _of_statement(told)
    # The innermost thing first: of the others it is a part.
    for start in reversed([m.start() for m in re.finditer(r"\b(?:the|a|an|some) ", question)]):
        ask = question[:start].rstrip()
        step = _of_clause(ask, question[start:]) if _ASKS.search(ask) and not _ITSELF.match(ask) and not _NO_OBJECT.search(ask) else None
        if step is not None:
            return step
    return None


def _of_clause(ask: str, thing: str) -> Step | None:
    match, first = _CLAUSE.match(thing), _VERB_FIRST.match(thing)
    if match is None or _ASKS.search(match["clause"]) or _ASKS_AGAIN.match(match["clause"]):
        return None
    verb, clause = "", match["clause"].strip()
    if match["how"] == "that" and (_SAID.search(ask) or re.search(rf"\b{re.escape(clause.split()[0])}\b", ask)):
        # "Who told the king that ..."; "... for a buoy, how soon is that buoy ...".
        return None
    reduced = match["how"] not in _PRONOUNS
    if len(clause.split()) < SHORTEST_CLAUSE or (reduced and (_IS.search(ask) or _AUXILIARY.search(ask))):
        return None
    if _AUXILIARY.search(ask):
        own = _VERB_LAST.match(clause)
        if first and (own is None or re.fullmatch(_VERB, first["verb"])):
            match, verb = first, first["verb"]
        elif own is None:
            return None
        else:
            clause, verb = own["clause"], own["verb"]
    elif _IS.search(ask):
        own = _PARTICIPLE_LAST.match(clause)
        if first and re.fullmatch(_PARTICIPLE, first["verb"]):
            match, verb = first, first["verb"]
        elif own:
            clause, verb = own["clause"], own["verb"]
    return Step(_about(match["what"], match["how"], clause), f"{ask} ", f" {verb}?" if verb else "?")


def _about(what: str, how: str, clause: str) -> str:
    if how == "whose":
        return f"Which {what}'s {clause}?"
    if how == "where" or how.endswith(" which"):
        return f"{_capital(how.split()[0]) if ' ' in how else 'In'} which {what} {clause}?"
    if how not in _PRONOUNS:
        return f"Which {what} {'is' if how.endswith('ing') else 'was'} {how} {clause}?"
    return f"Who {clause}?" if how == "who" or _PERSON.search(what) else f"Which {what} {clause}?"


def _of_statement(match: re.Match[str]) -> Step | None:
    """The statement, asking for the thing in its place where it is named there."""
    told, what = match["told"], match["what"]
    named = re.search(rf"\b(?:an?|the|some|one|certain) (?P<sort>[a-z]+ )?{re.escape(what.rstrip('s'))}(?:s|es)?\b", told)
    if named:
        asked = f"{told[: named.start()]}which {named['sort'] or ''}{what}{told[named.end() :]}?"
    elif match["mark"] == ".":
        return None
    else:
        asked = f"{told}: which {what}?"
    return Step(asked, _capital(match["ask"]), f"{match['rest']}?")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
