import pytest

from medclf.errors import ReadError
from medclf.read.tags import Tags

TAGS = Tags({"size": "3 4", "half": "0.5", "empty": "", "word": "a b", "bad": "nan 1"}, "x")


def test_tags_are_found_by_any_of_their_names():
    assert TAGS.find("none", "half", "size") == "0.5"
    assert TAGS.find("none") == ""
    assert TAGS.need("word") == "a b"
    assert "empty" in TAGS
    assert TAGS.whole(2, "size") == (3, 4)
    assert TAGS.numbers(1, "half").tolist() == [0.5]
    assert TAGS.numbers(3, "none") is None
    assert TAGS.whole(3, "empty") is None


def test_what_is_not_as_wanted_is_named():
    for read, message in [
        (lambda: TAGS.need("none"), "the tag none wanted, found none"),
        (lambda: TAGS.need("empty"), "the tag empty wanted, found none"),
        (lambda: TAGS.numbers(3, "size"), "3 numbers wanted in size, found 3 4"),
        (lambda: TAGS.numbers(2, "word"), "2 numbers wanted in word, found a b"),
        (lambda: TAGS.whole(1, "half"), "whole numbers wanted in half"),
        (lambda: TAGS.whole(2, "bad"), "whole numbers wanted in bad"),
    ]:
        with pytest.raises(ReadError, match=f"^x: {message}"):
            read()
