import shutil

import numpy as np
import pandas as pd
import pytest

from medclf import features, read_cohort


@pytest.mark.parametrize("name", ["features.csv", "features.parquet"])
def test_a_row_for_each_exam_of_what_a_run_sees_in_it(medclf, trained, tmp_path, name):
    data, out = trained.parent / "pictures", tmp_path / name
    told = medclf("features", trained, data, "--out", out)
    assert (told.code, told.err) == (0, "")
    read = pd.read_csv if out.suffix == ".csv" else pd.read_parquet
    found, wanted = read(out), features.features(trained, read_cohort(data))
    assert list(found.columns) == list(wanted.columns)
    assert list(found.exam) == list(wanted.exam)
    assert sorted(found.label.unique()) == ["above", "below"]
    numbers = [one.filter(regex=r"^f\d+$").to_numpy() for one in (found, wanted)]
    assert np.allclose(*numbers, rtol=1e-5)
    assert told.out == f"40 exams, {numbers[0].shape[1]} features: {out}\n"


def test_other_forms_of_tables_and_runs_that_are_none_are_refused(refuse, pictures, tmp_path):
    refuse("features", "run", pictures, "--out", tmp_path / "f.xlsx", words=("f.xlsx", ".parquet"))
    refuse("features", "run", pictures, "--out", tmp_path / "f.csv", words=("'run'",))


def test_exams_that_cannot_be_read_may_be_left_out(medclf, refuse, trained, tmp_path):
    data = tmp_path / "pictures"
    shutil.copytree(trained.parent / "pictures", data)
    broken = next(data.rglob("*.png"))
    broken.write_bytes(broken.read_bytes()[:40])
    out = tmp_path / "f.csv"
    refuse("features", trained, data, "--out", out, words=(broken.name, "--skip-unreadable"))
    told = medclf("features", trained, data, "--out", out, "--skip-unreadable")
    assert told.out.endswith(f": {out}; 1 left out: cannot be read\n")
    assert len(pd.read_csv(out)) == 39
