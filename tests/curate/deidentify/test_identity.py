"""The patient's words are found however they are written, and not in other people's."""

import pytest

from medclf.curate.deidentify.identity import Identity


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("Müller", "CT MÜLLER 2"),
        ("Müller", "mu\u0308ller"),  # The same with its dots apart.
        ("Ander", "ANDER2_pelvis"),
        ("Quastenflosser", "tQuastenflossers"),
        ("Ксения", "снимок КСЕНИЯ"),
        ("张伟民", "张伟民的检查"),
        ("4711-0815", "no. 4711-0815."),
        ("ЙОРГ", "йорг"),
    ],
)
def test_a_word_is_found_in_text(word, text):
    assert Identity(frozenset({word})).stands_in(text)


@pytest.mark.parametrize(
    ("word", "text"), [("Ander", "Anderson"), ("4711", "14711"), ("Анна", "Аннабель")]
)
def test_a_piece_of_another_word_is_none(word, text):
    assert not Identity(frozenset({word})).stands_in(text)


@pytest.mark.parametrize("code", ["utf-8", "utf-16-le", "utf-16-be", "iso8859_5"])
@pytest.mark.parametrize("written", ["Преображенская", "ПРЕОБРАЖЕНСКАЯ", "преображенская"])
def test_capitals_of_every_alphabet_are_found_in_bytes(code, written):
    identity = Identity(frozenset({"Преображенская"}), ("iso8859_5",))
    raw = b"\x90\xffx" + written.encode(code) + b"x\xe0\x01"
    assert identity.stands_in_bytes(raw)
    assert not identity.stands_in_bytes(raw[: len(raw) // 2])


def test_what_comes_by_chance_among_bytes_is_not_looked_for():
    identity = Identity(frozenset({"0000000000", "Li", "Meier"}))
    assert not identity.stands_in_bytes(b"0" * 40 + b"li\0\0")
    assert identity.stands_in_bytes(b"\0\xffMEIER\xff")
    assert not identity.stands_in_bytes(b"\0\xffMEIER\xff", 8)
