"""Bad input through the real commands: one clear line, exit code 1, and nothing half-written."""

import errno
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

from medclf.learn.run import sole_use

Refuse = Callable[..., str]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def refuse(medclf, tmp_path) -> Refuse:
    """Run a command that must fail in one line that names all `words`, and leave no file behind."""

    def listing() -> set[Path]:
        """All files but the cache, which may keep what is whole."""
        return {
            path for path in tmp_path.rglob("*") if tmp_path / "cache" not in (path, *path.parents)
        }

    def check(*command: object, words: tuple[object, ...]) -> str:
        before = listing()
        told = medclf(*command)
        assert (told.code, told.out) == (1, ""), told
        assert told.err.startswith("error: ")
        assert told.err.endswith("\n")
        assert told.err.count("\n") == 1
        assert [str(word) for word in words if str(word) not in told.err] == [], told.err
        assert listing() == before
        unfinished = ("making", "lock", "part", "partial")
        kept = (tmp_path / "cache").rglob("*")
        assert [path for path in kept if path.name.endswith(unfinished)] == []
        return told.err

    return check


@pytest.fixture
def train(refuse, recipe, tmp_path) -> Refuse:
    """Train with the quick recipe, which must be refused."""

    def check(data: Path, *more: object, words: tuple[object, ...]) -> str:
        command = ("train", data, "--recipe", recipe, "--out", tmp_path / "runs" / "new", *more)
        return refuse(*command, words=words)

    return check


def copy(trained: Path, place: Path) -> Path:
    """Copy a run, to be damaged."""
    return shutil.copytree(trained, place)


def alter(run: Path, **facts: object) -> None:
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


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
    train(pictures, words=("31 folds",))


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
    train(path, words=(f"{path}: 1 of 41 files are missing: nowhere.png", "--images FOLDER"))


def test_a_table_with_rows_that_stand_there_twice(train, table):
    path = table(lambda rows: rows.append(rows[3]))
    train(path, words=(f"{path}: one row per image wanted, 1 images stand in several: pictures/",))


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
    words = (f"{path}: 1 patients stand in two splits: Q (train and val)",)
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
def test_an_image_that_does_not_serve_is_not_predicted(refuse, trained, pictures, tmp_path, name):
    raw, why = IMAGES[name]
    bad = tmp_path / "bad.png"
    bad.write_bytes(raw)
    good = pictures / "test" / "above" / "031.png"
    out = tmp_path / "predictions.csv"
    refuse("predict", trained, good, bad, "--out", out, words=(f"{bad}: ", why))


def test_an_image_that_does_not_serve_stops_evaluation(refuse, trained, pictures):
    bad = pictures / "test" / "above" / "031.png"
    bad.write_bytes(b"")
    refuse("evaluate", trained, pictures, words=("1 of 10 images", f"{bad}: the file is empty"))


def test_pictures_among_volumes_are_not_planned_for(refuse, pictures):
    volume = pictures / "train" / "above" / "volume.npy"
    np.save(volume, np.zeros((4, 16, 16), np.uint8))
    refuse("plan", pictures, words=(pictures, "images of one form wanted", "3 axes in", volume))


def test_no_image_that_can_be_read(refuse, train, pictures):
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"")
    refuse("plan", pictures, words=("none of 40 images can be read", "the file is empty"))
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
        ("[net]", "[net", ("cannot read this recipe", "line 5")),
    ],
)
def test_a_recipe_that_is_wrong(train, recipe, pictures, old, new, words):
    recipe.write_text(recipe.read_text().replace(old, new))
    train(pictures, words=(f"{recipe}: ", *words))


def test_a_recipe_that_is_not_there(refuse, pictures, tmp_path):
    path = tmp_path / "none.toml"
    refuse("train", pictures, "--recipe", path, words=(f"{path}: cannot read this recipe",))


def test_a_recipe_for_volumes_does_not_serve_pictures(train, recipe, pictures):
    recipe.write_text(recipe.read_text().replace("[16, 16]", "[16, 16, 16]"))
    train(pictures, words=("40 of 40", "a volume (3D) wanted, found a picture (2D) of (16, 16)"))


# Run folders


