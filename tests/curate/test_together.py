"""Exams that show the same are dealt into one part, whatever was done to the picture since."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate import together
from medclf.curate.balance import deal_apart, is_dealt
from medclf.curate.join import join_alike, join_exams
from medclf.curate.together import find_together
from medclf.errors import CohortError

TASK = Task(("no", "yes"))


def exam(name: str, number: int, patient: str = "", split: str = "", **images: Path) -> Record:
    sources = {view: Source(path) for view, path in images.items()}
    return Record(name, sources, patient or name, number % 2, split)


def numbered(total: int, **facts: str) -> Cohort:
    return Cohort(tuple(exam(f"e{i:02}", i, **facts) for i in range(total)), TASK, Path("made"))


@pytest.fixture
def pictures(tmp_path: Path, clouds) -> Cohort:
    """Forty pictures, each beside a darker crop of it; the first also stands in a file again."""
    records = []
    for i, values in enumerate(clouds(40, (64, 64))[:, 0]):
        image = Pillow.fromarray(values)
        image.save(tmp_path / f"{i}.png")
        image.crop((2, 1, 63, 62)).point(lambda p: p * 0.8).save(tmp_path / f"{i}c.png")
        records.append(exam(f"{i:02}", i, image=tmp_path / f"{i}.png"))
        records.append(exam(f"{i:02}c", i, image=tmp_path / f"{i}c.png"))
    Pillow.open(tmp_path / "0.png").save(tmp_path / "0.bmp")
    records.append(exam("again", 0, image=tmp_path / "0.bmp"))
    return Cohort(tuple(records), TASK, tmp_path)


@pytest.mark.parametrize("folds", [0, 4])
def test_copies_stay_together_in_splits_and_folds(pictures, folds):
    cohort, alike = find_together(pictures)
    assert len(alike) == 40
    dealt = deal_apart(cohort, alike, seed=1, folds=folds)
    place = {
        r.name: (r.split, fold) for r, fold in zip(dealt.cohort.records, dealt.folds, strict=True)
    }
    assert all(place[f"{i:02}"] == place[f"{i:02}c"] for i in range(40))
    assert place["again"] == place["00"]
    assert len({split for split, _ in place.values()}) == 3
    assert len({fold for _, fold in place.values()}) == folds + 1
    told = " ".join(dealt.cohort.notes)
    assert "1 patient with an image that another has too" in told
    assert "40 patients with an image of the same look that another has too" in told


def test_any_image_of_an_exam_ties_it(tmp_path, clouds):
    one, two, three = clouds(3, (64, 64))[:, 0]
    for name, values in {"a": one, "b": two, "c": three, "d": two[::-1]}.items():
        np.save(tmp_path / f"{name}.npy", values)
    left = exam("left", 0, cc=tmp_path / "a.npy", mlo=tmp_path / "b.npy")
    right = exam("right", 1, cc=tmp_path / "c.npy", mlo=tmp_path / "d.npy")
    _, alike = find_together(Cohort((left, right), TASK, tmp_path))
    assert alike == [(0, 1)]


def test_what_cannot_be_read_and_what_are_too_many_is_told(pictures, monkeypatch):
    (pictures.origin / "5.png").write_bytes(b"")
    monkeypatch.setattr(together, "MOST", 80)
    cohort, alike = find_together(pictures)
    assert alike == []
    assert "1 image cannot be read: they may be copies all the same." in cohort.notes
    assert any("not looked for among 81 images" in note for note in cohort.notes)
    assert cohort.records[-1].patient == cohort.records[0].patient


def test_exams_are_joined_within_each_split_alone():
    records = numbered(2, split="train").records + numbered(4, split="test").records[2:]
    cohort = Cohort(records, TASK, Path("made"))
    joined = join_exams(cohort, [(0, 1, 2, 3)], "an image")
    assert [r.patient for r in joined.records] == ["e00", "e00", "e02", "e02"]
    assert join_exams(cohort, [(0, 2)], "an image") is cohort


def test_images_of_one_kind_are_no_copies():
    cohort = join_alike(numbered(12), [(0, 1), (2, 3, 4, 5, 6)])
    assert len({r.patient for r in cohort.records}) == 11
    assert "5 exams look the same, which is more than a third" in cohort.notes[-1]


def test_where_copies_together_cannot_be_dealt_they_are_parted_and_this_is_told():
    sick = tuple(range(1, 12, 2))
    dealt = deal_apart(numbered(40), [sick[:3], sick[3:], tuple(range(13, 24, 2)), (25, 27)])
    assert not any("not kept together" in note for note in dealt.cohort.notes)
    every = [tuple(range(k, 40, 4)) for k in (1, 3)]
    dealt = deal_apart(numbered(40), every)
    assert any("not kept together, since then: made: class yes" in n for n in dealt.cohort.notes)
    with pytest.raises(CohortError, match="3 patients wanted"):
        deal_apart(numbered(4), [])


@pytest.mark.parametrize(
    ("splits", "folds", "dealt"),
    [("", 0, True), ("train test", 0, True), ("train val test", 0, False), ("train val", 5, True)],
)
def test_what_the_data_state_is_not_dealt(splits, folds, dealt):
    records = tuple(exam(s or "x", i, split=s) for i, s in enumerate(splits.split(" ")))
    assert is_dealt(Cohort(records, TASK, Path("made")), folds) is dealt
