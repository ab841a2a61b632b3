"""What sort of answer a question's wording wants, and whether words could be that."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"\bhow (?:many|much|long|far|often|old|large|big|high|deep|tall|fast|hot|warm|heavy|wide|soon|late|quickly|close)\b"
    r"|\b(?:what|which) (?:is the )?(?:(?:largest|highest|greatest|smallest|lowest|biggest|maximum|minimum|average|total|default) )?(?:percentage|number|amount|share|age|size|temperature|price|cost|speed|distance|length"
    r"|height|weight|depth|width|population|rate|frequency|duration)\b",
    re.IGNORECASE,
)
# Not the "when" of a clause: "What do they do when it rains?"
_TIME = re.compile(
    r"^\W*(?:(?:since|until|till|by|from) )?when\b(?! (?:is|are|was|were) \w+ (?:used|called|raised))(?!.*, (?:what|which|who|whose|whom|how|where|why)\b)"
    r"|[,;:] (?:since |until |by )?when (?:is|are|was|were|do|does|did|has|have|will|can|must|should)\b"
    r"|\b(?:what|which) (?:year|date|day|month|century|decade|time)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\bhow (?:many|much|far|old|large|big|high|deep|tall|heavy|wide)\b", re.IGNORECASE)
_CLOCK = re.compile(r"\b\d{1,2}:\d\d\b")
_PERSON = re.compile(r"^who\b(?!se)|\bby whom\b|\bwhat is the name of the (?:man|woman|person)\b", re.IGNORECASE)
_QUANTITY = re.compile(
    r"\d|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?"
    r"|half|quarter|once|twice|double|every|each|daily|weekly|monthly|yearly|annually|hourly|none|never)\b",
    re.IGNORECASE,
)
# They answer "how many", but anything that counts does so better.
_VAGUE = re.compile(r"\b(?:several|few|many|all)\b", re.IGNORECASE)
MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = re.compile(
    r"\b\d{3,4}s?\b(?![.]\d)|\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{1,2}:\d\d\b|\b\d{1,2} ?[ap]\.?m\b|\d ?(?:BC|AD|CE)\b"
    r"|\d{1,4}[-/]\d{1,2}[-/]\d{1,4}|\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|later|earlier|past|ago|o'clock"
    rf"|{MONTH}|\w+day|century|spring"
    r"|summer|autumn|winter|night|morning|evening|noon|midnight|today|yesterday|tomorrow|before|after|during|until|since|while"
    r"|when|as soon as|once|season|era|war)\b",
    re.IGNORECASE,
)
_BARE_DATE = re.compile(rf"\W*(?:\d{{1,2}} )?{MONTH}(?: \d{{1,2}})?(?:,? \d{{3,4}})?\W*|\W*(?:c\. ?)?\d{{4}}\W*")
_PLACE = re.compile(
    r"^(?:(?:from|to|in|at) )?where\b|\b(?:what|which)(?: \S+)? (?:city|town|village|country|county|province|municipality|district|region|river|island|street|building|school|university|college)\b"
    r"|\bplace of (?:birth|death|burial)\b|\bcause of death\b",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"\b[A-Z]")
_WORD = re.compile(r"\w+")
_MONEY = re.compile(
    r"\bhow much (?:money\b|.*\b(?:cost|costs|paid|pay|pays|owe|owes|earn|charged?|spend|spent)\b)|\bwhat (?:does|do|did|will|would|may|can) .+ cost\b"
    r"|\bwhat(?:'s| is) the (?:most|least) .*\b(?:cost|pay|spend|charge)\b|\bwhat (?:am|are|is) .+ charged\b(?! with)"
    r"|\b(?:price|cost|fee|salary|fare) (?:of|for)\b",
    re.IGNORECASE,
)
_COINS = r"(?:pounds?|dollars?|euros?|cents?|\w*pence|penny|francs?|crowns?|kroner|shillings?|guineas?|rupees?|yen|yuan|USD|GBP|EUR)"
_SUM = re.compile(rf"[£$€¥₹]\s?\d|\b{_COINS}\b|\bfree\b", re.IGNORECASE)
_MEASURED = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|metres?|meters?|kilomet(?:re|er)s?|miles?|hectares?|acres?|lit(?:re|er)s?|tonnes?|m|km|mm|cm|kg|kPa|kW)"
_MEASURE = re.compile(rf"\b{_MEASURED}\b", re.IGNORECASE)
_UNIT = re.compile(rf"\b(?:how many|in) ({_MEASURED})\b", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(rf"\d(?![\d.,]*\s*{_MEASURED}\b)", re.IGNORECASE)
_RAISED = re.compile(
    r"\b(?:error|exception|warning)s? (?:is|are|gets?|does|do|will|class)\b|\b(?:is|gets|be) (?:raised|thrown)\b|\bdoes .+ (?:raise|throw)\b",
    re.IGNORECASE,
)
_DEFAULT = re.compile(
    r"\bdefaults?\b|\b(?:if|when|unless) (?:I|you|we|it|one|none|nothing|no|not)\b|\bunless (?:\w+ )?(?:told|changed|set|given|configured|otherwise)\b"
    r"|\bout of the box\b|\bwithout (?:any )?(?:options?|arguments?|configuration|settings?)\b",
    re.IGNORECASE,
)
_PARENT = re.compile(r"\b(?:parent|base|super)[ -]?class(?:es)?\b|\b(?:inherit|derive|subclass|extend)(?:s|ed|es)?\b|\bparent of\b", re.IGNORECASE)
_CLASS = re.compile(r"\b[A-Z]\w*[a-z][A-Z]\w*")
_VARIABLE = re.compile(r"\benvironment variables?\b", re.IGNORECASE)
_SHOUTED = re.compile(r"\b[A-Z][A-Z0-9_]{2,}\b")
_VERSION = re.compile(r"\b(?:which|what)(?: \S+){0,3} (?:version|release)s?\b", re.IGNORECASE)
_SINCE = re.compile(r"\bsince when\b|\b(?:version|release) (?:number )?please\b|\bwhen\b.*\b(?:which|what) (?:version|release)\b", re.IGNORECASE)
_POINTED = re.compile(r"\b[vV]?\d+(?:\.\w+)+\b")
_NAMED = re.compile(r"[A-Z]|^\W*(?:v|version )?(?:\d{1,3}|(?:19|20)\d\d)\W*$")
_PLAIN_SUM = re.compile(rf"{_PLAIN_NUMBER.pattern}|\b(?:hundred|thousand|million|billion)\b", re.IGNORECASE)
_VERSION_OR_TIME = re.compile(rf"{_POINTED.pattern}|{_DATE.pattern}", re.IGNORECASE)
_PERCENT = re.compile(r"\b(?:how many|what) percent(?:age)?\b", re.IGNORECASE)
_SHARE = re.compile(r"%|\bper ?cent\b|\b(?:half|third|quarter)\b", re.IGNORECASE)
_OPTION = re.compile(r"\b(?:which|what)(?: \S+){0,3} (?:option|flag|switch)\b", re.IGNORECASE)
_DASHED = re.compile(r"(?<![\w-])--?[A-Za-z]")
_CODE = re.compile(
    r"\b(?:which|what)(?: is the| \S+)? (?:(?:exit|status|response) code|(?:protocol|process|port) number|(?:TCP |UDP )?port)\b",
    re.IGNORECASE,
)
_TECHNICAL = re.compile(r"\b(?:code|number|TCP|UDP)\b")
_DIGIT = re.compile(r"\d")
_NO_VERB = r"(?: (?!(?:does|do|did|is|are|was|were|has|have|can|will|must)\b)\S+){0,3}"
_CALLED = re.compile(
    rf"\bwhich{_NO_VERB} (?:function|method|macro|attribute|decorator|module|command|setting|parameter|argument)\b"
    rf"|\bwhat{_NO_VERB} (?:decorator|macro|setting|parameter|argument)\b",
    re.IGNORECASE,
)
_A_CLASS = re.compile(r"\b(?:which|what)(?: \S+){0,3} class\b", re.IGNORECASE)
_CLASS_NAME = re.compile(r"^[`'\"]*(?:\w+\.)*[A-Z]\w*[`'\"]*$")
_CONSTANT = re.compile(r"\W*(?:None|True|False|null|nil|undefined)\W*")
# What marks a text up and says nothing: a directive, lines drawn of dashes.
_MARKUP = re.compile(r"\.\. [\w-]+::\s*\w*|[-+=|~^*_\s]+|:\w+:")
_IDENTIFIER = re.compile(r"^[`'\"]*[A-Za-z_][\w.:-]*(?:\(\))?[`'\"]*$")
_CVE = re.compile(r"\b(?:which|what)(?: \S+){0,4} CVEs?\b(?!-)|\bCVE (?:number|identifier|id)\b", re.IGNORECASE)
_CVE_NUMBER = re.compile(r"\bCVE-\d|^\W*\d{4}-\d{4,}\W*$")
# (asked for by, what is one, what might be one all the same)
_NUMBERED = ((_VERSION, _POINTED, _NAMED), (_CODE, _DIGIT, _CAPITAL), (_CVE, _CVE_NUMBER, None))
_SORTS = (
    (_SINCE, _VERSION_OR_TIME, None), *_NUMBERED, (_PERCENT, _SHARE, _DIGIT), (_OPTION, _DASHED, _WORD), (_A_CLASS, _CLASS_NAME, _CAPITAL), (_CALLED, _IDENTIFIER, _WORD),
    (_MONEY, _SUM, _PLAIN_SUM), (_NUMBER, _QUANTITY, _VAGUE), (_TIME, _DATE, None), (_VARIABLE, _SHOUTED, None), (_RAISED, _CLASS, _CAPITAL),
)  # fmt: skip
_EXCEPTION = re.compile(r"\b(?:which|what)(?: [\w.-]+){0,2} (?:exception|error class)\b|\b(?:which|what) error (?:do|will|would) I get\b", re.IGNORECASE)
_SECTION = re.compile(r"(?:\d+|[A-Z])(?:\.\d+)+\.?")
_HEADING = re.compile(r"[ \t]+[A-Z][^.\n]{0,80}(?:\n|$)")
_SECTIONS = re.compile(r"\b(?:sections?|chapters?|clauses?|articles?|versions?|releases?)\b", re.IGNORECASE)
# The number of an issue or of a change, as change logs name them: ":issue:`2770`", "#2770", "GH-2770".
_REFERRED = re.compile(r"(?::\w*(?:issue|pr|pull|bug|ticket)\w*:`|(?<!\w)#|\b(?:GH|bpo)-)$", re.IGNORECASE)
_REFERENCE = re.compile(r"\b(?:issue|pull request|PR|bug|ticket)s?\b", re.IGNORECASE)
_EXPLAINS = re.compile(r"^(?:and |so |but )?(?:why|how (?:come|do|does|can|could|should|would|to))\b", re.IGNORECASE)
_CHOICE = frozenset(("or", "between", "either", "both"))
# "Is ...", "If it rains, may we ...", "Enteroscopy: is it safe"; not "Can you tell me when ...", "Is it known who ...".
_AUXILIARY = (
    r"(?:is|are|am|was|were|do|does|did|can|could|may|might|must|should|shall|will|would|has|have|had)(?:n't)?|can't|won't|shan't"
)
_YES_OR_NO = re.compile(
    rf"^(?:(?:and|so|but)\b,? )?(?:(?:if|when|while|once|after|before|in|on|at|for|with|as|since|under|by|during|given|without|from|according to)\b(?! (?:which|whom|whose)\b).*?, )?"
    rf"(?:{_AUXILIARY})\b(?!(?: you| anyone| anybody| somebody| someone| we)(?: please)? (?:tell|explain|say|name|list|give|describe|show|know|have)\b)",
    re.IGNORECASE,
)
# "Which setting limits how far it looks?" does not ask how far.
_INDIRECT = re.compile(r"^((?:which|what|who)\b(?! (?:is|was|are|were) ).*?\w) (?:how (?:many|much|long|far|often|old|large|big|high|deep|fast|soon|quickly)|when)\b.*", re.IGNORECASE | re.DOTALL)
_ASKS = re.compile(r"\W*(?:(?:at|by|for|from|in|since|to|until|till|with|within|after) )?(?:how|wh(?:o|om|ose|at|en|ere|ich))\b", re.IGNORECASE)
_KNOWN = re.compile(
    r"\b(?:know|known|say|says|said|tell|tells|told|clear|stated|mentioned|recorded|explain|explains)\b.*\b(?:who|what|when|where|which|how|why)\b", re.IGNORECASE
)
_WHAT = re.compile(r"\bwhat\b", re.IGNORECASE)
_SPOKEN = re.compile(r"\byes or no\W*$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[a-z0-9)][.!?])\s+(?=[A-Z\"'])|(?<=:)\s+")


def asks_for_explanation(question: str) -> bool:
    """Whether the whole sentence answers, not three words of it: "why ...", "how do I ..."."""
    return _EXPLAINS.match(question.strip()) is not None


def asks_yes_or_no(question: str) -> bool:
    """Whether yes or no answers what is asked last: "May I ...?", "If ..., does it ...?"; not a choice ("is it A or B")."""
    asked = _SENTENCE.split(question.strip())[-1]
    if _SPOKEN.search(asked):
        return True
    if "or" in asked.lower().split() or _WHAT.search(asked) or _KNOWN.search(asked):
        return False
    return _YES_OR_NO.match(asked) is not None


def asks_for_version(question: str) -> bool:
    """Whether the version in which something came, changed or went is asked for."""
    return _SINCE.search(question) is not None or _VERSION.search(question) is not None


def is_version(answer: str) -> bool:
    """Whether an answer is a number with points, as versions are."""
    return _POINTED.search(answer) is not None


def asks_for_exception(question: str) -> bool:
    """Whether the wording asks what is raised."""
    return _RAISED.search(question) is not None or _EXCEPTION.search(question) is not None


def asks_for_callable(question: str) -> bool:
    """Whether a function, method, class or the like is asked for by name."""
    return _CALLED.search(question) is not None


def asks_for_class(question: str) -> bool:
    """Whether a class is asked for by name."""
    return _A_CLASS.search(question) is not None


def asks_for_default(question: str) -> bool:
    """Whether the wording asks what holds when nothing is said: "by default", "if I give none", "unless told otherwise"."""
    return _DEFAULT.search(question) is not None


def asks_for_parent(question: str) -> bool:
    """Whether what a class derives from is asked for."""
    return _PARENT.search(question) is not None


def asks_for_variable(question: str) -> bool:
    """Whether an environment variable is asked for."""
    return _VARIABLE.search(question) is not None


def impossible(question: str, text: str, start: int, end: int) -> bool:
    """Whether text[start:end] cannot answer: no number, or another sort of number, than is asked for; the number of a heading or of
    an issue; no name of the sort that code gives what is asked for."""
    answer = text[start:end]
    if _MARKUP.fullmatch(answer):
        return True
    if asks_for_variable(question):
        return not _SHOUTED.search(answer)
    if _EXCEPTION.search(question):
        return not _CAPITAL.search(answer)
    return _no_number(question, answer) or _other_number(question, answer) or _reference(question, text, start, end)


def _no_number(question: str, answer: str) -> bool:
    """A letter that stands for a number ("lamps=N"), a word for the number of a port or a code."""
    if len(answer) == 1 and answer.isalpha() and _NUMBER.search(question):
        return True
    asked = _CODE.search(question)
    return bool(asked and _TECHNICAL.search(asked[0]) and not (_DIGIT.search(answer) or _CAPITAL.search(answer)))


def _other_number(question: str, answer: str) -> bool:
    """A time or length for a price; for a version or the like a number that is none."""
    if _MONEY.search(question) and _MEASURE.search(answer) and not (_SUM.search(answer) or _PLAIN_NUMBER.search(answer)):
        return True
    asked_for = [(is_one, might_be) for asked, is_one, might_be in _NUMBERED if asked.search(question)]
    return bool(_DIGIT.search(answer)) and any(not (i.search(answer) or m and m.search(answer)) for i, m in asked_for)


def _reference(question: str, text: str, start: int, end: int) -> bool:
    """The number of an issue, or of the heading that follows."""
    answer, line = text[start:end], text[text.rfind("\n", 0, start) + 1 : start]
    if answer.isdigit() and _REFERRED.search(line) and not _REFERENCE.search(question):
        return True
    return bool(_SECTION.fullmatch(answer) and not line.strip(" #*") and _HEADING.match(text, end) and not _SECTIONS.search(question))


def fits(question: str, answer: str) -> float:
    """1 where the answer is of the sort that is asked for, -1 where it cannot be, 0 where the wording does not tell."""
    whole, question = question, _asked(question)
    unit, units = _UNIT.search(question), {u.lower().rstrip("s") for u in _MEASURE.findall(answer)}
    if unit and units and unit[1].lower().rstrip("s") not in units:
        return -1.0
    if _COUNT.search(question) and _CLOCK.search(answer) and not _QUANTITY.search(_CLOCK.sub("", answer)):
        return -1.0
    if _repeats(whole, answer) and not (_VARIABLE.search(question) and answer.isupper()):
        return -1.0
    for asked, is_one, might_be in _SORTS:
        if asked.search(question):
            if _CONSTANT.fullmatch(answer):
                return -1.0
            return 1.0 if is_one.search(answer) else 0.0 if might_be and might_be.search(answer) else -1.0
    person = _PERSON.search(question.strip())
    if (person or _PLACE.search(question.strip())) and _BARE_DATE.fullmatch(answer):
        return -1.0
    return 1.0 if person and _CAPITAL.search(answer) else 0.0


def _asked(question: str) -> str:
    """What a question asks last, without what it asks indirectly; all of it where its last sentence does not ask."""
    last = _SENTENCE.split(question.strip())[-1]
    asked = _INDIRECT.match(last)
    return asked[1] if asked else last if _ASKS.match(last) else question


def _repeats(question: str, answer: str) -> bool:
    """Whether an answer says nothing but what was asked, and the question does not offer a choice."""
    asked, said = ({*_WORD.findall(text.lower())} for text in (question, answer))
    return bool(said) and said <= asked and asked.isdisjoint(_CHOICE)
