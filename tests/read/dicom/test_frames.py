"""Frames of files that are made up in memory, in the order that their places tell."""

import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.curate.phantom.hard.enhanced import MR, make_file, make_item
from medclf.curate.phantom.hard.scene import Field, Slab, leaning
from medclf.errors import ReadError
from medclf.read.dicom.frames import arrange_frames
from medclf.read.dicom.grid import read_grid

SCENE, SLAB = Field(), Slab(shape=(5, 4, 3))


def arranged(frames, slab=SLAB, groups=lambda _: {}):
    """Arrange frames, each the number of a slice and what it shows."""
    dataset = make_file(frames, slab, MR, groups)
    values = np.stack([scene.at(slab.places(slab.corner(z))) for z, scene in frames])
    grid = read_grid(dataset, len(frames), "a.dcm") if len(frames) > 1 else Grid()
    image = Image(values[None], grid, "MR")
    return arrange_frames(image, dataset, "a.dcm"), image


def shown(image):
    """Numbers of the slices that come out, by the value of their first voxel."""
    heights = (image.values[..., 0, 0] - image.values.min()) / (21 * 2.5)
    return np.rint(heights).astype(int)


def test_frames_that_lie_evenly_stay_as_they_are():
    for order in (range(5), reversed(range(5))):
        found, image = arranged([(z, SCENE) for z in order])
        assert found is image


def test_frames_in_no_order_are_ordered():
    found, _ = arranged([(z, SCENE) for z in (3, 0, 4, 1, 2)])
    assert shown(found).tolist() == [[0, 1, 2, 3, 4]]
    assert found.grid.origin_mm == pytest.approx(SLAB.origin_mm)
    assert found.grid.spacing_mm == pytest.approx(SLAB.spacing_mm)


def test_equal_frames_of_one_place_are_copies():
    found, _ = arranged([(z, SCENE) for z in (0, 1, 2, 3, 4, 2)])
    assert [remark.kind for remark in found.remarks] == ["duplicate"]
    assert shown(found).tolist() == [[0, 1, 2, 3, 4]]


def test_frames_that_lean_are_straightened():
    found, image = arranged([(z, SCENE) for z in range(5)], Slab((5, 8, 6), axes=leaning(15)))
    assert [remark.kind for remark in found.remarks] == ["tilt"]
    assert found.values.shape[2] > image.values.shape[2]


def test_pictures_of_the_same_places_are_phases():
    order = [(z, SCENE.raised(100 * b)) for z in range(5) for b in (1, 0)]

    def groups(number):
        return {"MRDiffusionSequence": make_item(DiffusionBValue=1000.0 * ((number + 1) % 2))}

    found, _ = arranged(order, groups=groups)
    assert (found.values.shape, found.phases) == ((2, 1, 5, 4, 3), ("b 0", "b 1000"))
    np.testing.assert_allclose(found.values[1] - found.values[0], 100)
    assert [remark.kind for remark in found.remarks] == ["pictures"]


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        ((0, 1, 3, 4), r"missing .*lies above a\.dcm\[1\]"),
        ((0, 1, 2, 2, 3), "found 2 at most, 1 at least"),
    ],
)
def test_what_is_refused(slices, message):
    order = [(z, SCENE.raised(30 * number)) for number, z in enumerate(slices)]
    with pytest.raises(ReadError, match=f"^a.dcm: .*{message}"):
        arranged(order)


def test_pictures_of_other_places_are_refused():
    def groups(number):
        turn = [1, 0, 0, 0, 0, -1] if number > 3 else [1, 0, 0, 0, 1, 0]
        return {"PlaneOrientationSequence": make_item(ImageOrientationPatient=turn)}

    with pytest.raises(
        ReadError, match=r"frames of one image wanted, found 2: axial \(4\); coronal"
    ):
        arranged([(z, SCENE) for z in range(5)], groups=groups)


def test_frames_without_places_stay_as_they_are():
    dataset = make_file([(z, SCENE) for z in range(3)], SLAB)
    for item in dataset.PerFrameFunctionalGroupsSequence:
        del item.PlanePositionSequence
    image = Image(np.zeros((1, 3, 4, 3)), Grid(), "MR")
    assert arrange_frames(image, dataset, "a.dcm") is image
