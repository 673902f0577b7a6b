import numpy as np
import pytest
import torch
from sklearn.tree import DecisionTreeClassifier

from medclf.learn.plant import FEWEST, plant_tree
from medclf.net.forest import Forest


def exams(classes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 4)).astype(np.float32).astype(float), np.arange(200) % classes
    x[:, 2] += 3 * y
    return x, y[:, None]


@pytest.mark.parametrize("depth", [1, 3])
def test_a_tree_is_that_of_scikit_learn_as_deep_as_costs_least(depth):
    x, asked = exams(3)
    truth = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=FEWEST, random_state=0)
    shares = truth.fit(x, asked[:, 0]).predict_proba(x).clip(1e-3, 1 - 1e-3)
    forest = Forest(3, exclusive=True, trees=1)

    def cost():
        return float(np.abs(forest(torch.from_numpy(x)).exp().numpy() - shares).max())

    plant_tree(forest, x, asked, 0, cost)
    assert cost() < 1e-6


def test_findings_have_a_share_each():
    x, asked = exams(2)
    both = np.concatenate([asked, 1 - asked, np.ones_like(asked)], 1)
    forest = Forest(3, exclusive=False, trees=1)
    plant_tree(forest, x, both, 0, lambda: 0.0)
    found = forest(torch.from_numpy(x)).sigmoid()
    assert torch.allclose(found[:, 0], 1 - found[:, 1], atol=1e-5)
    assert (found[:, 2] > 0.99).all()


def test_a_tree_can_be_read():
    x = np.repeat([[0.0, 1.0], [0.0, 3.0]], 10, 0)
    forest = Forest(2, exclusive=True, trees=1)
    plant_tree(forest, x, np.repeat([0, 1], 10)[:, None], 0, lambda: 0.0)
    assert forest.tell(("well", "ill")).splitlines() == [
        "feature 1 <= 2",
        "|   1.00 well, 0.00 ill",
        "feature 1 > 2",
        "|   0.00 well, 1.00 ill",
    ]
