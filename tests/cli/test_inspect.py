"""`medclf inspect` from a folder to tables, JSON, a montage and an exit code."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from medclf.cli.main import app
from medclf.errors import MedclfError

KEYS = {
    *("origin", "task", "notes", "exams", "patients", "exams_per_patient", "splits", "classes"),
    *("images", "modalities", "sizes", "channels", "bits", "spacings_mm", "problems", "shown"),
    *("foretold", "bound", "grave", "montage", "strangers"),
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch) -> Path:
    """A folder per class and split, 12 pictures in each, and a folder to work in."""
    rng = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for name in ("benign", "malignant"):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for n in range(12):
                blocks = rng.integers(0, 255, (8, 8), dtype=np.uint8)
                Pillow.fromarray(blocks.repeat(4, 0).repeat(4, 1)).save(folder / f"{split}{n}.png")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "data"


def plant(data: Path) -> None:
    """Put an image of train in test."""
    image = (data / "train/benign/train0.png").read_bytes()
    (data / "test/benign/test0.png").write_bytes(image)


def inspect(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["inspect", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_a_clean_folder_is_shown_to_a_person(data):
    code, told = inspect(data)
    assert code == 0
    assert "benign" in told
    assert "malignant" in told
    assert "32 × 32 (72)" in told
    assert "No problem found." in told
    with Pillow.open("montage.png") as sheet:
        assert sheet.mode == "RGB"
        assert sheet.width > 6 * 112
    assert [p.name for p in Path().iterdir()] == ["montage.png"]


def test_a_grave_problem_is_shown_and_exits_with_1(data):
    plant(data)
    code, told = inspect(data, "--pictures", 0)
    assert code == 1
    (line,) = (line for line in told.splitlines() if "image_in_two_splits" in line)
    assert line.startswith("grave")
    assert "1 train-test" in line
    assert "cannot be judged honestly" in told
    assert not list(Path().iterdir())


def test_json_is_one_object(data):
    plant(data)
    code, told = inspect(data, "--json")
    assert code == 1
    assert told.count("\n") == 1
    found = json.loads(told)
    assert set(found) == KEYS
    assert found["classes"]["benign"] == {"train": 12, "val": 12, "test": 12}
    assert found["montage"] is None
    assert not list(Path().iterdir())
    for problem in found["problems"]:
        assert set(problem) == {"kind", "grave", "message", "exams", "groups"}


def test_a_clean_folder_in_json(data):
    code, told = inspect(data, "--json", "--out", "new/folder")
    assert code == 0
    found = json.loads(told)
    assert (found["grave"], found["problems"]) == (False, [])
    assert len(found["shown"]) == 24
    assert found["montage"] == str(Path("new/folder/montage.png"))
    assert Path(found["montage"]).exists()


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (["--montage", "sheet.jpg"], "sheet.jpg"),
        (["--out", "there"], "there/montage.png"),
        (["--out", "there", "--montage", "sheet.png"], "there/sheet.png"),
    ],
)
def test_where_the_montage_goes(data, options, place):
    code, told = inspect(data, "--pictures", 4, *options)
    assert code == 0
    assert f"Montage: {place}" in told
    with Pillow.open(place) as sheet:
        assert sheet.format == ("JPEG" if place.endswith("jpg") else "PNG")
    assert [str(p) for p in Path().rglob("*") if p.is_file()] == [place]


def test_a_montage_of_another_kind_is_refused_before_reading(data):
    with pytest.raises(MedclfError, match=r"sheet\.gif: a montage is a \.png or a \.jpg file"):
        inspect("absent", "--montage", "sheet.gif")
    assert not list(Path().iterdir())


@pytest.mark.parametrize("options", [["--montage"], ["--out"], ["--out", "there", "--montage"]])
def test_a_place_where_no_montage_can_come_is_refused_before_reading(data, options):
    Path("file").write_text("kept")
    with pytest.raises(MedclfError, match=r"file/sheet\.png.*: cannot be written: .*no folder"):
        inspect("absent", *options, Path("file").absolute() / "sheet.png")
    assert [p.name for p in Path().iterdir()] == ["file"]


def test_a_full_disk_is_told_with_the_name_of_the_montage(data, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(MedclfError, match=r"montage\.png: cannot be written: No space left"):
        inspect(data)
    assert not list(Path().iterdir())


def test_names_that_look_like_markup_are_shown_as_they_are(data):
    for split in ("train", "val", "test"):
        (data / split / "benign").rename(data / split / "[bold]")
        (data / split / "malignant").rename(data / split / "[!red]")
    code, told = inspect(data, "--pictures", 0)
    assert code == 0
    assert "│ [bold] " in told


def test_a_class_may_be_called_all(data):
    for split in ("train", "val", "test"):
        (data / split / "benign").rename(data / split / "all")
    code, told = inspect(data, "--pictures", 0)
    assert code == 0
    rows = [line for line in told.splitlines() if line.startswith("│ all ")]
    assert [row.split("│")[-2].strip() for row in rows] == ["36", "72"]


def test_unreadable_images_are_told_with_their_reason(data):
    (data / "train/benign/train3.png").write_bytes(b"")
    code, told = inspect(data, "--pictures", 80)
    assert code == 1
    assert "unreadable" in told
    assert "train3.png: the file is empty" in told


def test_columns_of_a_table_are_chosen(data):
    table = data / "exams.csv"
    rows = [
        f"{p.relative_to(data)},{p.parent.name},{n // 2}" for n, p in enumerate(data.rglob("*.png"))
    ]
    table.write_text("\n".join(["where,verdict,whose", *sorted(rows)]) + "\n")
    code, told = inspect(
        table, "--path", "where", "--label", "verdict", "--patient", "whose",
        "--classes", "malignant,benign", "--json",
    )  # fmt: skip
    found = json.loads(told)
    assert code == 0
    assert found["task"]["classes"] == ["malignant", "benign"]
    assert found["patients"] == 36
    assert found["splits"] == {"": 72}


def test_findings_that_coexist(data):
    table = data / "exams.csv"
    rows = [
        f"{p.relative_to(data)},{n % 2},{n // 2 % 2}" for n, p in enumerate(data.rglob("*.png"))
    ]
    table.write_text("\n".join(["path,cyst,nodule", *rows]) + "\n")
    code, told = inspect(table, "--label", "cyst,nodule", "--montage", "sheet.png")
    assert code == 0
    assert "coexisting, 2 classes" in told
    assert "none" in told


def test_absent_data_are_a_mistake_of_the_user():
    with pytest.raises(MedclfError, match="absent"):
        inspect("absent")


def test_csv_has_a_line_for_every_file(data):
    (data / "notes.txt").write_text("no image")
    done = CliRunner().invoke(app, ["inspect", str(data), "--csv", "files.csv", "--json"])
    assert done.exit_code == 0
    rows = list(csv.DictReader(Path("files.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 73
    named = {row["file"]: row for row in rows}
    assert named["notes.txt"]["refused"] == "no image"
    one = named["test/benign/test0.png"]
    assert (one["size"], one["refused"], one["exam"] != "") == ("32 × 32", "", True)
    told = CliRunner().invoke(app, ["inspect", str(data), "--csv", "files.csv"]).output
    assert (
        "Files: 73, of which 1 refused, 0 with remarks and 0 images of no exam: files.csv" in told
    )
