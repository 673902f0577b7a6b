"""Every hard case: medclf reads it right and says what must be said, or refuses it."""

import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.curate.phantom.hard.case import Truth, Volume
from medclf.curate.phantom.hard.judge import (
    REFUSED,
    RIGHT,
    TOLD,
    WRONG,
    Output,
    affine_places,
    judge,
)
from medclf.curate.phantom.hard.scene import Field, Slab, turned
from medclf.curate.phantom.hard.slices import make_stack
from medclf.curate.phantom.hard.table import CASES
from medclf.curate.phantom.hard.trial import try_medclf


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_is_right_or_refused(case, tmp_path):
    truth = case.write(tmp_path, np.random.default_rng(0))
    attempt = try_medclf(tmp_path / truth.root)
    verdict = judge(truth, attempt.outputs, attempt.remarks, attempt.loud)
    assert verdict == (RIGHT if truth.images else REFUSED), attempt.messages
    assert not any("\n" in message for message in attempt.messages)


def test_there_are_at_least_65_cases_of_different_names():
    assert len({case.name for case in CASES}) == len(CASES) >= 65


def test_a_case_is_the_same_from_the_same_seed(tmp_path):
    case = CASES[0]
    for name in "ab":
        (tmp_path / name).mkdir()
        case.write(tmp_path / name, np.random.default_rng(3))
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}


class TestJudge:
    scene, slab = Field(), Slab(shape=(4, 5, 6))
    truth = Truth((Volume((scene,), 4 * 5 * 6),))

    def output(self, flip=False):
        steps = self.slab.axes * np.array(self.slab.spacing_mm)[:, None]
        places = affine_places(self.slab.shape, self.slab.origin_mm, steps)
        values = self.scene.at(places)
        return Output(values[None, None, ::-1] if flip else values[None, None], places)

    def test_right(self):
        assert judge(self.truth, [self.output()], [], loud=False) == RIGHT

    def test_slices_in_the_wrong_order_are_wrong(self):
        assert judge(self.truth, [self.output(flip=True)], [], loud=False) == WRONG

    def test_other_axes_are_right_where_places_follow(self):
        one = self.output()
        turned_over = Output(one.values[..., ::-1], one.places_mm[:, :, ::-1])
        assert judge(self.truth, [turned_over], [], loud=False) == RIGHT

    def test_a_lost_slice_is_wrong_unless_told(self):
        one = self.output()
        less = Output(one.values[:, :, 1:], one.places_mm[1:])
        assert judge(self.truth, [less], [], loud=False) == WRONG
        assert judge(self.truth, [less], ["something"], loud=False) == TOLD

    def test_nothing_is_a_refusal_only_where_it_was_said(self):
        assert judge(self.truth, [], [], loud=True) == REFUSED
        assert judge(self.truth, [], [], loud=False) == WRONG

    def test_an_image_where_none_may_come_is_wrong(self):
        assert judge(Truth(), [self.output()], [], loud=False) == WRONG
        assert judge(Truth(), [], [], loud=True) == REFUSED


def test_slices_state_their_places_as_pydicom_reads_them():
    slab = Slab(axes=turned(10, 20, 30))
    (first, *_) = make_stack(Field(), slab)
    x, y, z = (float(mm) for mm in first.ImagePositionPatient)
    assert (z, y, x) == pytest.approx(slab.origin_mm)
    assert [float(part) for part in first.ImageOrientationPatient[:3]] == pytest.approx(
        slab.axes[2, ::-1]
    )
    assert Grid(slab.spacing_mm).spacing_mm[1:] == tuple(float(mm) for mm in first.PixelSpacing)
    stored = first.pixel_array[2, 3] + first.RescaleIntercept
    place = slab.corner(0) + 2 * 0.8 * slab.axes[1] + 3 * 0.7 * slab.axes[2]
    assert stored == pytest.approx(Field().at(place), abs=0.5)
