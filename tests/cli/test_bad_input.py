"""Bad input through the real commands: one clear line, exit code 1, and nothing half-written."""

import csv
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# Data


@pytest.mark.parametrize("command", ["inspect", "plan", "train"])
def test_data_that_do_not_exist(refuse, tmp_path, command):
    data = tmp_path / "absent"
    refuse(command, data, words=(f"{data}: ", "wanted, nothing found"))


def test_no_data_at_all(refuse):
    refuse("train", words=("DATA wanted", "--resume RUN", "found neither"))


def test_an_empty_folder(train, refuse, tmp_path):
    data = tmp_path / "empty"
    data.mkdir()
    train(data, words=(f"{data}: images wanted, found nothing",))
    refuse("plan", data, words=(f"{data}: images wanted, found nothing",))


def test_one_class_only(train, pictures):
    for split in ("train", "val", "test"):
        shutil.rmtree(pictures / split / "above")
    train(pictures, words=(f"{pictures}: two classes or more wanted, found only 'below'",))


def test_nothing_to_validate_on(train, recipe, tmp_path, pictures):
    recipe.write_text(recipe.read_text().replace("batch = 8", "batch = 8\nfolds = 31"))
    shutil.rmtree(pictures / "val")
    words = (
        f"{pictures}: class above has 10 patients (10 exams)",
        "31 folds",
        "fit.folds says how many",
    )
    train(pictures, words=words)


# Tables


@pytest.fixture
def table(tmp_path, pictures) -> Callable[..., Path]:
    """Write a table of the pictures, whose rows the test may have changed."""

    def write(change: Callable[[list[list[str]]], object], head: str = "path,label") -> Path:
        files = sorted(pictures.rglob("*.png"))
        rows = [[str(file.relative_to(tmp_path)), file.parent.name] for file in files]
        change(rows)
        path = tmp_path / "exams.csv"
        path.write_text("\n".join([head, *map(",".join, rows)]) + "\n")
        return path

    return write


def test_a_table_that_names_missing_files(train, table):
    path = table(lambda rows: rows.append(["nowhere.png", "above"]))
    train(path, words=(f"{path}: 1 of 41 files missing: nowhere.png", "--images FOLDER"))


def test_a_table_with_rows_that_stand_there_twice(train, table):
    path = table(lambda rows: rows.append(rows[3]))
    train(path, words=(f"{path}: one row per image wanted, 1 image in several rows: pictures/",))


@pytest.mark.parametrize("spelling", ["Above", "above ", " ABOVE"])
def test_labels_with_stray_spaces_or_case(train, table, spelling):
    def change(rows: list[list[str]]) -> None:
        rows[0][1] = spelling

    path = table(change)
    counts = f"'above' (19), '{spelling}' (1)"
    train(path, words=(f"{path}: labels differ only in spaces or case: {counts}", "--tidy-labels"))


def test_labels_are_tidied_where_the_person_says_so(medclf, recipe, table, tmp_path):
    def change(rows: list[list[str]]) -> None:
        rows[0][1] = "Above "

    words = ("--recipe", recipe, "--out", tmp_path / "run", "--tidy-labels", "--json")
    told = medclf("train", table(change), *words)
    assert told.code == 0, told.err
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["task"]["classes"] == ["above", "below"]


def test_a_patient_in_two_splits(train, refuse, table):
    def change(rows: list[list[str]]) -> None:
        for number, row in enumerate(rows):
            row += [f"p{number}", ("train", "val", "test")[number % 3]]
        rows[0][2] = rows[1][2] = "Q"

    path = table(change, "path,label,patient,split")
    words = (f"{path}: 1 patient in two splits: Q (train and val)",)
    train(path, words=words)
    refuse("plan", path, words=words)


def test_a_table_without_a_column_of_labels(train, table):
    path = table(lambda rows: None, "path,verdict")
    train(path, words=(f"{path}: no column is known to be the label", "path, verdict"))


# Images


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        code = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + code

    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    return png((b"IHDR", header), (b"IDAT", zlib.compress(bytes(10**6))), (b"IEND", b""))


def saved(values: np.ndarray, form: str = "png") -> bytes:
    stream = BytesIO()
    if form == "npy":
        np.save(stream, values)
    else:
        Image.fromarray(values).save(stream, form)
    return stream.getvalue()


RNG = np.random.default_rng(0)
WHOLE = saved(RNG.integers(0, 255, (16, 16), np.uint8))
NAN = np.full((16, 16), np.nan, np.float32)

