import numpy as np
import pytest

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.dicom.arrange import arrange, finish


@pytest.fixture
def lie(make_header):
    """Arrange slices at heights; those of `same` have equal pixels."""

    def make(*heights, same=(), beside=0.0, **stated):
        headers = [make_header(height, f"{n}.dcm", **stated) for n, height in enumerate(heights)]
        for number, header in enumerate(headers):
            header.place[1] += beside * number
        return arrange(headers, lambda one, other: {one, other} <= set(same), "s")

    return make


def kinds(found):
    return [remark.kind for remark in found.remarks]


def test_order_is_that_of_heights(lie):
    found = lie(5, 0, 2.5, 7.5)
    assert (found.order.tolist(), found.phases, found.remarks) == ([[1, 2, 0, 3]], (), ())


def test_copies_are_left_out_and_named(lie):
    found = lie(0, 2.5, 2.5, 5, same=(1, 2))
    assert found.order.tolist() == [[0, 1, 3]]
    (remark,) = found.remarks
    assert remark.message == "1 copy of a slice left out: 2.dcm"
    many = lie(*[0] * 6, 2.5, same=range(6)).remarks[0].message
    assert many == "5 copies of slices left out: 1.dcm, 2.dcm, 3.dcm, …"


def test_one_name_for_two_images_is_refused(lie):
    with pytest.raises(ReadError, match=r"^s: two images with one SOPInstanceUID: 0.dcm and 1.dcm"):
        lie(0, 0, 2.5, instance="1.2.3")
    assert kinds(lie(0, 0, 2.5, same=(0, 1), instance="1.2.3")) == ["duplicate"]


@pytest.mark.parametrize(
    ("heights", "message"),
    [
        ((0, 0, 2.5, 2.5), "found 2 that differ, and no echo, moment or acquisition"),
        ((0, 0, 2.5), "found 2 at most, 1 at least; 1 of 2 places have more"),
        ((0, 2, 2.02, 4), "one slice at each place wanted, found two 0.02 mm apart where .* 1.dcm"),
        ((0, 2.5, 7.5, 10), r"missing \(gaps: 1\); the first, 5 mm where 2.5 mm are usual.*1.dcm"),
    ],
)
def test_what_is_refused(lie, heights, message):
    with pytest.raises(ReadError, match=f"^s: .*{message}"):
        lie(*heights)


@pytest.mark.parametrize(
    ("heights", "stated", "kind", "grave"),
    [
        ((0, 2, 5, 8), {"thickness_mm": 4.0}, "uneven", True),
        ((0, 2.4, 5, 7.5), {}, "rounded", False),
        ((0, 6, 12), {}, "apart", True),
        ((0, 2.5, 5), {"NumberOfSlices": 5.0}, "cut", True),
        ((0, 2.5, 5), {"beside": 0.5}, "tilt", False),
    ],
)
def test_what_is_remarked(lie, heights, stated, kind, grave):
    (remark,) = lie(*heights, **stated).remarks
    assert (remark.kind, remark.grave) == (kind, grave)


def test_a_tilt_is_told_in_degrees(lie):
    (remark,) = lie(0, 2.5, 5, beside=2.5 * np.tan(np.radians(20))).remarks
    assert "lean by 20.0°" in remark.message


def test_slices_moved_each_for_itself_are_grave(make_header):
    headers = [make_header(2.5 * n) for n in range(3)]
    headers[1].place[2] += 3
    (remark,) = arrange(headers, None, "s").remarks
    assert (remark.kind, remark.grave) == ("beside", True)


def test_slices_wholly_beside_their_neighbour_are_refused(make_header):
    headers = [make_header(2.5 * n, f"{n}.dcm") for n in range(3)]
    headers[2].place[2] += 0.7 * 24.5
    with pytest.raises(ReadError, match=r"one wholly beside its neighbour: 1.dcm and 2.dcm"):
        arrange(headers, None, "s")


def test_interpolated_slices_that_would_fill_the_memory_are_refused(lie):
    with pytest.raises(ReadError, match=r"1 x 1 x 314 x 2048 x 2048 pixels; at most"):
        lie(0, 1, *range(9, 314, 8), thickness_mm=8.0, rows=2048, columns=2048)


def test_phases_that_lie_beside_each_other_are_refused(make_header):
    headers = [make_header(z, TriggerTime=t) for t in (0.0, 30.0) for z in (0, 2.5)]
    assert arrange(headers, lambda *_: False, "s").order.tolist() == [[0, 1], [2, 3]]
    headers[3].place[1] += 0.4
    with pytest.raises(ReadError, match=r"images of one place lie 0.5 pixels beside"):
        arrange(headers, lambda *_: False, "s")


def test_equal_pixels_of_different_moments_are_no_copies(make_header):
    headers = [make_header(z, TriggerTime=t) for t in (0.0, 30.0) for z in (0, 2.5)]
    found = arrange(headers, lambda *_: True, "s")
    assert (found.phases, found.remarks) == (("0 ms", "30 ms"), ())


def test_uneven_slices_are_finished_at_even_steps(lie):
    found = lie(0, 2, 4, 7, thickness_mm=3.0)
    values = np.array([0.0, 2, 4, 7])[None, None, :, None, None] * np.ones((20, 24))
    image = finish(values, Image(np.zeros((1, 20, 24)), found.stack.grid), found)
    np.testing.assert_allclose(image.values[0, :, 0, 0], [0, 2, 4, 6])
    assert image.grid.spacing_mm == (2, 0.8, 0.7)


def test_a_single_slice_is_finished_as_a_picture(lie):
    found = lie(3)
    image = finish(
        np.ones((1, 1, 1, 20, 24)), Image(np.zeros((1, 20, 24)), found.stack.grid), found
    )
    assert (image.values.shape, image.grid.spacing_mm) == ((1, 20, 24), (0.8, 0.7))
