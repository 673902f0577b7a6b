"""Sheets of Excel workbooks: written by openpyxl and pandas, read as the CSV of the same table."""

import io
import zipfile
from datetime import date, datetime, time

import numpy as np
import openpyxl
import pandas as pd
import pytest

from medclf.core.record import Source
from medclf.curate.cells import load_table, numbers_or_words
from medclf.curate.cohort import read_cohort
from medclf.curate.folder import list_files
from medclf.curate.workbook import load_sheet, part_sheet
from medclf.errors import ReadError


def book(path, *sheets):
    """Write sheets, each (name, rows)."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def test_excel_says_what_csv_says(tmp_path):
    frame = pd.DataFrame({
        "path": ["a.png", "Größe/б.png", "図.png"],
        "label": ["Normal ", "ill", None],
        "id": ["007", "1e3", "NA"],
        "age": [65.5, None, 3.25],
        "grade": pd.array([1, None, 3], dtype="Int64"),
        "smoker": [True, False, True],
        "day": [date(2024, 1, 31), None, date(1999, 12, 1)],
    })  # fmt: skip
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    told = load_table(Source(tmp_path / "t.xlsx"))
    assert told == load_table(Source(tmp_path / "t.csv"))
    assert told["grade"] == ["1", None, "3"]
    assert told["day"] == ["2024-01-31", None, "1999-12-01"]
    assert told["id"] == ["007", "1e3", None]
    assert numbers_or_words(told["age"]) == [65.5, None, 3.25]


def test_cells_of_every_kind(tmp_path):
    row = [12, 12.0, 0.1 + 0.2, 1e20, datetime(2024, 5, 6, 7, 8, 9), time(7, 30), "#N/A", "x\ny"]
    path = book(tmp_path / "t.xlsx", ("s", [[f"c{i}" for i in range(len(row))], row]))
    found = [column[0] for column in load_table(Source(path)).values()]
    assert found[:4] == ["12", "12", "0.3", "1e+20"]
    assert found[4:] == ["2024-05-06T07:08:09", "07:30:00", None, "x\ny"]


def test_empty_rows_and_columns_are_no_cells(tmp_path):
    rows = [["path", " x ", None, None], [None] * 4, ["a", None, None, " "], ["b", 1]]
    found = load_table(Source(book(tmp_path / "t.xlsx", ("s", rows))))
    assert found == {"path": ["a", "b"], "x": [None, "1"]}
    twice = book(tmp_path / "twice.xlsx", ("s", [["a", "a"], [1, 2]]))
    with pytest.raises(ReadError, match="'a' stands there twice"):
        load_table(Source(twice))


def test_the_first_sheet_that_is_shown_or_the_one_named(tmp_path):
    path = book(tmp_path / "t.xlsx", ("secret", [["h"], [0]]), ("one", [["a"], [1]]),
                ("zweites Blatt", [["b"], [2]]))  # fmt: skip
    made = openpyxl.load_workbook(path)
    made["secret"].sheet_state = "hidden"
    made.active = 1
    made.save(path)
    assert load_table(Source(path)) == {"a": ["1"]}
    assert load_table(Source(path), "zweites Blatt") == {"b": ["2"]}
    with pytest.raises(ReadError, match=r"the sheet 'two' wanted, found secret, one, zweites"):
        load_table(Source(path), "two")
    with pytest.raises(ReadError, match="the sheet is empty"):
        load_table(Source(book(tmp_path / "e.xlsx", ("s", []))))


def test_a_formula_never_worked_out_is_refused(tmp_path):
    """openpyxl writes formulas without their values, as many exports do."""
    path = book(tmp_path / "t.xlsx", ("s", [["a", "b"], [1, "=A2+1"]]))
    with pytest.raises(ReadError, match=r"row 2, column 2: .* formula =A2\+1 that was never"):
        load_table(Source(path))


def test_a_formula_that_was_worked_out_is_its_value(tmp_path):
    path = book(tmp_path / "t.xlsx", ("s", [["a", "b"], [1, "=A2+1"], [None, None], [3, 4]]))
    raw = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(raw, "w") as new:
        for name in old.namelist():
            text = old.read(name).replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
            new.writestr(name, text)
    assert load_sheet(raw.getvalue(), "t.xlsx") == (["a", "b"], [["1", "2"], ["3", "4"]])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            b"\xd0\xcf\x11\xe0 and more",
            r".* found one that is encrypted or of Excel 97 \(\.xls\): save it as \.xlsx",
        ),
        (b"path,label\n", r"an Excel workbook \(\.xlsx\) wanted: File is not a zip file"),
        (b"PK\x05\x06" + bytes(18), r"an Excel workbook \(\.xlsx\) wanted: "),
    ],
)
def test_other_files_are_refused_in_one_line(raw, message):
    with pytest.raises(ReadError, match=rf"^t\.xlsx: {message}") as caught:
        load_sheet(raw, "t.xlsx")
    assert "\n" not in str(caught.value)


def test_a_workbook_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    raw = book(tmp_path / "t.xlsx", ("s", [["a"], *([i] for i in range(99))])).read_bytes()
    for end in range(1, len(raw) - 1, 97):
        with pytest.raises(ReadError, match="an Excel workbook"):
            load_sheet(raw[:end], "t.xlsx")


def test_a_bomb_is_not_unpacked(monkeypatch, tmp_path):
    monkeypatch.setattr("medclf.curate.workbook.LARGEST", 20_000)
    path = book(tmp_path / "t.xlsx", ("s", [["a"], *(["x" * 50 + str(i)] for i in range(999))]))
    with pytest.raises(ReadError, match=r"unpacks to .* bytes; at most 20,000 are read"):
        load_table(Source(path))


def test_names_of_sheets_are_parted_from_those_of_files(tmp_path):
    assert part_sheet(tmp_path / "A.XLSX!b!c") == (tmp_path / "A.XLSX", "b!c")
    assert part_sheet(tmp_path / "a.csv!b") == (tmp_path / "a.csv!b", "")
    odd = tmp_path / "a.xlsx!b.xlsx"
    odd.touch()
    assert part_sheet(odd) == (odd, "")


@pytest.fixture
def study(tmp_path):
    """Two views of each breast, the second exam with one missing, and facts with gaps."""
    for name in ("1c", "1m", "2c", "3c", "3m"):
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 4), np.uint8))
    rows = [
        ["patient", "date", "image_lcc", "image_rmlo", "diagnosis", "split", "age", "site"],
        ["P1", date(2024, 1, 31), "1c.npy", "1m.npy", "benign", "train", 61, "north"],
        ["P2", None, "2c.npy", None, "malignant", "train", None, None],
        ["P1", date(2025, 2, 1), "3c.npy", "3m.npy", "malignant", "test", 62, "north"],
    ]
    return book(tmp_path / "exams.xlsx", ("notes", [["hello"]]), ("Exams", rows))


@pytest.mark.parametrize("form", ["xlsx", "csv", "parquet"])
def test_exams_of_several_images_keep_names_dates_and_gaps(study, form):
    data = study.with_name("exams.xlsx!Exams")
    if form != "xlsx":
        frame = pd.DataFrame(load_table(Source(study), "Exams"))
        data = study.with_suffix(f".{form}")
        frame.to_csv(data, index=False) if form == "csv" else frame.to_parquet(data)
    cohort = read_cohort(data)
    first, second, third = cohort.records
    assert {name: s.path.name for name, s in first.images.items()} == {
        "lcc": "1c.npy", "rmlo": "1m.npy"
    }  # fmt: skip
    assert list(second.images) == ["lcc"]
    assert [r.patient for r in cohort.records] == ["P1", "P2", "P1"]
    assert [r.split for r in cohort.records] == ["train", "train", "test"]
    assert [cohort.task.classes[r.label] for r in cohort.records] == [
        "benign", "malignant", "malignant"
    ]  # fmt: skip
    assert first.facts == {"date": "2024-01-31", "age": 61.0, "site": "north"}
    assert second.facts == {"date": None, "age": None, "site": None}
    assert third.facts["age"] == 62.0


def test_a_workbook_in_a_folder_is_its_table_and_an_open_one_leaves_no_trace(study):
    made = openpyxl.load_workbook(study)
    made.move_sheet("Exams", -1)
    made.active = 0
    made.save(study)
    study.with_name("~$exams.xlsx").write_bytes(b"owner")
    listing = list_files(study.parent)
    assert (list(listing.tables), dict(listing.skipped)) == (["exams.xlsx"], {"hidden": 1})
    assert len(read_cohort(study.parent).records) == 3
