"""Data sets joined, trained as one, and asked about new images: named, recognised, scored apart."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import medclf
from medclf.errors import CohortError, SettingError
from medclf.learn.member import load_tensors
from medclf.learn.settings import Decide, Fit, Net
from medclf.verbs import Watch, resume

CLASSES = {"breast": ("normal", "mass"), "skin": ("mole", "nevus", "scar")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Write two data sets: dark ones of two classes, bright ones of three."""
    folder, rng = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    for name, classes in CLASSES.items():
        rows = []
        for n in range(48):
            values = rng.integers(0, 60, (20, 20)) + 100 * (name == "skin")
            label = n % len(classes)
            values[5 * label : 5 * label + 5] += 80
            path = folder / f"{name}-{n}.png"
            Pillow.fromarray(values.astype(np.uint8)).save(path)
            rows.append([path.name, classes[label], ("train", "train", "val", "test")[n // 3 % 4]])
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["path", "label", "split"], *rows])
    lines = [f'[{name}]\ndata = "{name}.csv"\n' for name in CLASSES]
    (folder / "sets.toml").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def trained(place):
    cohort = medclf.read_cohort(place / "sets.toml")
    plan = medclf.plan(cohort, minutes=0.1, method="any_modality")
    recipe = replace(
        plan.recipe,
        net=Net("sprint", {"width": 16}),
        fit=Fit(epochs=3, members=2, batch=16, shift=0.0, balance="loss"),
        decide=Decide("bias", "balanced", 20),
    )
    return medclf.train(cohort, place / "run", recipe=recipe)


def test_each_data_set_is_scored_by_itself(trained):
    assert trained.trained.recipe.facts.words == ("dataset=breast", "dataset=skin")
    groups = trained.scores["subgroups"]["dataset"]
    assert groups["breast"]["n_exams"] == groups["skin"]["n_exams"] == 12
    with (trained.run.folder / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        own = CLASSES[row["fact_dataset"]]
        assert sum(float(row[f"p_{name}"]) for name in own) == pytest.approx(1)
        others = [c for classes in CLASSES.values() for c in classes if c not in own]
        assert all(float(row[f"p_{name}"]) == 0 for name in others)


def test_a_new_image_is_of_the_data_set_that_is_named_or_recognised(trained, place):
    file = place / "skin-5.png"
    (named,) = trained.predict([file], site="skin")
    (guessed,) = medclf.load(place / "run").predict([file])
    assert not named.warnings
    assert guessed.warnings[0] == "not known: dataset"
    assert guessed.warnings[1].startswith("taken for skin by the image, with ")
    assert named.decided[0] in CLASSES["skin"]
    with pytest.raises(SettingError, match="dataset is one of breast, skin in this run, not 'ct'"):
        trained.predict([file], site="ct")


def test_a_data_set_is_evaluated_by_itself(trained, place):
    scores = trained.evaluate(place / "skin.csv")
    assert scores.exams == 12
    assert "dataset: of 12 exams 12 without" in scores.notes
    assert json.loads((place / "run" / "run.json").read_text())["task"]["sets"][0][0] == "breast"


def test_a_run_that_was_cut_short_ends_with_the_same_weights(trained, place):
    def interrupt(progress):
        if progress.done >= 3:
            raise KeyboardInterrupt

    cohort, recipe = medclf.read_cohort(place / "sets.toml"), trained.trained.recipe
    with pytest.raises(KeyboardInterrupt):
        medclf.train(cohort, place / "cut", recipe=recipe, watch=Watch(tell=interrupt))
    again = resume(place / "cut")
    one, other = (load_tensors(run.run.weights)[0] for run in (trained, again))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_one_data_set_has_no_domains(place):
    with pytest.raises(CohortError, match="any_modality needs a column with words for the data"):
        medclf.plan(medclf.read_cohort(place / "skin.csv"), minutes=0.1, method="any_modality")
