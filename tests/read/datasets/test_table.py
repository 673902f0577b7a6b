import numpy as np

from medclf.read.datasets.table import DATASETS


def test_no_two_recognise_the_same_data(tmp_path, real_data):
    np.savez(tmp_path / "a.npz", train_images=np.zeros((2, 3, 3)), train_labels=np.arange(2))
    for path in (tmp_path / "a.npz", real_data / "mnist", real_data / "medmnist/breastmnist.npz"):
        assert sum(dataset.recognise(path) for dataset in DATASETS) == 1


def test_nothing_is_recognised_where_nothing_is(tmp_path, real_data):
    for path in (
        tmp_path,
        tmp_path / "absent",
        real_data,
        real_data / "kermany_chest_xray" / "images.zip",
        real_data / "covid_chestxray" / "metadata.csv",
        real_data / "ixi10",
    ):
        assert not any(dataset.recognise(path) for dataset in DATASETS)
