from pathlib import Path

import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Point, Record, Source
from medclf.errors import ReadError
from medclf.prepare.exam import Prepare, place_image, prepare_image
from medclf.prepare.marked import Mark
from medclf.prepare.order import once_in_turn
from medclf.prepare.place import ASIDE, AXES, add_places, asks_place

RNG = np.random.default_rng(0)
VALUES = RNG.integers(0, 200, (1, 20, 24, 28)).astype(np.uint8)
GRID = Grid((2.0, 1.0, 1.0), (10.0, -5.0, 3.0), np.eye(3))
IMAGE = Image(VALUES, GRID)
AROUND = Prepare((4, 6, 6), 1, crop="point")


def test_what_lies_around_a_point_is_cut_out():
    by_sample = prepare_image(IMAGE, AROUND, "a", mark=Mark(Point((9.5, 11.5, 13.5), "samples")))
    np.testing.assert_array_equal(by_sample, VALUES[:, 8:12, 9:15, 11:17])
    mm = GRID.to_mm(np.array([9.5, 11.5, 13.5]))
    by_mm = prepare_image(IMAGE, AROUND, "a", mark=Mark(Point(tuple(mm), "mm")))
    np.testing.assert_array_equal(by_mm, by_sample)


def test_spacing_decides_how_much_is_cut_out():
    wide = Prepare((4, 6, 6), 1, spacing_mm=(2.0, 2.0, 2.0), crop="point")
    point = Point((9.5, 11.5, 13.5), "samples")
    found = place_image(IMAGE, wide, "a", mark=Mark(point))
    corners = found.to_mm(np.array([[-0.5] * 3, [3.5, 5.5, 5.5]]))
    assert np.allclose(corners[1] - corners[0], (8, 12, 12))
    assert np.allclose(corners.mean(0), GRID.to_mm(np.array(point.at)), atol=0.51)


def test_a_point_is_found_after_turning():
    turned = Image(VALUES[:, ::-1], Grid((2.0, 1.0, 1.0), (48.0, -5.0, 3.0), np.diag([-1.0, 1, 1])))
    settings = Prepare((4, 6, 6), 1, crop="point", orientation="patient")
    one = prepare_image(IMAGE, settings, "a", mark=Mark(Point((9.5, 11.5, 13.5), "samples")))
    other = prepare_image(turned, settings, "a", mark=Mark(Point((9.5, 11.5, 13.5), "samples")))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("point", "told"),
    [
        (None, "a.nii: a marked point wanted, found none"),
        (Point((1.0, 2.0), "samples"), "a.nii: a point of 3 numbers wanted, found 1, 2 samples"),
        (
            Point((99.0, 2.0, 2.0), "samples"),
            "a.nii: a point in the image wanted",
        ),
    ],
)
def test_points_that_mean_nothing_are_refused(point, told):
    with pytest.raises(ReadError, match=told):
        prepare_image(IMAGE, AROUND, "a.nii", mark=Mark(point))


@pytest.mark.parametrize("orientation", ["file", "patient"])
def test_the_box_around_a_mask_is_cut_out(orientation):
    mask = np.zeros((1, 20, 24, 28), np.uint8)
    mask[:, 5:15, 4:14, 8:18] = 3
    turned = Grid((2.0, 1.0, 1.0), (48.0, -5.0, 3.0), np.diag([-1.0, 1, 1]))
    settings = Prepare((12, 12, 12), 1, crop="mask", orientation=orientation)
    found = prepare_image(Image(VALUES, turned), settings, "a", mark=Mark(mask=Image(mask)))
    wanted = VALUES[:, 4:16, 3:15, 7:19]
    np.testing.assert_array_equal(found, wanted[:, ::-1] if orientation == "patient" else wanted)


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (None, 'a.nii: a mask wanted by prepare.crop "mask", found none'),
        (Image(np.zeros((1, 20, 24, 28), np.uint8)), "a.nii: a mask of something wanted"),
        (Image(np.ones((1, 4, 4, 4), np.uint8)), r"a.nii: a mask of \(20, 24, 28\) samples wanted"),
    ],
)
def test_masks_that_mean_nothing_are_refused(mask, told):
    with pytest.raises(ReadError, match=told):
        prepare_image(IMAGE, Prepare((4, 4, 4), 1, crop="mask"), "a.nii", mark=Mark(mask=mask))


