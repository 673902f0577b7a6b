"""Bad run folders, bad places for results, a full disk: one clear line, nothing half-written."""

import errno
import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from medclf.learn.run import sole_use


def copy(trained: Path, place: Path) -> Path:
    """Copy a run, to be damaged."""
    return shutil.copytree(trained, place)


def alter(run: Path, **facts: object) -> None:
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


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
    refuse(*words, words=(f"{run}: this medclf reads runs of format 2, found format 99", "7.0"))


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("run.json", b"{", "cannot read it"),
        ("run.json", b"[]", "cannot read it"),
        ("run.json", b'{"format": 2}', "damaged: state"),
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


def test_weights_of_another_network_tell_what_differs(refuse, trained, pictures, tmp_path):
    run = copy(trained, tmp_path / "run")
    recipe = run / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("width = 16", "width = 32"))
    words = (f"{run / 'weights.safetensors'}: weights of another network: ", "size mismatch for")
    refuse("predict", run, pictures / "test" / "above" / "031.png", words=words)


@pytest.mark.parametrize(
    "raw", [b"", b"name,split", b"exam,split,image,patient\na\xff,test\n", None]
)
def test_a_run_without_its_exams_does_not_evaluate(refuse, trained, pictures, tmp_path, raw):
    run = copy(trained, tmp_path / "run")
    (run / "exams.csv").unlink()
    if raw is not None:
        (run / "exams.csv").write_bytes(raw)
    words = (f"{run / 'exams.csv'}: rows of exam, split, image, patient wanted",)
    refuse("evaluate", run, pictures, words=words)


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
    shutil.copy(pictures / "test/above/031.png", pictures / "train/above/001.png")
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
    refuse("predict", trained, tmp_path, words=(f"{tmp_path}: ", "DICOM files of a volume, wanted"))


def test_other_classes_are_not_evaluated(refuse, trained, pictures):
    for split in ("train", "val", "test"):
        (pictures / split / "above").rename(pictures / split / "beside")
    words = ("classes above, below wanted", "found also 'beside'")
    told = refuse("evaluate", trained, pictures, words=(f"{pictures}: ",))
    assert words[0] in told
    assert "beside" in told


def test_the_demo_keeps_to_an_empty_folder(refuse, pictures):
    refuse("demo", "--out", pictures, words=(f"{pictures}: ", "empty folder, found test"))


def test_a_demo_without_room_leaves_nothing(medclf, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("medclf.curate.phantom.cohort.write_radiograph", fail)
    out = tmp_path / "new" / "demo"
    told = medclf("demo", "--out", out, "--patients", 40)
    why = f"error: {out / 'data'}: cannot write phantoms here: No space left on device\n"
    assert (told.code, told.err) == (1, why)
    assert not list(tmp_path.iterdir())


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


@pytest.fixture
def file_limit() -> Callable[[int], AbstractContextManager[None]]:
    """Let the system refuse what is written beyond so many bytes of a file."""

    @contextmanager
    def limit(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


def test_no_room_for_prepared_images_is_told_beforehand(train, pictures, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("medclf.prepare.shelf.shutil.disk_usage", lambda _: usage)
    words = (tmp_path / "cache", "MB wanted for prepared images", "0.0 MB free", "MEDCLF_CACHE")
    train(pictures, words=words)


def test_no_room_while_images_are_prepared(train, pictures, fill, tmp_path):
    fill("values.bin")
    train(pictures, words=(tmp_path / "cache", "wanted for prepared images", "MEDCLF_CACHE"))


@pytest.mark.parametrize("name", ["exams.csv", "recipe.toml", "run.json"])
def test_no_room_for_a_run(train, pictures, fill, tmp_path, name):
    fill(name)
    place = tmp_path / "runs" / "new" / name
    train(pictures, words=(f"{place}: cannot be written: No space left on device",))


def test_no_room_for_an_epoch(medclf, recipe, pictures, tmp_path, file_limit):
    """Files longer than the limit cannot be written: the first epochs, which are the longest."""
    place = tmp_path / "run"
    words = ("train", pictures, "--recipe", recipe, "--out", place)
    with file_limit(30_000):
        told = medclf(*words)
    assert (told.code, told.out, told.err.count("\n")) == (1, "", 1)
    assert f"{place / 'checkpoint'}" in told.err
    assert "cannot be written: " in told.err
    assert "File too large" in told.err
    assert not place.exists()


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
