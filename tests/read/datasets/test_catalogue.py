import numpy as np
import pytest

from medclf.read.datasets.catalogue import CATALOGUE
from medclf.read.datasets.medmnist_sets import SETS
from medclf.read.datasets.table import DATASETS
from medclf.read.fetch import REMOTES


def images(names):
    return sum(sum((one.train, one.val, one.test)) for one in map(CATALOGUE.get, names))


def test_all_that_can_be_fetched_stands_in_it_and_nothing_else_says_so():
    fetched = {name for name, one in CATALOGUE.items() if one.get == f"medclf fetch {name}"}
    assert fetched == set(REMOTES)
    assert set(CATALOGUE) - fetched == {"imagenet"}


def test_medmnist_has_as_many_images_as_its_paper_less_those_dropped_since():
    """The paper of version 2 counts 708,069 and 9,998; version 3 dropped copies among organs."""
    assert images(name for name in SETS if not name.endswith("3d")) == 708_069 - 20 - 77 - 10
    assert images(name for name in SETS if name.endswith("3d")) == 9_998 - 2
    assert len(SETS) == 18


def test_imagenet_has_the_counts_of_its_paper():
    one = CATALOGUE["imagenet"]
    assert (one.train, one.val, one.classes) == (1_281_167, 50_000, 1000)


@pytest.mark.parametrize("name", ["breastmnist", "pneumoniamnist", "adrenalmnist3d"])
def test_counts_are_those_of_the_files(name, real_data):
    one = CATALOGUE[name]
    with np.load(real_data / "medmnist" / f"{name}.npz") as file:
        labels = {part: file[f"{part}_labels"] for part in ("train", "val", "test")}
        shape = file["val_images"].shape[1:]
    assert [len(part) for part in labels.values()] == [one.train, one.val, one.test]
    assert shape == one.size
    assert len(np.unique(labels["train"])) == one.classes


def test_mnist_is_what_its_files_hold(real_data):
    path = real_data / "mnist"
    (kind,) = (dataset for dataset in DATASETS if dataset.recognise(path))
    cohort, one = kind.read_dataset(path), CATALOGUE["mnist"]
    splits = [record.split for record in cohort.records]
    assert (splits.count("train"), splits.count("test")) == (one.train, one.test)
    assert len(cohort.task.classes) == one.classes
