"""From a table, or what an archive exports, to a report and a prediction: each kind of task."""

import csv
import html
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from medclf.cli.main import app
from medclf.curate.phantom.hard.case import write
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import ROOT, make_stack, store

RECIPE = """\
[prepare]
size = {size}
channels = 1
{more}
[net]
name = "sprint"
options = {{ width = 16 }}

[fit]
members = 2
folds = 2
epochs = {epochs}
batch = 8

[decide]
threshold = "between"
resamples = 50
"""
FINDINGS = ("none", "mass", "nodule", "nodule|mass")
GRADES = ("grade 0", "grade 1", "grade 2")


def say(*words):
    """Say a command, which must do as it is told, and give what it prints."""
    told = CliRunner().invoke(app, [str(word) for word in words])
    assert told.exit_code == 0, (told.stderr, told.exception)
    return told.stdout


def train_on(data, home, size, epochs, more=""):
    """Train by the command, with a quick recipe."""
    (home / "recipe.toml").write_text(RECIPE.format(size=size, epochs=epochs, more=more))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCLF_CACHE", str(home / "cache"))
        said = ("train", data, "--recipe", home / "recipe.toml", "--out", home / "run", "--json")
        return home / "run", json.loads(say(*said))


def read_rows(table):
    return list(csv.DictReader(io.StringIO(table)))


def read_page(run):
    return html.unescape((run / "report.html").read_text(encoding="utf-8"))


# Findings that coexist, and grades that rank


