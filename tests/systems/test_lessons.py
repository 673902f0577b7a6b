"""What stages learn from: how many cubes, and of what."""

from collections import Counter

import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Point, Source
from medclf.locate.scans import Scan, Target
from medclf.prepare.settings import Prepare
from medclf.systems.candidates import Candidates
from medclf.systems.lessons import judge_cohort, screen_cohort
from medclf.systems.search import Search
from medclf.systems.volume import keep_volume
from medclf.systems.work import Work
from medclf.watch import SILENT

MIDDLE = Target("ball", Point((30.0, 30.0, 30.0), "mm"), 4.0)


@pytest.fixture
def work(tmp_path):
    values = np.random.default_rng(0).integers(1, 255, (1, 60, 60, 60)).astype(np.uint8)
    keep_volume(Image(values, Grid((1.0,) * 3, (0.0,) * 3, np.eye(3))), tmp_path / "a.nii")
    scan = Scan("a", Source(tmp_path / "a.nii"), "p", "train", (MIDDLE,))
    prepare = Prepare((60, 60, 60), 1, (1.0, 1.0, 1.0))
    search = Search("screen_then_judge", ("ball",), "", prepare, 1.0, options={"epochs": 0})
    return Work(tmp_path, search, (scan,), {"a": tmp_path / "a.nii"}, SILENT)


def labels(cohort):
    return Counter(record.label for record in cohort.records)


def test_more_time_is_for_more_cubes_and_few_of_them_show_a_target(work):
    short, long = (labels(screen_cohort(work, seconds)) for seconds in (1.0, 12.0))
    assert short[0] == pytest.approx(800, rel=0.05)
    assert long[0] == pytest.approx(2250, rel=0.05)  # 12 s, 1000 cubes a second, 4 passes
    assert short[1] == long[1] == 49  # the target and its most copies
    places = np.array(
        [r.images["image"].point.at for r in screen_cohort(work, 1.0).records if not r.label]
    )
    assert np.linalg.norm(places - 30.0, axis=1).min() > 5.0


@pytest.mark.parametrize(("most", "fewest", "cubes"), [(200, 2, 4), (800, 1, 1)])
def test_candidates_come_with_copies_in_the_scan_fewer_where_they_are_many(
    work, most, fewest, cubes
):
    work.search.options["most"] = most
    at = np.array([[30.5, 30.0, 30.0], [0.0, 0.0, 59.0]])
    found = {"a": Candidates(at, np.ones(2), np.ones((2, 1)))}
    judged = judge_cohort(work, found)
    places = np.array([r.images["image"].point.at for r in judged.records])
    assert places.min() >= 0.0
    assert places.max() <= 59.0
    assert labels(judged)[1] == 1 + 36 + 1  # the target, its copies, and the candidate that hit
    assert fewest <= labels(judged)[0] <= cubes  # the one that missed, and its copies
