import numpy as np
import pytest
from scipy.special import expit, logit, ndtr, ndtri
from sklearn import metrics

from medclf.core.task import Task
from medclf.errors import CohortError, SettingError
from medclf.evaluate.threshold import Decision, fit_decision, fit_threshold


def draw(rng, exams, share):
    """Two normal classes 2 apart, and the true probability of the second."""
    target = (rng.random(exams) < share).astype(int)
    score = rng.standard_normal(exams) + 2 * target
    return target, expit(2 * score - 2 + logit(share))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_many_exams_give_the_threshold_that_theory_asks_for(share):
    target, p = draw(np.random.default_rng(0), 20_000, share)
    # Of true probabilities: one half is the most accurate, the prevalence the most balanced, and
    # half of the best F1 gives the best F1 (Lipton et al. 2014).
    assert fit_threshold(target, p, "accuracy") == pytest.approx(0.5, abs=0.06)
    assert fit_threshold(target, p, "balanced") == pytest.approx(share, abs=0.05)
    # The mean of the two weighs an exam of a class by 1/2 + 1/4 over the class's share.
    no, yes = 0.5 + 0.25 / (1 - share), 0.5 + 0.25 / share
    assert fit_threshold(target, p, "between") == pytest.approx(no / (no + yes), abs=0.03)
    found = fit_threshold(target, p, "f1")
    best = max(metrics.f1_score(target, p > t) for t in np.linspace(0.1, 0.6, 26))
    assert found == pytest.approx(best / 2, abs=0.06)
    assert metrics.f1_score(target, p > found) > best - 0.005


@pytest.mark.parametrize("wanted", [0.8, 0.95])
def test_a_wished_sensitivity_is_kept_and_no_more_given_for_it_than_need_be(wanted):
    target, p = draw(np.random.default_rng(0), 20_000, 0.3)
    found = fit_threshold(target, p, "accuracy", wanted)
    # The second class is normal about 2: its lower quantile, as a probability.
    asked = min(0.5, float(expit(2 * (2 - ndtri(wanted)) - 2 + logit(0.3))))
    assert found == pytest.approx(asked, abs=0.03)
    assert np.mean(p[target == 1] >= found) >= wanted - 0.01
    assert fit_threshold(target, p, "accuracy", 0.01) == fit_threshold(target, p, "accuracy")


@pytest.mark.parametrize("aim", ["accuracy", "between", "balanced", "f1"])
def test_few_exams_lose_less_than_half_of_what_their_best_threshold_loses(aim):
    rng = np.random.default_rng(0)

    def worth(threshold, share=0.2):
        score = (logit(threshold) - logit(share) + 2) / 2
        found, alarms = share * ndtr(2 - score), (1 - share) * ndtr(-score)
        if aim == "f1":
            return 2 * found / (share + found + alarms)
        right = found + 1 - share - alarms
        balanced = (found / share + 1 - alarms / (1 - share)) / 2
        return {"accuracy": right, "between": (right + balanced) / 2, "balanced": balanced}[aim]

    def best_of_sample(target, p):
        def balanced(t, d):
            return (t[d].sum() / t.sum() + 1 - (1 - t)[d].sum() / (1 - t).sum()) / 2

        score = {
            "accuracy": lambda t, d: np.mean(t == d),
            "between": lambda t, d: np.mean(t == d) + balanced(t, d),
            "balanced": balanced,
            "f1": lambda t, d: 2 * t[d].sum() / (t.sum() + d.sum()),
        }[aim]
        middles = np.convolve(np.sort(p), [0.5, 0.5], "valid")
        return max(middles, key=lambda t: score(target, p > t))

    best = max(worth(t) for t in np.linspace(0.01, 0.99, 197))
    lost = np.array(
        [
            [
                best - worth(rule(target, p))
                for rule in (lambda t, p: fit_threshold(t, p, aim), best_of_sample)
            ]
            for target, p in (draw(rng, 60, 0.2) for _ in range(60))
        ]
    ).mean(0)
    assert lost[0] < 0.6 * lost[1]


@pytest.mark.parametrize("aim", ["accuracy", "between", "balanced", "f1"])
@pytest.mark.parametrize("exams", [4, 30, 300])
def test_a_gap_is_parted_in_its_middle(aim, exams):
    target = np.arange(exams) % 2
    p = np.where(target == 1, 0.8, 0.3)
    assert 0.4 < fit_threshold(target, p, aim) < 0.7