def test_an_image_is_read_once_for_its_points():
    read = []

    def reader(source):
        read.append(source)
        return IMAGE

    again = once_in_turn(reader)
    for at in (1.0, 2.0, 3.0):
        again(Source("a.nii", point=Point((at, at, at), "samples")))
    again(Source("b.nii", point=Point((1.0, 1.0, 1.0), "samples")))
    assert read == [Source("a.nii"), Source("b.nii")]


@pytest.mark.parametrize("point", [None, Point((1.0, 2.0), "samples")])
def test_a_point_without_a_place_is_refused(point):
    record = Record("a", {"image": Source("a.nii", point=point)}, "p")
    with pytest.raises(ReadError, match=r"a marked point wanted|a point of 3 numbers wanted"):
        add_places([record], lambda source: IMAGE)


def test_places_lie_within_the_body():
    values = np.zeros((1, 20, 24, 28), np.float32)
    values[:, 4:16, 6:18, 4:24] = 100 + RNG.normal(0, 5, (12, 12, 20))
    image = Image(values, GRID)
    points = [(4.0, 6.0, 4.0), (9.5, 11.5, 13.5), (15.0, 17.0, 23.0)]
    records = [
        Record(
            str(n), {"image": Source("a.nii", point=Point(tuple(map(float, at)), "samples"))}, "p"
        )
        for n, at in enumerate(points)
    ]
    placed = add_places(records, lambda source: image)
    found = np.array([[record.facts[name] for name in (*AXES, ASIDE)] for record in placed])
    assert np.allclose(found, [[0, 0, 0, 0.5], [0.5] * 3 + [0], [1, 1, 1, 0.5]], atol=0.1)


def test_exams_without_a_place_stay_as_they_are_where_they_may():
    def read(source):
        if source.path.name == "bad.nii":
            raise ReadError("bad.nii: damaged")
        return IMAGE

    told = [("a.nii", (4.0, 6.0, 4.0)), ("a.nii", (1.0, 2.0)), ("bad.nii", (4.0, 6.0, 4.0))]
    sources = [Source(Path(name), point=Point(at, "samples")) for name, at in told]
    records = [Record(str(n), {"image": source}, "p") for n, source in enumerate(sources)]
    with pytest.raises(ReadError):
        add_places(records, read)
    found = add_places(records, read, skip_unreadable=True)
    assert found[:1] == add_places(records[:1], read)
    assert found[1:] == tuple(records[1:])


def test_places_in_pictures_have_two_axes():
    picture = Image(RNG.integers(0, 200, (1, 24, 28)).astype(np.uint8))
    record = Record("a", {"image": Source("a.png", point=Point((23.0, 0.0), "samples"))}, "p")
    (placed,) = add_places([record], lambda source: picture)
    assert placed.facts == {"place_y": 1, "place_x": 0, ASIDE: 0.5}


@pytest.mark.parametrize("unit", ["mm", "samples"])
def test_landmarks_that_are_asked_for_are_told_in_mm(unit):
    sample = np.array([9.0, 11.0, 13.0])
    at = GRID.to_mm(sample) if unit == "mm" else sample
    source = Source("a.nii", point=Point(tuple(at), unit))
    z, y, x = GRID.to_mm(sample)
    carina = {"carina_z_mm": z + 3, "carina_y_mm": y + 4, "carina_x_mm": x}
    size = {"size_z_mm": 9.0, "size_y_mm": 9.0, "size_x_mm": 9.0}
    records = [
        Record("a", {"image": source}, "p", facts=carina | size),
        Record("b", {"image": source}, "p", facts=carina | {"carina_x_mm": None}),
        Record("c", {"image": source}, "p"),
    ]
    asked = (*AXES, "mm_from_carina")
    one, lacking, without = add_places(records, lambda source: IMAGE, asked=asked)
    assert one.facts["mm_from_carina"] == pytest.approx(5)
    assert set(one.facts) - set(records[0].facts) == {*asked, ASIDE}
    assert lacking.facts["mm_from_carina"] is None
    assert "mm_from_carina" not in without.facts
    unplaced = Image(VALUES, Grid((2.0, 1.0, 1.0)))
    if unit == "samples":
        (one,) = add_places(records[:1], lambda source: unplaced, asked=asked)
        assert "mm_from_carina" not in one.facts


def test_places_are_told_apart_from_other_facts():
    assert asks_place(("age", ASIDE))
    assert asks_place(("mm_from_carina",))
    assert not asks_place(("age", "carina_z_mm"))
