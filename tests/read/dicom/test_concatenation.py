"""Parts of an enhanced image become one file, or are refused in one line that says why."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.dicom.concatenation import check_whole, join_parts

STORED = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3)


def part(number, start, end, total=2, bits=8, big=False):
    """Make a part of the five frames, its pixels filled up to an even length."""
    dataset = Dataset()
    dataset.Rows, dataset.Columns = STORED.shape[1:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.NumberOfFrames = bits, end - start
    dataset.ConcatenationUID, dataset.InConcatenationNumber = "1.2", number
    dataset.ConcatenationFrameOffsetNumber = start
    if total:
        dataset.InConcatenationTotalNumber = total
    dataset.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(start, end)]
    raw = STORED[start:end].tobytes()
    dataset.add_new("PixelData", "OB", raw + b"\0" * (len(raw) % 2))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if big else ExplicitVRLittleEndian
    dataset.set_original_encoding(False, not big, "iso8859")
    return dataset


def join(*parts):
    return join_parts(parts, [Source(f"{number}.dcm") for number in range(len(parts))], "s")


def test_frames_follow_each_other_without_what_fills_a_part():
    parts = [part(2, 3, 5), part(1, 0, 3)]
    joined = join(*parts)
    assert joined.PixelData == STORED.tobytes()
    assert (joined.NumberOfFrames, len(joined.PerFrameFunctionalGroupsSequence)) == (5, 5)
    assert check_whole(joined, "s") == ()
    assert [one.NumberOfFrames for one in parts] == [2, 3]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([part(1, 0, 3), part(1, 0, 3)], r"part 1 .* twice: 0\.dcm and 1\.dcm"),
        ([part(1, 0, 3, 3), part(2, 3, 5, 3)], "3 parts .* found 2; .* is part 3"),
        ([part(1, 0, 3, 3), part(3, 3, 5, 3)], "3 parts .* found 2; .* is part 2"),
        ([part(1, 0, 3), part(2, 3, 5, 3)], r"different numbers of parts: \[2, 3\]"),
        ([part(1, 0, 3), part(2, 4, 5)], r"1\.dcm: .* begins at frame 3 wanted, it states 4"),
        ([part(1, 0, 3, bits=1), part(2, 3, 5, bits=1)], "do not end with a whole byte"),
        ([part(1, 0, 3, big=True), part(2, 3, 5, big=True)], "do not end with a whole word"),
        ([part(1, 0, 3), part(2, 3, 5, bits=16)], "part 2 has another Bits Allocated"),
        ([part(1, 0, 3), part(2, 3, 5, big=True)], "part 2 has another transfer syntax"),
    ],
)
def test_what_cannot_be_joined(parts, told):
    with pytest.raises(ReadError, match=f"^(s|0.dcm): .*{told}"):
        join(*parts)


@pytest.mark.parametrize(
    ("keyword", "value", "told"),
    [
        ("InConcatenationNumber", None, "wants InConcatenationNumber, found 'None'"),
        ("InConcatenationNumber", 0, "wants InConcatenationNumber, found '0'"),
        ("PixelData", b"\0\0", "less pixel data than expected: 27 bytes wanted"),
        ("PerFrameFunctionalGroupsSequence", [], "other numbers of frames than of places"),
        ("SharedFunctionalGroupsSequence", [Dataset()], "another Shared Functional Groups"),
    ],
)
def test_a_part_that_lies(keyword, value, told):
    first = part(1, 0, 3)
    setattr(first, keyword, value)
    with pytest.raises(ReadError, match=told):
        join(first, part(2, 3, 5))


def test_a_part_alone_is_refused_or_told_of():
    assert check_whole(Dataset(), "a.dcm") == ()
    assert check_whole(part(1, 0, 5, total=1), "a.dcm") == ()
    (remark,) = check_whole(part(1, 0, 5, total=None), "a.dcm")
    assert (remark.kind, remark.grave) == ("parts", True)
    with pytest.raises(ReadError, match=r"^a\.dcm: a whole .* part 1 of 2 of a concatenation"):
        check_whole(part(1, 0, 3), "a.dcm")
    with pytest.raises(ReadError, match="found part 2 of a concatenation"):
        check_whole(part(2, 3, 5, total=None), "a.dcm")
