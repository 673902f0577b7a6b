"""How many candidates are judged is chosen on validation scans."""

from pathlib import Path

import numpy as np
import pytest

from medclf.core.record import Point, Source
from medclf.errors import SettingError
from medclf.locate.scans import Scan, Target
from medclf.prepare.exam import Prepare
from medclf.systems import screening
from medclf.systems.candidates import Candidates
from medclf.systems.many import Many, choose_many, chosen_many, expect_many
from medclf.systems.search import Search
from medclf.systems.work import Work
from medclf.watch import SILENT

TARGETS = 10


def make_work(folder, most=0):
    """A scan to learn from and one to validate on, each with ten targets 100 mm apart."""
    targets = tuple(Target("ball", Point((100.0 * n, 0.0, 0.0), "mm"), 6.0) for n in range(TARGETS))
    scans = [
        Scan(split, Source(folder / split), split, split, targets) for split in ("train", "val")
    ]
    prepare = Prepare((9, 9, 9), 1, spacing_mm=(1.0, 1.0, 1.0))
    search = Search("screen_then_judge", ("ball",), "", prepare, 1.0, options={"most": most})
    return Work(folder, search, scans, {}, SILENT)


def found_at(ranks):
    """800 candidates, of which those of some ranks, one for each target in turn, hit."""
    places = np.full((800, 3), -500.0)
    for target, rank in enumerate(ranks):
        places[rank] = (100.0 * target, 0.0, 0.0)
    return Candidates(places, np.ones(800), np.ones((800, 1)))


@pytest.mark.parametrize(
    ("ranks", "most"),
    [
        (range(10), 200),  # All among the first.
        ([*range(9), 300], 200),  # A single one more is chance.
        ([*range(8), 300, 301], 400),
        ([*range(6), 300, 301, 500, 501], 800),
        ([*range(8), 500, 501], 200),  # Twice as many bring nothing.
    ],
)
def test_more_candidates_are_judged_where_validation_finds_more_among_them(tmp_path, ranks, most):
    work = make_work(tmp_path)
    found = {"train": found_at([700] * TARGETS), "val": found_at(ranks)}
    many = choose_many(work, found)
    assert many.most == most
    assert many == chosen_many(tmp_path, work.search)
    assert many.among[800] == 1.0
    assert f"{sum(rank < 200 for rank in ranks) / TARGETS:.2f} among 200" in many.reason


@pytest.mark.parametrize(("said", "kept"), [(0, 200), (12, 12)])
def test_a_screen_puts_no_more_forward_than_are_judged(tmp_path, monkeypatch, said, kept):
    work = make_work(tmp_path, said)
    asked = []

    def screen(screen, image, search, most):
        asked.append(most)
        return found_at(range(10)).first(most)

    monkeypatch.setattr(screening, "screen_volume", screen)
    monkeypatch.setattr(Work, "volume", lambda work, scan: None)
    found = screening.search_scans(work, None)
    assert asked == [said or 800] * 2
    assert {len(one.places_mm) for one in found.values()} == {kept}
    again = screening.search_scans(work, None)
    assert {len(one.places_mm) for one in again.values()} == {kept}
    assert len(asked) == 2  # What was found is kept.


def test_what_the_person_says_holds(tmp_path):
    work = make_work(tmp_path, most=12)
    assert choose_many(work, {}) == chosen_many(tmp_path, work.search) == Many(12, {})
    assert not Path(tmp_path / "candidates.json").exists()
    with pytest.raises(SettingError, match="not -1"):
        expect_many(-1)
