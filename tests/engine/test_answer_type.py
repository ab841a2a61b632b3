"""The sort of answer a question wants."""

import pytest

from engine.answer_type import asks_yes_or_no, fits, impossible


@pytest.mark.parametrize(
    ("question", "answer", "fit"),
    [
        ("How many chairs are there?", "forty", 1.0),
        ("How many chairs are there?", "4,200", 1.0),
        ("How many chairs are there?", "n_chairs", -1.0),
        ("How often is it cleaned?", "every spring", 1.0),
        ("What temperature is it kept at?", "room temperature", -1.0),
        ("When did the pump fail?", "12 May", 1.0),
        ("When did the pump fail?", "during the storm", 1.0),
        ("When was version 5 released?", "3.5.0", -1.0),
        ("When does the boat leave?", "at 7:30", 1.0),
        ("When do they come back?", "two hours later", 1.0),
        ("What do they wear when it rains?", "a cape", 0.0),
        ("How much is the tow?", "04:40", -1.0),
        ("How late may I come?", "22:30", 1.0),
        ("In which year was it built?", "a granite tower", -1.0),
        ("Who built it?", "Ada Lund", 1.0),
        ("Who built it?", "the fishermen", 0.0),
        ("Whose idea was it?", "12", 0.0),
        ("How many chairs are there?", "several", 0.0),
        ("In which release did the lamp change?", "3.0.1", 1.0),
        ("In which release did the lamp change?", "Bookworm", 0.0),
        ("In which release did the lamp change?", "2770", -1.0),
        ("Which exit code does it use?", "3", 1.0),
        ("Which exit code does it use?", "stat()", -1.0),
        ("What percentage is lost?", "a quarter", 1.0),
        ("What percentage is lost?", "the oil", -1.0),
        ("Which option of lampctl dims it?", "--dim", 1.0),
        ("Which option of lampctl dims it?", "dim", 0.0),
        ("Which R function reads it?", "read.lamp", 1.0),
        ("Which R function reads it?", "-ascii", 0.0),
        ("What function does the lamp serve?", "light", 0.0),
        ("What is the largest number of lamps?", "N", -1.0),
        ("Which exception is raised?", "ValueError", 1.0),
        ("Which exception is raised?", "queue.Full", 0.0),
        ("What does a lost lock raise?", "the message", -1.0),
        ("What question did she raise?", "the price", 0.0),
        ("Which environment variable names the folder?", "TMPDIR", 1.0),
        ("Which environment variable names the folder?", "_default", -1.0),
        ("What does a new rope cost?", "36 months", -1.0),
        ("What does a new rope cost?", "165", 0.0),
        ("How much is a clerk paid?", "twenty-five pounds", 1.0),
        ("What does a new rope cost?", "£36", 1.0),
        ("How deeply may it be nested?", "deeply", -1.0),
        ("Which is older, Lothra or Sund?", "Lothra", 0.0),
        ("Which is older, of the choice between Lothra and Sund?", "Sund", 0.0),
        ("Which of the towns is older?", "the towns", -1.0),
        ("How many seconds does it wait?", "an hour and a half", -1.0),
        ("How many seconds does it wait?", "90 seconds", 1.0),
        ("How many seconds does it wait?", "90", 1.0),
        ("When the lamp goes out, what does the keeper see?", "a ship", 0.0),
        ("When does the lamp go out?", "a ship", -1.0),
        ("Which setting says how far it looks?", "look_back", 1.0),
        ("Which environment variable moves the netrc file?", "NETRC", 1.0),
        ("Since when does it float?", "0.20.0", 1.0),
        ("Since when does it float?", "1974", 1.0),
        ("Which class trims the wick?", "Trimmer", 1.0),
        ("Which class trims the wick?", "trim", -1.0),
        ("How many lamps may burn?", "None", -1.0),
        ("How much could she earn?", "fourpence", 1.0),
        ("What's the most I can spend on a lamp?", "EUR 16", 1.0),
        ("What's the most I can spend on a lamp?", "16 hectares", -1.0),
        ("What am I charged for losing a wick?", "31 May", 0.0),
        ("How much does a keeper have to pay in?", "1.5 hectares", -1.0),
        ("I still have oil left over. Until when can I burn it?", "31 May", 1.0),
        ("I still have oil left over. Until when can I burn it?", "on the shelf", -1.0),
        ("Which number does the command return when the wick is wet?", "10", 1.0),
        ("Which number does the command return when the wick is wet?", "wick", -1.0),
    ],
)
def test_whether_an_answer_is_of_the_sort_asked_for(question, answer, fit):
    assert fits(question, answer) == fit