@pytest.mark.parametrize("command", ["predict", "evaluate", "train"])
def test_a_run_of_a_newer_version(refuse, trained, pictures, tmp_path, command):
    run = copy(trained, tmp_path / "run")
    alter(run, format=99, medclf="7.0")
    image = pictures / "test" / "above" / "031.png"
    words = {
        "predict": ("predict", run, image),
        "evaluate": ("evaluate", run, pictures),
        "train": ("train", "--resume", run),
    }[command]
    refuse(*words, words=(f"{run}: this medclf reads runs of format 1, found format 99", "7.0"))


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("run.json", b"{", "cannot read it"),
        ("run.json", b"[]", "cannot read it"),
        ("recipe.toml", b"[", "cannot read this recipe"),
        ("weights.safetensors", b"short", "cannot read these weights"),
        ("weights.safetensors", None, "cannot read these weights"),
    ],
)
def test_a_run_that_is_damaged(refuse, trained, pictures, tmp_path, name, raw, told):
    run = copy(trained, tmp_path / "run")
    (run / name).unlink()
    if raw is not None:
        (run / name).write_bytes(raw)
    image = pictures / "test" / "above" / "031.png"
    refuse("predict", run, image, words=(f"{run / name}: {told}",))


def test_a_run_that_was_cut_short_does_not_predict(refuse, trained, pictures, tmp_path):
    run = copy(trained, tmp_path / "run")
    alter(run, state="training")
    image = pictures / "test" / "above" / "031.png"
    refuse("predict", run, image, words=(f"{run}: a trained run wanted", "train --resume"))


@pytest.mark.parametrize("command", ["predict", "evaluate", "train"])
def test_a_folder_that_is_no_run(refuse, pictures, command):
    words = {
        "predict": ("predict", pictures, pictures / "test" / "above" / "031.png"),
        "evaluate": ("evaluate", pictures, pictures),
        "train": ("train", "--resume", pictures),
    }[command]
    refuse(*words, words=(f"{pictures}: a run folder wanted, no run.json found in it",))


def test_a_run_that_has_come_to_its_end_is_not_resumed(refuse, trained):
    refuse("train", "--resume", trained, words=(f"{trained}: ", "there is nothing to resume"))


def test_a_run_is_not_resumed_in_another_way(refuse, trained, recipe):
    words = ("--recipe", "do not go with --resume")
    refuse("train", "--resume", trained, "--recipe", recipe, words=(trained, *words))


def test_a_run_is_not_resumed_on_other_data(refuse, trained, pictures, tmp_path):
    run = copy(trained, tmp_path / "run")
    alter(run, state="training")
    (pictures / "train" / "above" / "001.png").unlink()
    words = (f"{pictures}: ", "begun with other exams", "train/above/001.png")
    refuse("train", pictures, "--resume", run, words=words)


def test_a_run_is_not_resumed_on_changed_images(refuse, trained, pictures, tmp_path):
    run = copy(trained, tmp_path / "run")
    alter(run, state="training")
    (pictures / "train" / "above" / "001.png").write_bytes(WHOLE)
    words = (f"{pictures}: the images have changed since {run} was begun",)
    refuse("train", pictures, "--resume", run, words=words)


def test_a_run_whose_data_have_gone(refuse, trained, tmp_path):
    run, data = copy(trained, tmp_path / "run"), tmp_path / "moved"
    facts = json.loads((run / "run.json").read_text())
    alter(run, state="training", data=facts["data"] | {"origin": str(data)})
    refuse("train", "--resume", run, words=(f"{data}: ", "nothing found"))


# Where results go


def test_a_folder_that_holds_something_is_not_trained_in(train, pictures, tmp_path):
    place = tmp_path / "runs" / "new"
    place.mkdir(parents=True)
    (place / "precious.txt").write_text("kept")
    words = (f"{place}: a new run wants an empty folder, found precious.txt", "--out")
    train(pictures, words=words)
    assert not (tmp_path / "cache").exists(), "found out before images are prepared"


def test_a_folder_that_holds_a_run_is_not_trained_in(train, trained, pictures, tmp_path):
    place = copy(trained, tmp_path / "runs" / "new")
    train(pictures, words=(f"{place}: a new run wants an empty folder, found a run", "--resume"))


def test_a_file_is_not_trained_in(train, pictures, tmp_path):
    (tmp_path / "runs").write_text("")
    train(pictures, words=(f"{tmp_path / 'runs' / 'new'}: a folder for a new run wanted",))


