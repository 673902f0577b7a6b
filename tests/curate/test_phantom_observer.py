import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medclf.curate.phantom.observer import best_auc, chance_of_finding, ideal_auc
from medclf.curate.phantom.patient import draw_patient
from medclf.errors import CohortError


def severities(patients, seed=0):
    people = (draw_patient(number, seed) for number in range(patients))
    return np.array([visit.severity for one in people for visit in one.visits])


def test_ideal_auc_is_what_redrawn_labels_give():
    severity, rng = severities(120), np.random.default_rng(0)
    chance = chance_of_finding(severity)
    measured = [roc_auc_score(rng.random(chance.size) < chance, severity) for _ in range(600)]
    error = np.std(measured) / np.sqrt(len(measured))
    assert abs(np.mean(measured) - ideal_auc(severity)) < 4 * error
    assert error < 0.001


def test_ideal_auc_is_the_sum_over_pairs():
    severity = np.array([0, 0, 0.2, 0.36, 0.36, 0.9])
    chance = chance_of_finding(severity)
    right = pairs = 0.0
    for i in range(6):
        for j in range(6):
            if i != j:
                pair = chance[i] * (1 - chance[j])
                higher = float(severity[i] > severity[j]) + 0.5 * (severity[i] == severity[j])
                right, pairs = right + pair * higher, pairs + pair
    assert ideal_auc(severity) == pytest.approx(right / pairs)


def test_no_other_score_does_better():
    severity, rng = severities(400), np.random.default_rng(1)
    chance = chance_of_finding(severity)
    blurred = severity + rng.normal(0, 0.15, severity.size)
    folded = np.abs(severity - 0.2)
    for score in (blurred, folded):
        measured = [roc_auc_score(rng.random(chance.size) < chance, score) for _ in range(60)]
        assert np.mean(measured) < ideal_auc(severity) - 0.005


@pytest.mark.parametrize("seed", range(5))
def test_default_cohort_can_be_told_well_but_not_perfectly(seed):
    assert 0.94 < ideal_auc(severities(240, seed)) < 0.975


def test_faint_findings_are_called_no_oftener_than_healthy_chests():
    none, faint, plain = chance_of_finding([0, 0.1, 0.7])
    assert none < faint < none + 0.03
    assert plain > 0.95


def test_best_auc_names_the_table_that_it_misses(tmp_path):
    with pytest.raises(CohortError, match=r"cohort\.csv"):
        best_auc(tmp_path)


@pytest.mark.parametrize("text", ["path\na\nb\n", "severity\nplain\n0\n", "severity\n0.5\n7\n"])
def test_best_auc_refuses_what_is_no_severity(tmp_path, text):
    (tmp_path / "cohort.csv").write_text(text)
    with pytest.raises(CohortError, match="severit"):
        best_auc(tmp_path)
