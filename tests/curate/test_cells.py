"""Cells: words as they stand in the file, whatever its form."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from medclf.core.record import Source
from medclf.curate import form
from medclf.curate.cells import load_table, numbers_or_words, tidy_cell
from medclf.curate.cohort import read_cohort
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


def test_the_first_line_of_excel_says_what_parts_columns(tmp_path):
    table = tmp_path / "labels.csv"
    for first in ("sep=;\n", '"sep=;"\r\n', "SEP=;\r\n"):
        table.write_bytes(f"{first}a,b;c\n1;2\n".encode())
        assert load_table(Source(table)) == {"a,b": ["1"], "c": ["2"]}
    table.write_text("sep=;\na;b\n1;2\n3\n")
    with pytest.raises(ReadError, match="1 found in line 4"):
        load_table(Source(table))


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


def test_columns_without_a_name(tmp_path):
    """A spreadsheet leaves empty ones at the end, and pandas puts row numbers before the first."""
    assert load(tmp_path, "path,label,,\na,x,,\nb,y, ,\n") == {
        "path": ["a", "b"],
        "label": ["x", "y"],
    }
    assert list(load(tmp_path, ",path,label,\n0,a,x,\n1,b,y,\n")) == ["column 1", "path", "label"]


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
        ("", "a table wanted, the file is empty"),
        ("\n \n", "a table wanted, the file is empty"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, text, message):
    with pytest.raises(ReadError, match=message):
        load(tmp_path, text)


def test_other_bytes_are_refused(tmp_path):
    (tmp_path / "latin.csv").write_bytes("path,name\na.png,Müller\n".encode("latin-1"))
    with pytest.raises(ReadError, match=r"UTF-8 wanted, found the byte 0xfc in line 2: save it as"):
        load_table(Source(tmp_path / "latin.csv"))
    (tmp_path / "wide.csv").write_bytes("path,name\na.png,x\n".encode("utf-16"))
    with pytest.raises(ReadError, match=r"UTF-8 wanted, found UTF-16"):
        load_table(Source(tmp_path / "wide.csv"))
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04\x14\0\x06\0\x08\0\0\0\xff\xfe")
    with pytest.raises(ReadError, match=r"UTF-8 wanted, found an Excel workbook .*save the sheet"):
        load_table(Source(tmp_path / "book.csv"))
    (tmp_path / "no.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ReadError, match="a Parquet table wanted"):
        load_table(Source(tmp_path / "no.parquet"))
    with pytest.raises(ReadError, match=r"none\.csv"):
        load_table(Source(tmp_path / "none.csv"))


def test_facts_are_numbers_where_all_are():
    assert numbers_or_words(["65.0", None, " 7 ", "1e3", "-.5"]) == [65.0, None, 7.0, 1000.0, -0.5]
    assert numbers_or_words(["65", " M"]) == ["65", "M"]
    assert numbers_or_words(["1_000", "inf"]) == ["1_000", "inf"]
    assert [tidy_cell(cell) for cell in ("12.0", " a ", None, "1.50")] == ["12", "a", "", "1.50"]


@pytest.mark.parametrize("column", ["path", "patient"])
def test_a_table_is_loaded_once_whatever_it_is_looked_at_for(tmp_path, monkeypatch, column):
    loaded = []

    def count(source, *rest):
        loaded.append(source.path.name)
        return load_table(source, *rest)

    monkeypatch.setattr(form, "load_table", count)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 4), np.uint8))
    lines = [f"{column},label", *(f"{name}.npy,{name}" for name in "ab")]
    (tmp_path / "exams.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "notes.csv").write_text("what\nnothing", encoding="utf-8")
    with suppress(CohortError):  # Where neither names images, nor folders classes.
        read_cohort(tmp_path)
    assert sorted(loaded) == ["exams.csv", "notes.csv"]