def test_nothing_to_learn_from():
    p = np.array([0.1, 0.2, 0.3])
    for target in (np.zeros(3, int), np.ones(3, int)):
        assert fit_threshold(target, p, "balanced") == 0.5
    assert 0 < fit_threshold(np.array([0, 1, 0]), np.full(3, 0.3), "accuracy") < 1
    assert 0 < fit_threshold(np.array([0, 1, 0]), np.array([0.0, 1.0, 0.0]), "f1") < 1


def test_uncalibrated_probabilities_get_their_own_threshold():
    target, p = draw(np.random.default_rng(0), 1000, 0.5)
    shifted = expit(logit(p) - 4)
    assert fit_threshold(target, shifted, "accuracy") == pytest.approx(expit(-4), abs=0.02)


def test_decisions_by_kind():
    p = np.array([[0.6, 0.4], [0.9, 0.1]])
    assert Decision((0.4,)).decide(p).tolist() == [1, 0]
    assert Decision().decide(p).tolist() == [0, 0]
    assert Decision((0.7, 0.1), coexisting=True).decide(p).tolist() == [[0, 1], [1, 1]]
    three = np.array([[0.5, 0.3, 0.2]])
    assert Decision().decide(three).tolist() == [0]
    assert Decision((0.6, 0.3, 0.1)).decide(three).tolist() == [2]


def test_a_decision_is_fitted_to_each_kind():
    rng = np.random.default_rng(0)
    target, p = draw(rng, 200, 0.3)
    both = np.stack([1 - p, p], 1)
    decision = fit_decision(Task(("no", "yes")), target, both, "balanced")
    assert decision == Decision((fit_threshold(target, p, "balanced"),), "balanced")
    hidden = np.append(target, -1)
    again = fit_decision(Task(("no", "yes")), hidden, np.vstack([both, [1, 0]]), "balanced")
    assert again == decision
    pair = np.stack([target, 1 - target], 1)
    decision = fit_decision(Task(("x", "y"), "coexisting"), pair, np.stack([p, 1 - p], 1), "f1")
    assert decision.coexisting
    assert decision.thresholds[0] == fit_threshold(target, p, "f1")
    keen = fit_decision(Task(("no", "yes")), target, both, "balanced", 0.95)
    assert keen == Decision((fit_threshold(target, p, "balanced", 0.95),), "balanced", False, 0.95)


def test_balance_among_several_classes():
    rng = np.random.default_rng(0)
    target = rng.choice(3, 3000, p=[0.8, 0.15, 0.05])
    seen = rng.standard_normal((3000, 3))
    seen[np.arange(3000), target] += 1.5
    task = Task(("a", "b", "c"))
    p = task.probabilities(1.5 * seen + np.log([0.8, 0.15, 0.05]))
    fitted = [fit_decision(task, target, p, aim) for aim in ("accuracy", "between", "balanced")]
    decided = [decision.decide(p) for decision in fitted]
    right = [np.mean(some == target) for some in decided]
    balanced = [metrics.balanced_accuracy_score(target, some) for some in decided]
    assert right == sorted(right, reverse=True)
    assert balanced == sorted(balanced)
    assert balanced[2] > balanced[0] + 0.05
    assert np.argmax(np.add(right, balanced)) == 1
    # Half-way from none to the shares of the classes, on the scale of logits.
    assert np.log(fitted[1].thresholds) == pytest.approx(np.log(fitted[2].thresholds) / 2)
    assert fitted[2].thresholds == pytest.approx(np.bincount(target) / 3000, abs=0.001)


def test_wrong_settings_are_refused():
    p = np.full((2, 3), 1 / 3)
    with pytest.raises(SettingError, match="not 'best'"):
        fit_threshold(np.array([0, 1]), np.array([0.1, 0.2]), "best")
    with pytest.raises(SettingError, match="f1"):
        fit_decision(Task(("a", "b", "c")), np.array([0, 1]), p, "f1")
    with pytest.raises(SettingError, match=r"a sensitivity of 0\.95 is for two classes"):
        fit_decision(Task(("a", "b", "c")), np.array([0, 1]), p, "accuracy", 0.95)
    with pytest.raises(SettingError, match="3 classes take"):
        Decision((0.5,)).decide(p)
    with pytest.raises(CohortError, match="none has a label"):
        fit_decision(Task(("a", "b", "c")), np.array([-1, -1]), p, "accuracy")
