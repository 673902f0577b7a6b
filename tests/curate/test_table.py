"""Tables: cells as words, and which column holds what."""

import pandas as pd
import pytest

from medclf.core.record import Source
from medclf.curate.table import Columns, choose_roles, load_table, numbers_or_words, tidy_cell
from medclf.errors import CohortError, ReadError

FRAME = pd.DataFrame({
    "path": ["a.png", "b.png", "c.png"],
    "label": ["Normal ", "ill", None],
    "age": [65.0, None, 3.5],
    "grade": pd.array([1, None, 3], dtype="Int64"),
    "smoker": [True, False, True],
})  # fmt: skip


def load(tmp_path, text, name="t.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_table(Source(tmp_path / name))


def test_csv_tsv_and_parquet_say_the_same(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    FRAME.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    FRAME.to_csv(tmp_path / "semicolon.csv", index=False, sep=";", encoding="utf-8-sig")
    FRAME.to_parquet(tmp_path / "t.parquet")
    tables = [
        load_table(Source(tmp_path / name))
        for name in ("t.csv", "t.tsv", "semicolon.csv", "t.parquet")
    ]
    assert tables[0]["label"] == ["Normal ", "ill", None]
    assert tables[0]["age"] == ["65.0", None, "3.5"]
    assert tables[0]["smoker"] == ["True", "False", "True"]
    assert all(table == tables[0] for table in tables)


def test_cells_stay_words_but_for_missing_ones(tmp_path):
    table = load(tmp_path, 'path, id ,x\n007,None,NA\n"a,b",no,  \n\n1e3,"say ""no""",n/a\n')
    assert table == {
        "path": ["007", "a,b", "1e3"],
        "id": ["None", "no", 'say "no"'],
        "x": [None, None, None],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "2 columns wanted, 3 found in line 3"),
        ("a,b\n1\n", "2 columns wanted, 1 found in line 2"),
        ("a,a\n1,2\n", "'a' stands there twice"),
        ("a,b\n", "none found below the header"),
        ("", "none found below the header"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, text, message):
    with pytest.raises(ReadError, match=message):
        load(tmp_path, text)


def test_other_bytes_are_refused(tmp_path):
    (tmp_path / "latin.csv").write_bytes("path,name\na.png,Müller\n".encode("latin-1"))
    with pytest.raises(ReadError, match="UTF-8"):
        load_table(Source(tmp_path / "latin.csv"))
    (tmp_path / "no.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ReadError, match="a Parquet table wanted"):
        load_table(Source(tmp_path / "no.parquet"))
    with pytest.raises(ReadError, match=r"none\.csv"):
        load_table(Source(tmp_path / "none.csv"))


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


def test_facts_are_numbers_where_all_are():
    assert numbers_or_words(["65.0", None, " 7 ", "1e3", "-.5"]) == [65.0, None, 7.0, 1000.0, -0.5]
    assert numbers_or_words(["65", " M"]) == ["65", "M"]
    assert numbers_or_words(["1_000", "inf"]) == ["1_000", "inf"]
    assert [tidy_cell(cell) for cell in ("12.0", " a ", None, "1.50")] == ["12", "a", "", "1.50"]
