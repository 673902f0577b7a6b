"""`medclf inspect --expect CLASS --by RUN`: images that are not of the class that was expected."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medclf.curate.audit import audit
from medclf.curate.cohort import read_cohort
from medclf.curate.stranger import LIKELY, Level, find_level, lowest_usual
from medclf.expected import expect


@pytest.fixture
def new(pictures, tmp_path) -> Path:
    """Twenty pictures that are bright above, and one that is bright below."""
    for number in range(20):
        place = tmp_path / "new" / ("nodule" if number % 2 else "normal")
        place.mkdir(parents=True, exist_ok=True)
        (picture,) = pictures.rglob(f"{2 * number + 1:03d}.png")
        shutil.copy(picture, place / f"{number}.png")
    (wrong,) = pictures.rglob("002.png")
    shutil.copy(wrong, tmp_path / "new" / "nodule" / "wrong.png")
    return tmp_path / "new"


def test_strangers_are_found_and_the_others_are_not(trained, new):
    found = expect(trained, "above").find_strangers(read_cohort(new))
    assert (found.expected, found.judged) == ("above", 21)
    assert found.level == Level(LIKELY, own=5, alarms=0, others=5, caught=1)
    (one,) = found.found
    assert (one.exam, one.alike) == ("nodule/wrong.png", "below")
    assert one.share < LIKELY < one.alike_share
    everyone = expect(trained, "below").find_strangers(read_cohort(new))
    assert len(everyone.found) == 20
    shares = [one.share for one in everyone.found]
    assert shares == sorted(shares)


def test_what_a_run_cannot_judge_is_a_stranger_and_what_nobody_reads_is_not(trained, new):
    colours = np.random.default_rng(0).integers(0, 255, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(colours).save(new / "normal" / "photo.png")
    (new / "normal" / "cut.png").write_bytes(b"")
    cohort = read_cohort(new)
    found = audit(cohort, strangers=expect(trained, "above").find_strangers(cohort))
    assert found.strangers is not None
    assert found.strangers.judged == 22
    reasons = {one.exam: one.reason for one in found.strangers.found}
    assert set(reasons) == {"normal/photo.png", "nodule/wrong.png"}
    assert "colour" in reasons["normal/photo.png"]
    (problem,) = (problem for problem in found.problems if problem.kind == "stranger")
    assert not problem.grave
    assert set(problem.exams) == set(reasons)


def test_each_image_of_an_exam_is_judged(trained, new):
    rows = "path,label,exam\nnodule/1.png,a,one\nnodule/wrong.png,a,one\nnormal/2.png,b,two\n"
    (new / "exams.csv").write_text(rows)
    cohort = read_cohort(new / "exams.csv")
    found = expect(trained, "above").find_strangers(cohort)
    assert found.judged == 3
    assert [(one.exam, one.image) for one in found.found] == [
        ("one", list(cohort.records[0].images)[1])
    ]


def test_inspect_tells_of_strangers_and_shows_them_first(medclf, trained, new, tmp_path):
    words = ("inspect", new, "--expect", "above", "--by", trained)
    told = medclf(*words, "--json", "--out", tmp_path / "out", "--pictures", 4)
    found = json.loads(told.out)
    assert told.code == 0
    assert found["strangers"]["found"][0]["alike"] == "below"
    (problem,) = (one for one in found["problems"] if one["kind"] == "stranger")
    assert problem["exams"] == ["nodule/wrong.png"]
    assert "1 of 21 images do not look like above to" in problem["message"]
    assert "nodule/wrong.png (like below 0.5" in problem["message"]
    assert (tmp_path / "out" / "montage.png").exists()
    told = medclf(*words, "--pictures", 0)
    assert "warning stranger: 1 of 21 images" in told.out
    assert "below 0.5, as are 0 % of the run's 5 validation exams of it and 100 % of 5" in told.out


def test_what_cannot_be_expected_is_refused_before_reading(refuse, trained, tmp_path):
    def ask(*options: object, words: tuple[object, ...]) -> None:
        refuse("inspect", tmp_path / "nothing", *options, words=words)

    ask("--expect", "skin", "--by", trained, words=("the class 'skin' wanted, found above, below",))
    ask("--expect", "above", "--by", tmp_path / "no", words=("no: a run folder wanted",))
    both = ("--expect CLASS and --by RUN wanted together",)
    ask("--expect", "above", words=("--expect above", *both))
    ask("--by", trained, words=(f"--by {trained}", *both))


def test_volumes_are_not_judged_by_a_run_of_pictures(refuse, trained, tmp_path):
    for number in range(4):
        place = tmp_path / "volumes" / ("a" if number % 2 else "b")
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / f"{number}.npy", np.full((8, 8, 8), number, np.uint8))
    refuse(
        *("inspect", tmp_path / "volumes", "--expect", "above", "--by", trained, "--pictures", 0),
        words=(f"images that {trained} can judge wanted", "a picture (2D) wanted, found a volume"),
    )


def test_the_level_is_what_new_exams_seldom_lie_below():
    rng = np.random.default_rng(0)
    levels = np.array([lowest_usual(rng.random(299), 0.01) for _ in range(2000)])
    assert levels.mean() == pytest.approx(0.01, abs=0.001)
    own = np.arange(12) < 9
    sure = find_level(np.where(own, 0.99, 0.4), own)
    assert (sure.value, sure.alarms, sure.caught, sure.tells) == (LIKELY, 0, 1, True)
    doubtful = find_level(np.where(own, 0.1, 0.4), own)
    assert (doubtful.value, doubtful.caught, doubtful.tells) == (0.1, 0, False)


def test_a_run_that_does_not_tell_the_class_is_refused(refuse, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    table = tmp_path / "run" / "predictions.csv"
    table.write_text(table.read_text().replace(",above,", ",below,", 4))
    words = ("a run that tells below from all else wanted", "0 % of 1 validation exams")
    refuse("inspect", tmp_path, "--expect", "below", "--by", tmp_path / "run", words=words)
