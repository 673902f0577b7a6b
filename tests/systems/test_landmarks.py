import numpy as np
import pandas as pd
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.curate.cohort import Columns
from medclf.errors import CohortError
from medclf.read.write import write_image
from medclf.systems import locate
from medclf.systems.landmark_slices import read_profiles

KIND = Columns(label="kind")
SHAPE = (26, 22, 24)


def write_scan(path, seed):
    """Write a head-like ellipsoid with a bright and a dark ball, the dark one not in every scan."""
    rng = np.random.default_rng(seed)
    grid = Grid((3.0, 3.0, 3.0), tuple(rng.uniform(-50, 50, 3)), np.eye(3))
    axes = np.stack(np.indices(SHAPE), -1)
    values = rng.normal(20, 4, SHAPE)
    values[(((axes - np.array(SHAPE) / 2) / np.array(SHAPE) * 2.2) ** 2).sum(-1) < 1] += 80
    found = {}
    for kind, middle, light in (("bright", (16, 14, 8), 120), ("dark", (9, 8, 15), -70)):
        at = np.array(middle) + rng.uniform(-3, 3, 3)
        if kind == "dark" and seed % 4 == 3:
            continue
        values += light * np.exp(-((axes - at) ** 2).sum(-1) / 5)
        found[kind] = grid.to_mm(at)
    image = Image(values.astype(np.float32)[None], grid)
    path.write_bytes(write_image(image, ".nii")[0])
    return found


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder, rows = tmp_path_factory.mktemp("heads"), []
    splits = ["train"] * 8 + ["val"] * 4 + ["test"] * 2
    for number, split in enumerate(splits):
        found = write_scan(folder / f"{number}.nii", number)
        rows += [(f"{number}.nii", f"p{number}", kind, *at, split) for kind, at in found.items()]
    columns = ["path", "patient", "kind", "z_mm", "y_mm", "x_mm", "split"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "marks.csv", index=False)
    return folder / "marks.csv"


@pytest.mark.parametrize(
    ("system", "options"),
    [
        ("landmark_slices", {"epochs": 8}),
        ("heat_map", {"epochs": 3, "members": 1}),
        ("vertebra_votes", {"epochs": 4}),
    ],
)
def test_landmarks_of_scans_that_were_never_seen_are_found(table, system, options, tmp_path):
    run = locate.train(table, tmp_path / "run", 5.0, 0, system, options=options, columns=KIND)
    found = run.scores["distances"]
    assert found["scans"] == 2
    assert run.scores["judged"] is None
    assert found["error_mm"]["value"] < 12.0  # by chance about 30
    assert [one["kind"] for one in found["landmarks"]] == ["bright", "dark"]
    truth = write_scan(tmp_path / "new.nii", 55)
    told = {one.kind: one for one in run.predict([tmp_path / "new.nii"])}
    assert np.linalg.norm(np.array(told["bright"].at_mm) - truth["bright"]) < 12.0
    assert not (tmp_path / "run" / "prepared").exists()


def test_a_landmark_that_is_twice_in_a_scan_is_refused(table, tmp_path):
    frame = pd.read_csv(table).assign(kind="bright")
    frame["path"] = [str(table.parent / path) for path in frame.path]
    frame.to_csv(tmp_path / "marks.csv", index=False)
    with pytest.raises(CohortError, match="once in a scan wanted, found bright more than once"):
        locate.train(tmp_path / "marks.csv", tmp_path / "run", 0.1, 0, "heat_map", columns=KIND)


def test_profiles_cross_where_they_are_highest():
    slices = np.arange(30)
    profiles = np.stack([np.exp(-((slices - at) ** 2) / 4) for at in (11.4, 20.0)], 1)
    at, height = read_profiles(profiles, 4, np.array([[14.0, 20.0], [14.0, 20.0]]))
    assert np.allclose(at, [11.4, 20.0], atol=0.15)
    assert (height > 0.6).all()


def test_of_two_like_peaks_that_on_the_usual_side_is_taken():
    slices = np.arange(30)
    both = np.exp(-((slices - 7) ** 2) / 4) + 0.9 * np.exp(-((slices - 22) ** 2) / 4)
    at, _ = read_profiles(np.stack([both, both], 1), 4, np.array([[9.0, 4.0], [20.0, 4.0]]))
    assert np.allclose(at, [7.0, 22.0], atol=0.15)
