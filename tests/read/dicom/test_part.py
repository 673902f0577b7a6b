import numpy as np
import pytest

from medclf.read.dicom.part import Group, part, tell_groups

AXIAL = np.eye(3)[1:]
CORONAL = np.array([[-1.0, 0, 0], [0, 0, 1]])


@pytest.fixture
def stack(make_header):
    """Make the headers of slices 2.5 mm apart, from a height on."""

    def make(count, first=0.0, **stated):
        return [make_header(first + 2.5 * number, **stated) for number in range(count)]

    return make


def told(headers):
    """Names of the groups, and the numbers of their members."""
    return {group.name: group.members for group in part(headers)}


def test_one_stack_is_one_group(stack):
    assert told(stack(4)) == {"": (0, 1, 2, 3)}


@pytest.mark.parametrize(
    ("other", "names"),
    [
        ({"localizer": True}, {PLACED := "slices with a place", "localizer"}),
        ({"axes": CORONAL}, {"axial", "coronal"}),
        ({"rows": 40}, {"20 x 24", "40 x 24"}),
        ({"spacing_mm": (0.4, 0.7)}, {"pixels of 0.8 x 0.7 mm", "pixels of 0.4 x 0.7 mm"}),
        ({"modality": "PT"}, {"MR", "PT"}),
        ({"frame_of_reference": "1.9"}, {"1.3", "1.9"}),
    ],
)
def test_what_differs_is_named(stack, other, names):
    found = told([*stack(3), *stack(3, **other)])
    assert (set(found), list(found.values())) == (names, [(0, 1, 2), (3, 4, 5)])


def test_directions_and_spacings_as_files_round_them_are_one(stack):
    rounded = np.array([[0, 1, 5e-4], [0, -5e-4, 1]])
    assert len(part([*stack(2), *stack(2, 5.0, axes=rounded, spacing_mm=(0.8005, 0.7))])) == 1


def test_images_without_a_place_and_of_several_frames_stand_alone(stack, make_header):
    alone = [make_header(None, "a.dcm"), make_header(0, "b.dcm", frames=5)]
    assert told([*stack(2), *alone]) == {PLACED: (0, 1), "a.dcm": (2,), "b.dcm": (3,)}


def test_files_of_one_concatenation_are_one_image(make_header):
    files = [make_header(0, f"{n}.dcm", frames=2, concatenation=f"1.{n % 2}") for n in range(4)]
    assert told(files) == {"0.dcm": (0, 2), "1.dcm": (1, 3)}


def test_copies_go_with_their_first(stack):
    echoes = [*stack(2, EchoTime=10.0), *stack(2, EchoTime=20.0)]
    for number, header in enumerate(echoes):
        object.__setattr__(header, "instance", str(number))
    assert told([*echoes, echoes[2]]) == {"echo 10 ms": (0, 1), "echo 20 ms": (2, 3, 4)}


def test_names_that_are_there_twice_are_numbered(make_header):
    assert list(told([make_header(None, "a.dcm"), make_header(None, "a.dcm")])) == [
        "a.dcm",
        "a.dcm 2",
    ]


def test_marks_part_images_of_the_same_places_one_after_the_other(stack):
    images = [
        header
        for echo in (10.0, 20.0)
        for kind in ("M", "P")
        for header in stack(3, EchoTime=echo, ImageType=kind)
    ]
    assert list(told(images)) == [
        *("M, echo 10 ms", "M, echo 20 ms", "P, echo 10 ms", "P, echo 20 ms"),
    ]


def test_images_without_the_mark_come_first(stack):
    assert list(told([*stack(2, DiffusionBValue=900.0), *stack(2)])) == [
        *("no DiffusionBValue", "b 900"),
    ]


def test_a_mark_that_explains_little_parts_nothing(stack):
    odd = stack(1, EchoTime=20.0)
    assert list(told([*stack(5, EchoTime=10.0), *odd])) == [""]


def test_moments_stay_together(stack):
    timed = [header for time in (10.0, 20.0) for header in stack(3, TriggerTime=time)]
    assert list(told(timed)) == [""]


@pytest.mark.parametrize(("count", "parted"), [(2, True), (4, True), (5, False)])
def test_few_acquisitions_are_images_and_many_are_moments(stack, count, parted):
    images = [
        header
        for number in range(count)
        for header in stack(3, AcquisitionNumber=float(number), AcquisitionTime=60.0 * number)
    ]
    assert len(part(images)) == (count if parted else 1)


def test_kernels_that_lie_between_each_other_are_parted(make_header):
    pictures = [
        make_header(1.25 * n, axes=AXIAL.copy(), ConvolutionKernel=("soft", "sharp")[n % 2])
        for n in range(8)
    ]
    assert list(told(pictures)) == ["kernel sharp", "kernel soft"]
    assert list(told(pictures[:4])) == [""]


def test_acquisitions_that_lie_between_each_other_are_parted(stack):
    one, other = (stack(4, 1.25 * n, AcquisitionNumber=float(n)) for n in range(2))
    assert list(told([*one, *other])) == ["acquisition 0", "acquisition 1"]


def test_acquisitions_that_follow_each_other_are_one_stack(stack):
    one, other = (stack(4, 10.0 * n, AcquisitionNumber=float(n)) for n in range(2))
    assert list(told([*one, *other])) == [""]


def test_an_uneven_stack_is_parted_by_what_makes_even_ones_of_it(stack):
    images = [*stack(4, EchoTime=10.0), *stack(4, 1.0, EchoTime=20.0)]
    assert list(told(images)) == ["echo 10 ms", "echo 20 ms"]


def test_few_groups_are_named_and_many_cut_off():
    groups = [Group((0, 1), "a"), Group((2,), "b")]
    assert tell_groups(groups) == "2: a (2); b (1)"
    assert tell_groups(groups * 3) == "6: a (2); b (1); a (2); b (1); …"