def draw(label, seed):
    """Draw a picture: a mass is bright above, a nodule below; a grade is how much is bright."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 100, (16, 16)).astype(np.uint8)
    if label in GRADES:
        values[:, : 5 * GRADES.index(label)] += 120
    else:
        values[:6] += 120 * ("mass" in label)
        values[10:] += 120 * ("nodule" in label)
    return Image.fromarray(values)


def write_pictures(folder, labels, count=72):
    """Write pictures, two of each patient, and a table that tells labels and splits."""
    folder.mkdir()
    rows = []
    for number in range(count):
        label = labels[number % len(labels)]
        draw(label, number).save(folder / f"{number}.png")
        split = ("train", "train", "val", "test")[number * 4 // count]
        rows.append((f"{number}.png", label, f"p{number // 2}", split))
    table = folder / "exams.csv"
    pd.DataFrame(rows, columns=["path", "label", "patient", "split"]).to_csv(table, index=False)
    return table


def draw_new(folder, labels):
    for number, label in enumerate(labels):
        draw(label, 1000 + number).save(folder / f"{number}.png")
    return sorted(folder.glob("*.png"))


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    home = tmp_path_factory.mktemp("findings")
    return train_on(write_pictures(home / "data", FINDINGS), home, [16, 16], 8)


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    home = tmp_path_factory.mktemp("grades")
    return train_on(write_pictures(home / "data", GRADES), home, [16, 16], 8)


def test_findings_that_coexist_are_trained_measured_and_told(findings):
    run, scores = findings
    task = json.loads((run / "run.json").read_text())["task"]
    assert task == {"classes": ["mass", "nodule"], "kind": "coexisting", "sets": []}
    assert scores["auc"]["value"] > 0.9
    assert scores["per_class"]["mass"]["n_exams"] == 9
    assert scores["decision"]["coexisting"]
    assert [0 < t < 1 for t in scores["decision"]["thresholds"]] == [True, True]
    assert scores["decision"]["aim"] == "between"
    rows = read_rows((run / "predictions.csv").read_text(encoding="utf-8"))
    assert {row["label"] for row in rows} == {"|", "mass", "nodule", "mass|nodule"}
    assert "'none' is read as: no finding" in read_page(run)
    again = json.loads(say("evaluate", run, run.parent / "data" / "exams.csv", "--json"))
    assert again["per_class"] == scores["per_class"]


def test_any_number_of_findings_is_decided_on(findings, tmp_path):
    files = draw_new(tmp_path, FINDINGS)
    rows = read_rows(say("predict", findings[0], *files))
    assert [row["decided"] for row in rows] == ["", "mass", "nodule", "mass|nodule"]
    (both,) = json.loads(say("predict", findings[0], files[3], "--json"))
    assert both["decided"] == ["mass", "nodule"]
    assert sum(both["probabilities"]) > 1


def test_grades_that_rank_are_trained_measured_and_told(grades):
    run, scores = grades
    task = json.loads((run / "run.json").read_text())["task"]
    assert task == {"classes": list(GRADES), "kind": "ranked", "sets": []}
    kappa = scores["kappa"]
    assert 0.7 < kappa["value"] <= kappa["high"] <= 1
    assert f"quadratic kappa of {kappa['value']:.3f}" in read_page(run)
    again = json.loads(say("evaluate", run, run.parent / "data" / "exams.csv", "--json"))
    assert again["kappa"] == kappa


def test_one_grade_is_decided_on_and_the_shares_of_all_make_one(grades, tmp_path):
    found = json.loads(say("predict", grades[0], *draw_new(tmp_path, GRADES), "--json"))
    assert [one["decided"] for one in found] == [[label] for label in GRADES]
    assert [sum(one["probabilities"]) for one in found] == pytest.approx([1.0] * 3)


# An export of an archive, and a sheet

SLAB = Slab(shape=(8, 16, 16), spacing_mm=(5.0, 2.0, 2.0))
THIN = Slab(shape=(16, 32, 32), spacing_mm=(2.5, 1.0, 1.0))


def write_series(folder, patient, number, description, slab=SLAB, ill=False):
    """Write a CT series as an archive does: names tell nothing, and slices are in no order."""
    rng = np.random.default_rng(10 * patient + number)
    stack = make_stack(
        *(Field(), slab),
        first=1000 * patient + 100 * number,
        PatientID=f"MRN{patient}",
        StudyInstanceUID=f"{ROOT}.{patient}",
        SeriesInstanceUID=f"{ROOT}.{patient}.{number}",
        AccessionNumber=f"ACC{patient}",
        SeriesDescription=description,
    )
    values = rng.normal(0, 40, slab.shape)
    if ill:
        values[tuple(slice(3 * n // 8, 5 * n // 8) for n in slab.shape)] += 400
    folder.mkdir(parents=True)
    for place, one, dataset in zip(rng.permutation(len(stack)), values, stack, strict=True):
        store(dataset, one)
        write(dataset, folder / f"IM{place:05d}")
    return folder


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """24 patients with a scout and a thorax each, and a sheet that names no files."""
    home = tmp_path_factory.mktemp("export")
    for patient in range(24):
        study = home / "export" / f"PAT{patient * 7919 % 1000}" / "ST0"
        write_series(study / "SE0", patient, 0, "Scout", replace(SLAB, shape=(1, 16, 16)))
        write_series(study / "SE1", patient, 1, "Thorax 5.0", ill=patient % 2 == 1)
    (home / "export" / "viewer.exe").write_bytes(b"MZ")
    sheet = {
        "Accession Number": [*(f"ACC{patient}" for patient in range(24)), "ACC77"],
        "Diagnosis": ["none", "nodule"] * 12 + ["none"],
        "Split": ["train"] * 12 + ["val"] * 4 + ["test"] * 9,
    }
    pd.DataFrame(sheet).to_excel(home / "export" / "labels.xlsx", index=False)
    more = 'intensity = "window"\nwindow = [-200.0, 600.0]\nspacing_mm = [5.0, 2.0, 2.0]\n'
    return train_on(home / "export", home, [8, 16, 16], 6, more)


def test_an_export_with_a_sheet_is_trained_on_and_what_was_left_out_is_told(export):
    run, scores = export
    assert (scores["n_exams"], scores["n_patients"]) == (8, 8)
    assert scores["auc"]["value"] > 0.9
    page = read_page(run)
    for told in (
        "'CT Thorax 5.0' is read, which 24 of 24 exams have once",
        "No image of 1 row: ACC77.",
        "Not used: 24 series that no row means.",
    ):
        assert told in page, told


def test_of_several_series_the_kind_is_read_that_training_chose(export, tmp_path):
    write_series(tmp_path / "both" / "late", 103, 2, "Thorax late")
    write_series(tmp_path / "both" / "first", 103, 1, "Thorax 5.0", ill=True)
    (found,) = json.loads(say("predict", export[0], tmp_path / "both", "--json"))
    assert found["decided"] == ["nodule"]
    for patient in (104, 105):
        place = tmp_path / "export" / f"{patient}"
        write_series(place / "late", patient, 2, "Thorax late", ill=patient == 104)
        write_series(place / "first", patient, 1, "Thorax 5.0", ill=patient == 105)
    rows = {"Accession Number": ["ACC104", "ACC105"], "Diagnosis": ["none", "nodule"]}
    pd.DataFrame(rows).to_excel(tmp_path / "export" / "labels.xlsx", index=False)
    scores = json.loads(say("evaluate", export[0], tmp_path / "export", "--json"))
    assert scores["accuracy"]["value"] == 1.0


def test_the_volumes_in_folders_of_slices_are_predicted(export, tmp_path):
    series = [
        write_series(tmp_path / "ill", 100, 1, "Thorax 5.0", ill=True),
        write_series(tmp_path / "well", 101, 1, "Thorax 5.0"),
        write_series(tmp_path / "thin", 102, 1, "Thorax 2.5", THIN, ill=True),
    ]
    found = json.loads(say("predict", export[0], *series, "--json"))
    assert [one["decided"] for one in found] == [["nodule"], ["none"], ["nodule"]]
    assert found[0]["warnings"] == found[1]["warnings"] == []
