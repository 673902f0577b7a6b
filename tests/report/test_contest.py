import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.evaluate.standing import Cost, Failure, Result, rank
from medclf.report.contents import Setting
from medclf.report.contest import Comparison, render_comparison, write_comparison
from medclf.report.frontier import tell_trade
from medclf.report.standings import tell_costs, tell_standings

SPEEDS = {"sprint": 0.6, "resnet18": 30.0, "lenet5": 0.5, "pca": 0.7}
CLASSICAL = ("pca", "hog")
EVIL = "<script>alert('x')</script>\"&$x^2$"


class Words(HTMLParser):
    """Keep the words of a page and its tags, and refuse tags that do not close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.parts = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.parts.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.parts).split())


@pytest.fixture(scope="module")
def standings(predict, judge):
    """Standings of a kind of task: one set of predictions, mixed with ever more noise."""

    @cache
    def make(kind="binary", names=tuple(SPEEDS), exams=90):
        task = Task(("no", "yes")) if kind == "binary" else Task(("a", "b", "c"), kind)
        found, rng = predict(task, exams), np.random.default_rng(0)
        results = []
        for place, name in enumerate(names):
            noise = rng.dirichlet(np.ones(len(task.classes)), exams)
            share = place / (len(names) + 1)
            p = (1 - share) * found.probabilities + share * noise
            mine = replace(found, probabilities=p)
            network = name not in CLASSICAL
            cost = Cost(
                11_000_000 if network else None,
                450_000_000 if network else None,
                3.0 if network else None,
                75.0,
                SPEEDS.get(name, 1.0 + place),
                2.0,
                1234.5,
            )
            family = "ResNet" if network else "Classical"
            note = "" if network else "Chosen on validation: 48 components."
            scores = judge(mine, 40).scores
            results.append(Result(name, family, mine, scores, 0.8, cost, note))
        return rank(results, resamples=40)

    return make


def compare(rows, **changes):
    told = {
        "title": "3 networks compared",
        "task": rows[0].result.predictions.task if rows else Task(("a", "b")),
        "version": "0.1.0",
        "date": "1 May 2025",
        "digest": "0123456789abcdef",
        "seed": 0,
        "minutes": 2.0,
        "machine": "A processor, 2 threads",
        "standings": rows,
        "classical": CLASSICAL,
        "split": "60 exams train.",
        "plan": (Setting("fit.batch", "64", "few exams"),),
        "recipe": "[fit]",
        "commands": ("medclf compare exams.csv",),
    }
    return Comparison(**told | changes)


@pytest.mark.parametrize("kind", ["binary", "exclusive", "ranked", "coexisting"])
def test_every_kind_of_task_gives_a_page_that_stands_by_itself(standings, kind):
    rows = standings(kind)
    text = render_comparison(compare(rows))
    page = Words(text)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="#|url\(#|labelledby=")([^")]+)', text):
        assert target in ids
    assert "http" not in text.replace("http-equiv", "")
    assert "script" not in {tag for tag, _ in page.tags}
    assert "secret-patient" not in text
    for row in rows:
        for name in ("auc", "accuracy"):
            assert f"{row.figure(name).value:.3f}".removeprefix("0") in page.words


def test_the_head_names_the_first_and_what_it_adds(standings):
    rows = standings()
    words = Words(render_comparison(compare(rows))).words
    area = rows[0].figure("auc")
    assert f"sprint comes first, with an AUC of {area.value:.3f}".replace(" 0.", " .") in words
    assert "above that of pca, which needs no network" in words
    plain = standings(names=("pca", "sprint"))
    words = Words(render_comparison(compare(plain))).words
    assert "No network surpasses what needs none: the AUC of sprint is" in words


def test_the_head_says_how_many_of_the_others_are_told_apart(standings):
    rows = standings(names=("sprint", "pca", "hog"))

    def told(*chances):
        others = [replace(row, p=p) for row, p in zip(rows[1:], chances, strict=False)]
        return Words(render_comparison(compare((rows[0], *others)))).words

    one = rows[1].result.name
    assert f"{one} is told apart from it at the 5 % level." in told(0.01)
    assert f"{one} is not told apart from it at the 5 % level." in told(0.2)
    assert "All of the 2 others are told apart from it" in told(0.01, 0.01)
    assert "1 of the 2 others is told apart from it" in told(0.2, 0.01)
    assert "None of the 2 others is told apart from it" in told(0.2, 0.2)


def test_cautions_say_what_weakens_the_figures(standings):
    rows = standings()
    words = Words(render_comparison(compare(rows))).words
    assert "Who comes first was seen on these very exams" in words
    assert "see each exam fewer than 5 times" in words
    words = Words(render_comparison(compare(rows, unseen=False, shut=12))).words
    assert "12 test exams stayed shut" in words
    assert "that were left out of training" in words


def test_failures_are_told_below_the_standings(standings):
    failure = Failure("vgg16", "VGG", "there was not enough memory")
    words = Words(render_comparison(compare(standings(), failures=(failure,)))).words
    assert "Came to nothing vgg16 VGG there was not enough memory" in words
    none = Words(render_comparison(compare((), failures=(failure,)))).words
    assert "No entry came to its end" in none


def test_hostile_words_do_no_harm(standings):
    names = ("sprint", EVIL, "pca")
    page = render_comparison(
        compare(standings(names=names), title=EVIL, split=EVIL, commands=(EVIL,), machine=EVIL)
    )
    parsed = Words(page)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert EVIL in "".join(parsed.parts)


def test_costs_are_written_for_people(standings):
    costs = tell_costs(standings(), 2.0, "A processor, 2 threads")
    rows = dict(costs.rows)
    assert [cell.replace("\xa0", " ") for cell in rows["resnet18"]] == [
        "11.0 M",
        "450 M",
        "3.0",
        "1 min 15 s",
        "30.0 ms",
        "2.00 ms",
        "1,234 MiB",
    ]
    assert rows["pca"][:3] == ("–", "–", "–")
    assert costs.notes == (("pca", "Chosen on validation: 48 components."),)
    assert "had 2 min 0 s" in costs.words
    assert tell_costs((), 2.0, "") is None


def test_the_table_compares_with_the_first_alone(standings):
    rows = standings()
    table = tell_standings(rows, {}, unseen=True, split="").table
    first, second, *_ = table.groups[0].rows
    assert [cell.text for cell in first.cells[1:3]] == ["", ""]
    assert second.cells[1].text.startswith("−")
    assert table.headings[-1] == "AUC on validation"
    assert len(tell_standings(rows, {}, unseen=False, split="").table.headings) == 3


def test_the_frontier_is_drawn_with_a_name_to_every_point(standings):
    trade = tell_trade(standings(), CLASSICAL)
    assert [chart.title for chart in trade.charts] == ["AUC and latency", "Accuracy and latency"]
    drawn = trade.charts[0].svg
    assert all(f">{name}</text>" in drawn for name in SPEEDS)
    assert "resnet18" in re.search(r'aria-label="([^"]*)"', drawn)[1]


def test_a_tick_is_written_where_it_stands(standings):
    drawn = tell_trade(standings(), CLASSICAL).charts[0].svg
    found = re.findall(r'<text[^>]*y="([\d.]+)"[^>]*>(\.\d+)</text>', drawn)
    heights, ticks = np.array(found, float).T
    steps = np.diff(ticks) / np.diff(heights)
    assert len(ticks) > 3
    assert steps == pytest.approx(np.full(len(steps), steps[0]), rel=0.02)


def test_of_many_entries_only_the_frontier_is_named(standings):
    names = tuple(f"net{i}" for i in range(20))
    trade = tell_trade(standings(names=names, exams=40), CLASSICAL)
    drawn = trade.charts[0].svg
    assert ">net0</text>" in drawn
    assert drawn.count("</text>") < 30
    assert "Only points on the frontier are named" in trade.charts[0].caption


def test_the_same_comparison_gives_the_same_page(standings, tmp_path):
    comparison = compare(standings())
    path = write_comparison(tmp_path / "compare.html", comparison)
    assert path.read_text(encoding="utf-8") == render_comparison(comparison)
    assert path.stat().st_size < 300_000
