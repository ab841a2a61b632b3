from __future__ import annotations

import pytest

from engine.tidy import tidy


@pytest.mark.parametrize(
    "text, part, grown",
    [
        ("it parted at 04:40 on Saturday", "40", "04:40"),
        ("due by 30 June 2027 at noon", "30 June", "30 June 2027"),
        ("due by 30 June 2027 at noon", "June 2027", "30 June 2027"),
        ("due by 30 June\n2027 at noon", "30 June", "30 June\n2027"),
        ("due by June 3, 2027 at noon", "June 3", "June 3, 2027"),
        ("due by 30 June at noon", "30 June", "30 June"),
        ("due by 30 June 2027 at noon", "2027", "2027"),
        ("due by 30 June 2027 at noon", "June", "June"),
        ("from 3 May 2020 to 4 June 2021", "3 May", "3 May 2020"),
        ("a gap of 3.5 mm", "5", "3.5"),
        ("costs 1,200 euros", "200", "1,200"),
        ("key 3f2a-88bc-9d00 opens", "88bc", "3f2a-88bc-9d00"),
        ("unbelievable", "believ", "unbelievable"),
        ("up to EUR 165 a night", "165", "EUR 165"),
        ("up to £165 a night", "165", "£165"),
        ("up to 165 € a night", "165", "165 €"),
        ("between 20 and 35% of it", "35", "35%"),
        ("in MAR 16 boats", "16", "16"),
        ("Room 5 ............ 4.2 kg", "5 ............ 4.2 kg", "4.2 kg"),
        ("from 1990-1995 it stood", "1990", "1990"),
        ("a 20-year plan", "20", "20"),
        ("def read(tabsize=8, x)", "8", "8"),
        ("in the end 2, not 3", "2", "2"),
        ("Ada Quist's lamp", "Quist", "Quist"),
        ("use the ``--enable-threads`` switch", "enable-threads`` switch", "--enable-threads"),
        ("a well-known -x flag", "known", "known"),
        ("(PR by Ran Benita)", "Ran Benita)", "Ran Benita"),
        ("(PR by Ran Benita)", "(PR by Ran Benita)", "(PR by Ran Benita)"),
        ("call run(fast) now", "run(fast)", "run(fast)"),
        ("class Ember(Lamp, Coal): pass", "Ember(Lamp", "Ember"),
        ("some 40 (at least 12 m) of it", "40 (at least 12 m", "40"),
        ("the `` last x`` form", "`` last x", "last x"),
        ('he said "never" twice', '"never', "never"),
        ('he said "never" twice', '"never"', '"never"'),
        ("it is **bold** text", "bold**", "bold"),
        ("the file /etc/lamp/lamp.list will", "the file /etc/lamp/lamp", "the file /etc/lamp/lamp.list"),
        ("the /etc/lamp/lamp.list file", "list file", "/etc/lamp/lamp.list file"),
        ("in docs/lamps.rst or", "lamps", "docs/lamps.rst"),
        ("the (~/.lamp/rc) file", "lamp", "~/.lamp/rc"),
        ("under /etc/opt/<name>, where", "etc/opt/<name>", "/etc/opt/<name>"),
        ("at https://lamp.example/a/b.html.", "lamp.example", "https://lamp.example/a/b.html"),
        ("as application/x-lamp-form sent", "application/x-lamp", "application/x-lamp-form"),
        ("born German/French in", "French", "French"),
        ("call lamp.light.on now", "lamp.light", "lamp.light.on"),
        ("call lamp.light.on now", "on", "on"),
        ("it went out.Then", "out", "out"),
        ("one, two, three", "two,", "two"),
        ("a ) b", ")", ")"),
    ],
)
def test_an_answer_has_tidy_ends(text, part, grown):
    start = text.index(part)
    begin, end = tidy(text, start, start + len(part))
    assert text[begin:end] == grown


def test_the_sort_of_a_word_in_restructured_text_gives_way_to_the_word():
    text = "It calls :py:meth:`~Lamp.trim` and then :meth:`light`."
    start = text.index("py:meth")
    assert text[slice(*tidy(text, start, start + 7))] == "Lamp.trim"
    start = text.rindex("meth")
    assert text[slice(*tidy(text, start, start + 4))] == "light"
