import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier

from medclf.contest.boosted import Boosted, Trees
from medclf.contest.classical import Classical, Setting, choose_setting, deadline_after, describe
from medclf.core.task import Task

FEW = Trees(rounds=12, leaves=4)


def draw(kind="exclusive", classes=3, exams=120, seed=0):
    """Features that tell classes apart, with noise; labels of a kind of task."""
    rng = np.random.default_rng(seed)
    marks = rng.integers(2, size=(exams, classes))
    target = marks if kind == "coexisting" else np.arange(exams) % classes
    told = marks if kind == "coexisting" else np.eye(classes)[target]
    features = (2 * told + rng.normal(size=(exams, classes))).astype(np.float32)
    return Task(tuple("abc"[:classes]), kind), features, target


@pytest.mark.parametrize("kind", ["exclusive", "ranked", "coexisting"])
def test_every_kind_of_task_is_learnt(kind):
    task, features, target = draw(kind)
    found = Boosted(task, FEW, features, target).probabilities(features)
    assert found.shape == (120, 3)
    assert ((found > 0) & (found < 1)).all()
    if kind == "coexisting":
        assert ((found > 0.5) == target).mean() > 0.8
    else:
        assert found.sum(1) == pytest.approx(1)
        assert (found.argmax(1) == target).mean() > 0.8


def test_trees_are_those_of_scikit_learn():
    task, features, target = draw(classes=2)
    model = HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=12,
        max_leaf_nodes=4,
        min_samples_leaf=7,
        early_stopping=False,
        random_state=0,
    )
    wanted = model.fit(features, target).predict_proba(features)
    assert Boosted(task, FEW, features, target).probabilities(features) == pytest.approx(
        wanted, abs=1e-5
    )


@pytest.mark.parametrize("kind", ["exclusive", "coexisting"])
def test_a_class_that_was_never_seen_is_next_to_impossible(kind):
    task, features, target = draw(kind)
    keep = target[:, 2] == 0 if kind == "coexisting" else target < 2
    judge = Boosted(task, FEW, features[keep], target[keep])
    assert judge.probabilities(features)[:, 2].max() < 1e-5
    assert judge.best_rounds(features[keep], target[keep])[0] >= 1
    only = Boosted(Task(("a", "b")), FEW, features[:9], np.zeros(9, np.int64))
    assert only.probabilities(features)[:, 0].min() > 0.999


def test_the_best_number_of_rounds_is_where_the_loss_is_least():
    task, features, target = draw(classes=2, exams=60)
    _, held, truth = draw(classes=2, exams=60, seed=1)
    trees = Trees(rounds=60, leaves=8)
    rounds, loss = Boosted(task, trees, features, target).best_rounds(held, truth)
    losses = []
    for n in range(1, 61):
        judge = Boosted(task, Trees(leaves=8, rounds=n), features, target)
        said = judge.probabilities(held)
        losses.append(-np.log(said[np.arange(60), truth]).mean())
    assert rounds == np.argmin(losses) + 1 < 60
    assert loss == pytest.approx(min(losses))


def test_patterns_are_those_of_pca():
    task, features, target = draw()
    judge = Classical("pca", task, Setting(FEW, patterns=2), features, target)
    patterns = PCA(2, svd_solver="randomized", random_state=0).fit(features).transform(features)
    wanted = Boosted(task, FEW, patterns, target).probabilities(patterns)
    assert judge.judge(features) == pytest.approx(wanted)
    few = Classical("pca", task, Setting(FEW, patterns=500), features[:8], target[:8])
    assert few.judge(features).shape == (120, 3)


def test_large_images_are_averaged_in_blocks_before_pca():
    small = np.random.default_rng(0).random((3, 1, 28, 28))
    assert describe("pca", small) == pytest.approx(small.reshape(3, -1), abs=1e-6)
    large = np.random.default_rng(0).random((2, 3, 100, 90))
    found = describe("pca", large)
    assert found.shape == (2, 3 * 34 * 30)
    assert found[0, 0] == pytest.approx(large[0, 0, :3, :3].mean(), rel=1e-5)
    assert describe("pca", np.ones((2, 1, 40, 40, 40))).shape[1] <= 4096


def test_the_setting_is_chosen_on_validation_while_there_is_time(monkeypatch):
    task, features, target = draw(classes=2)
    _, held, truth = draw(classes=2, seed=1)
    asked = []

    def in_time():
        asked.append(1)
        return len(asked) < 3

    monkeypatch.setattr("medclf.contest.classical.PATTERNS", (1, 2))
    learnt, checked = (features, target), (held, truth)
    found = choose_setting("pca", task, Trees(rounds=10), learnt, checked, in_time)
    assert len(asked) == 3
    assert found.patterns in (1, 2)
    assert 1 <= found.trees.rounds <= 10
    assert "components" in str(found)
    never = choose_setting("hog", task, Trees(rounds=5), learnt, checked, lambda: False)
    assert (never.patterns, never.trees.leaves) == (0, 15)
    assert deadline_after(60)()
    assert not deadline_after(-1)()
