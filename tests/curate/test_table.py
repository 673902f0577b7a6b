"""Columns: which of a table holds what."""

import pytest

from medclf.curate.table import Columns, choose_roles
from medclf.errors import CohortError


def columns_of(*names, **cells):
    return {name: ["x"] for name in names} | {name: list(some) for name, some in cells.items()}


@pytest.mark.parametrize("name", ["path", "File Name", "image", "IMG_PATH", "image_id", "filename"])
def test_usual_names_are_known_in_any_case(name):
    table = columns_of(name, "DX", "Patient ID", "Split", "age")
    roles, notes = choose_roles(table, Columns(split="none"), "t.csv")
    assert roles.paths == {"image": name}
    assert (roles.labels, roles.patient, roles.split) == (("DX",), "Patient ID", "")
    assert any(f"{name!r} is read as the path" in note for note in notes)


def test_two_candidates_are_not_chosen_between():
    with pytest.raises(
        CohortError, match="label, class may each be the label: choose with --label"
    ):
        choose_roles(columns_of("path", "label", "class"), Columns(), "t.csv")
    table = columns_of("label", filename=["a.png"], kept_file=["b.png"])
    with pytest.raises(CohortError, match="filename, kept_file may each be the path"):
        choose_roles(table, Columns(), "t.csv")
    assert choose_roles(table, Columns(path="kept_file"), "t.csv")[0].paths == {
        "image": "kept_file"
    }


def test_of_two_candidates_only_one_of_which_names_images():
    table = columns_of("label", scan=["CT", "MR"], file=["a.nii.gz", "b.nii.gz"])
    assert choose_roles(table, Columns(), "t.csv")[0].paths == {"image": "file"}
    table = columns_of("label", image_id=["7"], path=["a.png"])
    assert choose_roles(table, Columns(), "t.csv")[0].paths == {"image": "path"}


def test_several_columns_of_images():
    table = columns_of("label", image_lcc=["a.png"], image_rmlo=["b.png"], image_width=["28"])
    roles, notes = choose_roles(table, Columns(), "t.csv")
    assert roles.paths == {"lcc": "image_lcc", "rmlo": "image_rmlo"}
    assert any("image_lcc, image_rmlo" in note for note in notes)
    given = Columns(path=("T1", "flair"))
    roles, _ = choose_roles(columns_of("label", "t1", "flair"), given, "t.csv")
    assert roles.paths == {"t1": "t1", "flair": "flair"}
    with pytest.raises(CohortError, match="path, image_lcc, image_rmlo may each be the path"):
        choose_roles(table | {"path": ["c.png"]}, Columns(), "t.csv")


def test_lesion_is_the_patient_only_where_no_patient_is_told():
    assert choose_roles(columns_of("path", "y", "lesion_id"), Columns(), "")[0].patient == (
        "lesion_id"
    )
    both = columns_of("path", "y", "lesion_id", "subject")
    assert choose_roles(both, Columns(), "")[0].patient == "subject"
    assert choose_roles(both, Columns(patient="none"), "")[0].patient == ""


def test_a_column_of_splits_must_hold_splits_unless_so_named():
    named = columns_of("path", "y", split=["7"])
    assert choose_roles(named, Columns(), "")[0].split == "split"
    for cells, split in ((["Train", "TEST", None], "set"), (["A", "B"], "")):
        assert choose_roles(columns_of("path", "y", set=cells), Columns(), "")[0].split == split


def test_missing_columns_are_told_with_those_that_are_there():
    table = columns_of("path", *(f"c{n}" for n in range(20)))
    with pytest.raises(CohortError, match=r"--label among path, c0, .*c10 and 9 more"):
        choose_roles(table, Columns(), "t.csv")
    with pytest.raises(CohortError, match=r"t.csv: the column 'dx' wanted for --label, found path"):
        choose_roles(table, Columns(label="dx"), "t.csv")
    with pytest.raises(CohortError, match="'b' wanted for --label"):
        choose_roles(columns_of("path", "a"), Columns(label=("a", "b")), "t.csv")
    with pytest.raises(CohortError, match="no column is known to be the path"):
        choose_roles(columns_of("label", "age"), Columns(), "t.csv")
