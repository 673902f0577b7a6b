import re
import threading
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.errors import RunError
from medclf.report.contents import Contents, Doubts, Mistake, Setting
from medclf.report.page import render_report, write_report
from medclf.report.picture import Picture

VOID = {"meta", "br", "img", "link", "input", "hr"}
KINDS = ("binary", "exclusive", "ranked", "coexisting", "many")


class Page(HTMLParser):
    """Keep what a page holds, and refuse tags that do not close."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert {"svg", "math"} & set(self.open), f"<{tag}/> is for SVG only"
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style"} & set(self.open):
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def pages(composed):
    return {kind: render_report(composed(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_task_gives_a_valid_page(pages, kind):
    page = Page(pages[kind])
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="#|url\(#|labelledby=")([^")]+)', pages[kind]):
        assert target in ids
    assert len(page.all("h1")) == 1
    assert all(attrs.get("alt") for attrs in page.all("img"))
    for attrs in page.all("svg"):
        assert attrs.get("aria-hidden") == "true" or attrs.get("aria-label")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_from_outside_and_runs_nothing(pages, kind):
    page = Page(pages[kind])
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    for _, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "xlink:href"):
            assert re.match(r"data:image/(png|jpeg);base64,|#", attrs.get(name, "#"))
    assert "http" not in re.sub(r"http-equiv", "", pages[kind])
    assert not re.search(r"@import|url\((?!#)", pages[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_figures_are_those_of_the_scores(pages, composed, kind):
    words, scores = Page(pages[kind]).words, composed(kind).test.scores
    area = scores.figures["auc"]
    low, high = (f"{end:.3f}".removeprefix("0") for end in (area.low, area.high))
    value = f"{area.value:.3f}".removeprefix("0")
    assert f"is {value} (95 % interval {low} to {high})" in words
    for figures in (scores.figures, *(c.figures for c in scores.per_class.values())):
        for name in ("sensitivity", "specificity", "precision", "f1"):
            if name in figures and np.isfinite(figures[name].value):
                assert f"{figures[name].value:.3f}".removeprefix("0") in words


def test_a_headline_says_on_whom_it_was_measured(pages):
    words = Page(pages["binary"]).words
    assert "On 120 exams of 60 patients never seen in training, the AUC is" in words
    assert "mean AUC over 4 classes, each against the rest," in Page(pages["exclusive"]).words
    assert "mean AUC over 3 findings is" in Page(pages["coexisting"]).words
    assert "Quadratic kappa" in Page(pages["ranked"]).words


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_tells_who_a_patient_is(pages, kind):
    assert "secret-patient" not in pages[kind]


EVIL = "<script>alert('x')</script>\"'&{{ 7*7 }}$x^2$"


def test_hostile_words_do_no_harm(composed):
    contents = composed("exclusive")
    task = Task((EVIL, f"_{EVIL}", "$\\frac{$", "none"))
    judged = replace(
        contents.test,
        predictions=replace(contents.test.predictions, task=task),
        scores=replace(
            contents.test.scores,
            per_class=dict(zip(task.classes, contents.test.scores.per_class.values(), strict=True)),
            subgroups={EVIL: contents.test.scores.subgroups["sex"]},
            notes=(EVIL,),
        ),
    )
    picture = Picture(np.zeros((4, 4), np.uint8), EVIL)
    words = {f.name: EVIL for f in fields(Contents) if f.type in ("str", str)}
    page = render_report(
        Contents(
            **{**words, "task": task, "seed": 1},
            counts=contents.counts,
            facts=((EVIL, EVIL),),
            notes=(EVIL,),
            problems=(EVIL,),
            montage=(picture,),
            plan=(Setting(EVIL, EVIL, EVIL),),
            log=contents.log,
            test=judged,
            wrong=(Mistake(EVIL, EVIL, EVIL, 0.5, picture),),
            doubts=Doubts(1, 1, (Mistake(EVIL, EVIL, EVIL, 0.5, picture),)),
            commands=(EVIL,),
            limits=(EVIL,),
        )
    )
    parsed = Page(page)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert EVIL in "".join(parsed.text)
    assert "49" not in re.findall(r"alert\('x'\)</script>\"'&(\d+)", "".join(parsed.text))


BARE = {"title": "Bare", "version": "1", "date": "now", "origin": "x", "digest": "", "seed": 0}


def test_absent_parts_are_left_out(composed):
    page = Page(render_report(Contents(task=Task(("a", "b")), **BARE)))
    sections = [attrs["id"] for attrs in page.all("section")]
    assert sections == ["data", "card"]
    assert "Nothing has been measured yet" in page.words
    assert not page.all("img")


def test_without_a_test_split_validation_is_shown_with_a_caution(composed):
    contents = replace(composed("binary"), test=None)
    words = Page(render_report(contents)).words
    assert "of the validation split, the AUC is" in words
    assert "No exam was kept for a test" in words
    assert "never seen in training" not in words


@pytest.mark.parametrize(
    "gone", ["validation", "counts", "facts", "log", "plan", "wrong", "doubts", "recipe"]
)
def test_any_part_may_be_missing(composed, gone):
    empty = None if gone in ("validation", "doubts") else type(getattr(composed("binary"), gone))()
    Page(render_report(replace(composed("binary"), **{gone: empty})))


def test_a_class_missing_from_the_test_split_is_said_and_not_drawn(composed, judge):
    predictions = composed("binary").test.predictions
    only = judge(predictions.select(predictions.target == 1))
    page = render_report(replace(composed("binary"), test=only, validation=None))
    words = Page(page).words
    assert "the share of right answers is" in words
    assert "No exam has the class 'healthy'" in words
    assert "roc-" not in page


def test_the_same_contents_give_the_same_bytes_in_any_thread(composed, pages):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(render_report(composed("binary"))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [pages["binary"]] * 3


def test_a_report_is_written_whole_or_not_at_all(tmp_path, composed, monkeypatch):
    path = tmp_path / "report.html"
    assert write_report(path, composed("binary")) == path
    before = path.read_bytes()
    assert before.startswith(b"<!DOCTYPE html>")
    assert len(before) < 1_500_000
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(RunError, match=r"report\.html: cannot be written: No space left"):
        write_report(path, composed("ranked"))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_report_in_a_folder_that_is_not_there_is_refused(tmp_path, composed):
    with pytest.raises(RunError, match="cannot be written"):
        write_report(tmp_path / "no" / "report.html", composed("binary"))


def test_a_run_that_the_budget_ended_is_not_said_to_come_out_the_same(composed):
    whole = Page(render_report(composed("binary"))).words
    cut = Page(render_report(replace(composed("binary"), cut=True))).words
    assert "these commands give the same run." in whole
    assert "these commands give nearly the same run: the budget ended this one" in cut