def test_two_trainings_in_one_folder_at_once(train, refuse, trained, pictures, tmp_path):
    place = copy(trained, tmp_path / "runs" / "new")
    alter(place, state="training")
    with sole_use(place):
        words = (f"{place}: another training is at work in this folder",)
        train(pictures, words=words)
        refuse("train", "--resume", place, words=words)


def test_a_training_that_has_just_begun_is_not_disturbed(train, pictures, tmp_path):
    place = tmp_path / "runs" / "new"
    with sole_use(place):
        train(pictures, words=(f"{place}: another training is at work in this folder",))


def test_what_a_killed_start_left_is_no_hindrance(medclf, recipe, pictures, tmp_path):
    place = tmp_path / "run"
    place.mkdir()
    (place / ".lock").touch()
    told = medclf("train", pictures, "--recipe", recipe, "--out", place, "--json")
    assert told.code == 0, told.err


@pytest.mark.parametrize("command", ["predict", "evaluate", "plan"])
def test_a_file_is_written_where_there_is_a_folder(refuse, trained, pictures, tmp_path, command):
    words = {
        "predict": ("predict", trained, pictures / "test" / "above" / "031.png"),
        "evaluate": ("evaluate", trained, pictures),
        "plan": ("plan", pictures),
    }[command]
    place = tmp_path / "none" / "out.csv"
    told = f"{place}: cannot be written: there is no folder {place.parent}"
    refuse(*words, "--out", place, words=(told,))
    refuse(*words, "--out", pictures, words=(f"{pictures}: the name of a file to write wanted",))


def test_a_file_that_is_not_there_is_not_predicted(refuse, trained, tmp_path):
    absent = tmp_path / "absent.png"
    refuse("predict", trained, absent, words=(f"{absent}: ", "No such file"))
    refuse("predict", trained, tmp_path, words=(f"{tmp_path}: ", "Is a directory"))


def test_other_classes_are_not_evaluated(refuse, trained, pictures):
    for split in ("train", "val", "test"):
        (pictures / split / "above").rename(pictures / split / "beside")
    words = ("exclusive classes above, below wanted", "found exclusive classes below, beside")
    told = refuse("evaluate", trained, pictures, words=(f"{pictures}: ",))
    assert words[0] in told
    assert "beside" in told


def test_the_demo_keeps_to_an_empty_folder(refuse, pictures):
    refuse("demo", "--out", pictures, words=(f"{pictures}: ", "empty folder, found test"))


# No room on the disk


@pytest.fixture
def fill(monkeypatch) -> Callable[[str], None]:
    """Let the disk be full whenever a file whose name holds this word is to be brought to it."""

    def fill(word: str) -> None:
        sync = os.fsync

        def refuse_some(file: int) -> None:
            if word in Path(f"/proc/self/fd/{file}").readlink().name:
                raise OSError(errno.ENOSPC, "No space left on device")
            sync(file)

        monkeypatch.setattr(os, "fsync", refuse_some)

    return fill


def test_no_room_for_prepared_images_is_told_beforehand(train, pictures, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("medclf.prepare.shelf.shutil.disk_usage", lambda _: usage)
    words = (tmp_path / "cache", "MB wanted for prepared images", "0.0 MB free", "MEDCLF_CACHE")
    train(pictures, words=words)


def test_no_room_while_images_are_prepared(train, pictures, fill, tmp_path):
    fill("values.bin")
    train(pictures, words=(tmp_path / "cache", "wanted for prepared images", "MEDCLF_CACHE"))


@pytest.mark.parametrize("name", ["exams.csv", "recipe.toml", "run.json"])
def test_no_room_for_a_run(train, pictures, fill, name):
    fill(name)
    train(pictures, words=("No space left on device",))


@pytest.mark.parametrize("command", ["predict", "evaluate", "plan"])
def test_no_room_for_a_file(refuse, trained, pictures, tmp_path, fill, command):
    out = tmp_path / "out.csv"
    out.write_text("old")
    words = {
        "predict": ("predict", trained, pictures / "test" / "above" / "031.png"),
        "evaluate": ("evaluate", trained, pictures),
        "plan": ("plan", pictures),
    }[command]
    fill(out.name)
    refuse(*words, "--out", out, words=(f"{out}: cannot", "No space left on device"))
    assert out.read_text() == "old"
