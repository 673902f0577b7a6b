from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_curve

from medclf.core.task import Task
from medclf.report.band import precision_band, roc_band


@pytest.fixture(scope="module")
def judged(composed):
    return composed("binary").test


def test_the_middle_is_the_roc_curve(judged):
    exams = judged.labelled
    fpr, tpr, _ = roc_curve(exams.target, exams.probabilities[:, 1], drop_intermediate=False)
    band = roc_band(judged, [1])
    highest = [tpr[fpr <= x + 1e-12].max() for x in fpr[:-1]]
    found = np.interp(fpr[:-1], band.x, band.middle)
    steps = np.isin(np.round(fpr[:-1] * 100, 9), np.round(band.x * 100, 9))
    assert np.allclose(found[steps], np.array(highest)[steps])
    assert np.trapezoid(band.middle, band.x) == pytest.approx(auc(fpr, tpr), abs=0.01)


def test_the_middle_is_the_precision_where_each_share_is_first_found(judged):
    exams = judged.labelled
    precision, recall, _ = precision_recall_curve(exams.target, exams.probabilities[:, 1])
    band = precision_band(judged, [1])
    for x in (0.25, 0.5, 0.9):
        first = recall[recall >= x - 1e-12].min()
        wanted = precision[recall == first].max()
        assert band.middle[np.searchsorted(band.x, x)] == pytest.approx(wanted)


def test_the_band_holds_the_curve_and_is_wider_for_fewer_patients(judged, predict, judge):
    band = roc_band(judged, [1])
    inside = (band.low <= band.middle + 1e-9) & (band.middle <= band.high + 1e-9)
    assert inside.all()
    assert band.samples == 500
    width = []
    for exams in (120, 1200):
        p = predict(judged.task, exams)
        hard = replace(p, target=np.where(np.arange(exams) % 7 < 2, 1 - p.target, p.target))
        band = roc_band(judge(hard), [1])
        width.append((band.high - band.low).mean())
    assert width[0] / width[1] == pytest.approx(np.sqrt(10), rel=0.2)


def test_exams_of_one_patient_are_drawn_together(judged):
    """Every exam copied within its patient tells nothing new; as a new patient it would."""
    p = judged.predictions
    twice = np.repeat(np.arange(len(p)), 2)
    names = np.array([f"exam {i}" for i in range(len(twice))])
    copied = {n: getattr(p, n)[twice] for n in ("splits", "target", "probabilities", "spread")}
    same = replace(p, exams=names, patients=p.patients[twice], facts={}, **copied)
    apart = replace(p, exams=names, patients=names, facts={}, **copied)
    width = {}
    for name, predictions in (("one", p), ("same", same), ("apart", apart)):
        band = roc_band(replace(judged, predictions=predictions), [1])
        width[name] = (band.high - band.low).mean()
    assert width["same"] == pytest.approx(width["one"], rel=0.1)
    assert width["apart"] < 0.88 * width["one"]


def test_several_classes_are_averaged(composed):
    judged = composed("exclusive").test
    each = [roc_band(judged, [k]).middle for k in range(4)]
    assert np.allclose(roc_band(judged, [0, 1, 2, 3]).middle, np.mean(each, axis=0))


def test_too_much_work_draws_no_band(predict, judge):
    task = Task(tuple(f"class {i}" for i in range(80)))
    band = roc_band(judge(predict(task, 400), resamples=2), list(range(80)))
    assert band.samples == 0
    assert band.middle[-1] == 1
