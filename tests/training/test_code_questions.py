import random

from training.code_questions import code_samples

SOURCE = '''
MAX_RETRIES = 7


def connect(host, port=8080, *, secure=False):
    """Open a connection."""
    if not host:
        raise ValueError("host is empty")
    address = (host, port)
    return open_socket(address)


def close(connection):
    """Close it."""
    connection.flush()
    connection.end()
    return None
'''


def test_answers_stand_where_the_spans_say():
    samples = code_samples([SOURCE] * 20, 40, random.Random(3))
    assert {"8080", "ValueError", "7", "open_socket(address)"} <= {
        s["golds"][0]["text"][a:b] for s in samples for a, b in s["golds"][0]["spans"]
    }
    assert all(s["kind"] == "span" and s["question"].endswith("?") for s in samples)


def test_what_does_not_parse_is_passed_over():
    assert code_samples(["def broken(:\n    pass", "no code at all"], 5, random.Random(0)) == []
