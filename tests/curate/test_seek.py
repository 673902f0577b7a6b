"""Files that a table of exams to judge names, and that are not all there."""

import zipfile

import pytest

from medclf.core.record import Source
from medclf.curate.cohort import Columns, read_unlabelled
from medclf.errors import CohortError, ReadError
from medclf.read.image import read_image


@pytest.mark.parametrize("packed", [False, True])
def test_a_missing_file_is_one_that_cannot_be_read_where_others_are_there(tmp_path, packed):
    table, images = tmp_path / "exams.csv", tmp_path / "images"
    table.write_text("path,age\na.png,40\nb.png,50\n")
    images.mkdir()
    columns = Columns(images=images)
    with pytest.raises(CohortError, match=r"2 of 2 files missing: a.png, b.png; .* --images"):
        read_unlabelled(table, columns, absent=True)
    (images / "a.png").touch()
    if packed:
        columns = Columns(images=tmp_path / "images.zip")
        with zipfile.ZipFile(columns.images, "w") as archive:
            archive.writestr("a.png", "")
    with pytest.raises(CohortError, match=r"1 of 2 files missing: b.png"):
        read_unlabelled(table, columns)
    there, gone = read_unlabelled(table, columns, absent=True).records
    assert there.source == (Source(columns.images, "a.png") if packed else Source(images / "a.png"))
    assert (gone.name, gone.facts["age"]) == ("b.png", 50)
    with pytest.raises(ReadError, match=r"b\.png.* no such member|b\.png.*No such file"):
        read_image(gone.source)


def test_a_missing_mask_is_no_matter_of_other_exams(tmp_path):
    (tmp_path / "a.png").touch()
    table = tmp_path / "exams.csv"
    table.write_text("path,mask\na.png,gone.png\n")
    (one,) = read_unlabelled(table, absent=True).records
    assert one.source.mask == Source(tmp_path / "gone.png")
    with pytest.raises(CohortError, match=r"row 2: the mask gone.png is missing"):
        read_unlabelled(table)
