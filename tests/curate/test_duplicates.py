"""Groups of copies, and how grave each is, on looks that are made by hand."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from medclf.core.record import Record, Source
from medclf.curate.duplicates import find_duplicates, group_exact, group_near
from medclf.curate.survey import Look
from medclf.curate.thumbnail import EDGES


def cloud(seed: int | list[int], axes: int = 2) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(EDGES[axes],) * axes)
    smooth = gaussian_filter(noise, 2.5 - axes / 2)
    return smooth / smooth.std()


def look(exam: str, digest: str, shown: np.ndarray | None = None, **facts) -> Look:
    shown = cloud([*digest.encode()]) if shown is None else shown
    facts.setdefault("space", shown.shape)
    return Look(exam, "image", digest=digest, thumbnail=shown.astype(np.float16), **facts)


def record(name: str, split: str = "", label: int | None = 0, patient: str = "") -> Record:
    images = {"image": Source(Path(f"{name}.png"))}
    return Record(name, images, patient or name, label, split)


def found(records: list[Record], looks: list[Look]) -> dict:
    problems = {p.kind: p for p in find_duplicates(records, looks)}
    assert len(problems) == len(find_duplicates(records, looks))
    return problems


def test_copies_are_grouped_but_constant_and_unreadable_images_are_not():
    looks = [
        look("a", "1"),
        look("b", "2"),
        look("c", "1"),
        look("d", "3", constant=True),
        look("e", "3", constant=True),
        Look("f", "image", failure="f.png: cut short"),
        Look("g", "image", failure="g.png: cut short"),
        look("h", "2"),
        look("i", "1"),
    ]
    assert group_exact(looks) == [(0, 2, 8), (1, 7)]
    assert group_near(looks) == []


def test_what_looks_the_same_hangs_together_with_exact_copies():
    base, aside = cloud(0), cloud(1)
    turned = [base * np.cos(angle) + aside * np.sin(angle) for angle in (0, 0.35, 0.7, 1.05)]
    looks = [look(name, name, shown) for name, shown in zip("abcd", turned, strict=True)]
    looks += [look("e", "c", turned[2]), look("f", "f")]
    assert group_near(looks) == [(0, 1, 2, 3, 4)]
    assert group_near([looks[0], looks[3], looks[5]]) == []


def test_pictures_are_not_compared_with_volumes():
    volume = cloud(0, axes=3)
    looks = [
        look("a", "1", cloud(0)),
        look("b", "2", volume),
        look("c", "3", volume * 0.9 + 0.1),
    ]
    assert group_near(looks) == [(1, 2)]


def test_copies_within_a_split_are_a_warning():
    problem = found(
        [record("a", "train"), record("b", "train"), record("c", "train")],
        [look("a", "1"), look("b", "1"), look("c", "2")],
    )
    assert list(problem) == ["exact_duplicate"]
    assert not problem["exact_duplicate"].grave
    assert problem["exact_duplicate"].exams == ("a", "b")
    assert problem["exact_duplicate"].groups == (("a", "b"),)
    assert "1 image more than once" in problem["exact_duplicate"].message


@pytest.mark.parametrize(
    ("splits", "grave"),
    [(("train", "test"), True), (("val", "test"), True), (("train", "val"), False)],
)
def test_copies_in_two_splits_are_grave_where_one_is_the_test(splits, grave):
    records = [record(name, split) for name, split in zip("ab", splits, strict=True)]
    problem = found(records, [look("a", "1"), look("b", "1")])
    assert set(problem) == {"image_in_two_splits", "exact_duplicate"}
    assert problem["image_in_two_splits"].grave is grave
    assert "-".join(splits) in problem["image_in_two_splits"].message


@pytest.mark.parametrize(("split", "grave"), [("test", True), ("train", False), ("", False)])
def test_two_labels_are_grave_across_splits(split, grave):
    first = "train" if split else ""
    records = [record("a", first, 0), record("b", split, 1), record("c", split, None)]
    problem = found(records, [look("a", "1"), look("b", "1"), look("c", "1")])
    assert problem["two_labels"].grave is grave
    assert problem["two_labels"].exams == ("a", "b", "c")


def test_an_exam_without_label_contradicts_nothing():
    problem = found(
        [record("a", label=0), record("b", label=None)], [look("a", "1"), look("b", "1")]
    )
    assert "two_labels" not in problem


def test_near_copies_are_a_warning_that_counts_splits_and_labels():
    looks = [look(name, name, cloud(i // 2) * (1 + i % 2)) for i, name in enumerate("abcdef")]
    records = [
        record("a", "train", patient="x"),
        record("b", "train", patient="x"),
        record("c", "train", 0),
        record("d", "test", 1),
        record("e", "train"),
        record("f", "train"),
    ]
    problem = found(records, looks)["near_duplicate"]
    assert not problem.grave
    assert problem.groups == (("c", "d"), ("e", "f"), ("a", "b"))
    assert "3 groups" in problem.message
    assert "1 in more than one split (1 train-test)" in problem.message
    assert "1 with more than one label" in problem.message
    assert "2 under different patients" in problem.message


def test_an_image_twice_in_one_exam_is_told_once():
    images = {name: Source(Path(f"{name}.png")) for name in ("left", "right")}
    exam = Record("a", images, "a", 0)
    looks = [look("a", "1"), look("a", "1")]
    assert found([exam], looks)["exact_duplicate"].groups == (("a",),)