IMAGES = {
    "empty": (b"", "the file is empty"),
    "text": (b"no image", "an image wanted (.png .jpg"),
    "damaged": (WHOLE[:60] + b"??" + WHOLE[62:], "a checksum does not fit"),
    "cut short": (WHOLE[: len(WHOLE) // 2], "the PNG is cut short"),
    "bomb": (bomb(), "60000 x 60000 pixels; at most 200,000,000 are read"),
    "colour": (
        saved(RNG.integers(0, 255, (16, 16, 3), np.uint8)),
        "1 channel wanted, found 3 of colour",
    ),
    "channels": (saved(np.zeros((2, 4, 16, 16), np.int16), "npy"), "(2D) wanted, found a volume"),
    "transparent": (saved(RNG.integers(0, 255, (16, 16, 4), np.uint8)), "partly transparent"),
    "volume": (
        saved(RNG.integers(0, 255, (9, 16, 16), np.uint8), "npy"),
        "a picture (2D) wanted, found a volume (3D) of (9, 16, 16)",
    ),
    "not a number": (saved(NAN, "npy"), "holds pixels that are no numbers (NaN or infinite)"),
    "infinite": (saved(NAN * 0 + np.inf, "npy"), "pixels that are no numbers"),
    "objects": (saved(np.array([[None]]), "npy"), "found Python objects, which are never loaded"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_that_does_not_serve_stops_training(train, pictures, name):
    raw, why = IMAGES[name]
    bad = pictures / "train" / "above" / "001.png"
    bad.write_bytes(raw)
    told = train(pictures, words=("1 of 40 images cannot be read", bad, why, "--skip-unreadable"))
    assert told.count(str(bad)) == 1


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_that_does_not_serve_is_not_predicted(medclf, trained, pictures, tmp_path, name):
    raw, why = IMAGES[name]
    bad = tmp_path / "bad.png"
    bad.write_bytes(raw)
    good = pictures / "test" / "above" / "031.png"
    out = tmp_path / "predictions.csv"
    told = medclf("predict", trained, bad, good, tmp_path / "no", "--out", out)
    assert (told.code, told.out, told.err.count("\n")) == (1, "", 1)
    assert told.err.startswith(f"error: 2 of 3 exams cannot be read, the first: {bad}: ")
    with out.open(newline="") as file:
        first, second, third = csv.DictReader(file)
    assert (first["file"], first["decided"], first["p_above"]) == (str(bad), "", "")
    assert why in first["warnings"]
    assert second["decided"] == "above"
    assert third["warnings"]


def test_only_images_that_do_not_serve_are_refused(refuse, trained, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    out = tmp_path / "predictions.csv"
    words = (f"{tmp_path / 'bad.png'}: the file is empty",)
    refuse("predict", trained, tmp_path / "bad.png", "--out", out, words=words)


def test_an_image_that_does_not_serve_stops_evaluation(refuse, medclf, trained, pictures):
    bad = pictures / "test" / "above" / "031.png"
    bad.write_bytes(b"")
    refuse("evaluate", trained, pictures, words=("1 of 10 images", f"{bad}: the file is empty"))
    scores = json.loads(medclf("evaluate", trained, pictures, "--skip-unreadable", "--json").out)
    assert scores["n_exams"] == 9
    told = f"Left out: 1 image that cannot be read, the first: {bad}: the file is empty"
    assert told in scores["notes"]


def test_what_training_has_left_out_does_not_stop_evaluation(medclf, trained, tmp_path):
    run, data = tmp_path / "run", trained.parent / "pictures"
    shutil.copytree(trained, run)
    shutil.copytree(data, tmp_path / "pictures")
    bad = tmp_path / "pictures" / "test" / "above" / "031.png"
    bad.write_bytes(b"")
    kept = json.loads((run / "run.json").read_text())
    kept["data"] |= {"origin": str(tmp_path / "pictures"), "left_out": [["031.png", "empty"]]}
    (run / "run.json").write_text(json.dumps(kept))
    told = medclf("evaluate", run, tmp_path / "pictures", "--json")
    assert json.loads(told.out)["n_exams"] == 9


def test_pictures_among_volumes_are_not_planned_for(refuse, pictures):
    volume = pictures / "train" / "above" / "volume.npy"
    np.save(volume, np.zeros((4, 16, 16), np.uint8))
    refuse("plan", pictures, words=(pictures, "images of one form wanted", "3 axes in", volume))


def test_no_image_that_can_be_read(refuse, train, pictures):
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"")
    refuse("plan", pictures, words=("none of 30 images can be read", "the file is empty"))
    train(pictures, words=("40 of 40 images cannot be read", "the file is empty"))


# Recipes


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("epochs", "epoch", ("unknown key fit.epoch; the nearest is fit.epochs",)),
        ("[fit]", "[fitt]", ("unknown key fitt; the nearest is fit",)),
        ("epochs = 2", "epochs = 2.5", ("fit.epochs must be int, not 2.5",)),
        ("batch = 8", "batch = 0", ("fit.batch must be above 0, not 0",)),
        ('"sprint"', '"sprind"', ("no body is called 'sprind'", "did you mean 'sprint'?")),
        ("width", "widht", ("has no option 'widht'", "did you mean 'width'?")),
        ("[16, 16]", "[]", ("prepare.size is 2 or 3 numbers above 0, not ()",)),
        ("channels = 1", "", ("the keys prepare.channels are wanted, not found",)),
        ("[net]", "[net", ("cannot read this recipe", "line 5")),
    ],
)
def test_a_recipe_that_is_wrong(train, recipe, pictures, old, new, words):
    recipe.write_text(recipe.read_text().replace(old, new))
    train(pictures, words=(f"{recipe}: ", *words))


def test_a_recipe_that_is_not_there(refuse, pictures, tmp_path):
    path = tmp_path / "none.toml"
    refuse("train", pictures, "--recipe", path, words=(f"{path}: cannot read this recipe",))
    os.mkfifo(path)
    for other in (tmp_path, path):
        words = (f"{other}: the file of a recipe wanted, found a folder or a pipe",)
        refuse("train", pictures, "--recipe", other, words=words)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (
            "batch = 8",
            "batch = 8\nrate = 1e30",
            "training diverged; lower fit.rate, which is 1e+30",
        ),
    ],
)
def test_a_recipe_that_cannot_be_followed(train, recipe, pictures, old, new, word):
    recipe.write_text(recipe.read_text().replace(old, new))
    train(pictures, words=(word,))


def test_a_recipe_for_volumes_does_not_serve_pictures(train, recipe, pictures):
    recipe.write_text(recipe.read_text().replace("[16, 16]", "[16, 16, 16]"))
    train(pictures, words=("40 of 40", "a volume (3D) wanted, found a picture (2D) of (16, 16)"))