@pytest.mark.parametrize(
    ("question", "text", "answer", "cannot"),
    [
        ("Which tool grants it?", "see below\n9.5.3 Granting rights\nUse dcut.", "9.5.3", True),
        ("Which section grants it?", "see below\n9.5.3 Granting rights\nUse dcut.", "9.5.3", False),
        ("What is the factor?", "The factor is\n9.5 and no more.", "9.5", False),
        ("Which tool grants it?", "Since 9.5.3 it is dcut.", "9.5.3", False),
        ("What does a rope cost?", "A rope lasts 36 months and costs £4.", "36 months", True),
        ("What does a rope cost?", "A rope lasts 36 months and costs £4.", "£4", False),
        ("Which environment variable is read?", "folder() reads TMPDIR first", "folder", True),
        ("Which environment variable is read?", "folder() reads TMPDIR first", "TMPDIR", False),
        ("Which exception does it raise?", "the lock raises Timeout", "the lock", True),
        ("Which exception does it raise?", "the lock raises Timeout", "Timeout", False),
        ("Which version needs it?", "since scrypt:32768:8:1", "32768:8:1", True),
        ("Which version needs it?", "since version 2 of it", "version 2", False),
        ("Which TCP port does the lamp listen on?", "on a named socket", "socket", True),
        ("Which TCP port does the lamp listen on?", "on port 99", "99", False),
        ("Which port did the ship leave?", "it left a fishing harbour", "a fishing harbour", False),
        ("What is the largest number of lamps?", "lamps=N sets it", "N", True),
        ("Which CVE number does it have?", "Released 2024-10-25", "2024-10-25", True),
        ("Which command is it?", ".. code-block:: pycon\n\n  >>> trim()", ".. code-block:: pycon", True),
        ("Which signal is sent?", "+------+------+\n| QUIT |", "+------+------+", True),
        ("What version mends CVE-2023-32681?", "mended in 2.31.0", "2.31.0", False),
        ("How many lamps are sold?", "Lamps are sold. :issue:`1964`", "1964", True),
        ("Which issue is about lamps?", "Lamps are sold. :issue:`1964`", "1964", False),
        ("How many lamps are sold?", "Lamps are sold by #12 of Quay Street", "12", True),
        ("How many lamps are sold?", "We sold 1964 lamps", "1964", False),
    ],
)
def test_what_cannot_answer(question, text, answer, cannot):
    start = text.index(answer)
    assert impossible(question, text, start, start + len(answer)) == cannot


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("May I leave the key in the door?", True),
        ("If it rains, do the gauges stop?", True),
        ("The pump: is it safe in salt water?", True),
        ("I own two boats. Can both lie at the quay?", True),
        ("Has J. P. Lund died?", True),
        ("Doesn't it rust?", True),
        ("It rusts, yes or no?", True),
        ("Is there a rule which forbids it?", True),
        ("Can you tell me the port?", False),
        ("Is it known when she died?", False),
        ("Does the manual say what to do?", False),
        ("Is it red or green?", False),
        ("For which race, held yearly, is she known?", False),
        ("In which harbour does it lie?", False),
        ("Ada Sr. was fired by whom?", False),
        ("How is it painted?", False),
    ],
)
def test_whether_yes_or_no_is_asked_for(question, asked):
    assert asks_yes_or_no(question) is asked
