"""The page of a de-identification: all that a person must look at, and nothing that runs."""

import re
from html.parser import HTMLParser

from medclf.report.deidentified import (
    FILES_SHOWN,
    Deidentified,
    Look,
    render_deidentified,
    write_deidentified,
)


def contents(**changes: object) -> Deidentified:
    files = tuple((f"P1/S/{i:04}.dcm", "3.1% of the picture") for i in range(20))
    told: dict[str, object] = {
        "version": "1.0",
        "date": "2026-11-26",
        "files": 25,
        "patients": 2,
        "refused": (
            (3, "no DICOM file <script>"),
            (4, "a copy of file 1"),
            (5, "a copy of file 2"),
        ),
        "looks": (Look("masked", "See that nothing was missed.", files),),
        "modalities": {"US": 20, "": 2},
        "changed": {"removed": 1234},
        "codes": (("113100", "Basic Application Confidentiality Profile"),),
        "stays": ("Dates and times are gone.",),
        "sample": ("P2/S/0001.dcm",),
        "mark": "ABCD2345",
        "columns": {"comment": "left out: free text"},
    }
    return Deidentified(**{**told, **changes})


class Balance(HTMLParser):
    """Notes elements that are not closed in the order in which they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_tells_what_was_done_and_what_to_look_at():
    page = render_deidentified(contents())
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for told in ("22 files of 25", "2 patients", "Masked: 20", "See that nothing was missed",
                 "removed 1,234", "113100", "left out: free text", "and 17 more",
                 "a copy of another 2 4, 5", "P2/S/0001.dcm",
                 "Dates and times are gone.", "ABCD2345", "May be given to",
                 "Faces can be rebuilt"):  # fmt: skip
        assert told in words, told
    assert page.count("P1/S/") == FILES_SHOWN
    assert "<script>" not in page
    parser = Balance()
    parser.feed(page)
    assert (parser.open, parser.wrong) == ([], [])


def test_what_there_is_not_is_left_out(tmp_path):
    path = write_deidentified(tmp_path / "a.html", contents(refused=(), looks=(), columns={}))
    page = path.read_text()
    assert 'id="refused"' not in page
    assert 'id="look"' not in page
    assert "Columns of the table" not in page
