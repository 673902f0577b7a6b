import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier

from medclf.net.forest import LEAVES, NODES, TREES, Forest


def plant(x, y, classes):
    model = RandomForestClassifier(TREES, max_leaf_nodes=LEAVES, random_state=0).fit(x, y)
    says = np.zeros((TREES, NODES, classes))
    for number, one in enumerate(model.estimators_):
        share = one.tree_.value[:, 0]
        says[number, : len(share)] = share / share.sum(1, keepdims=True)
    forest = Forest(classes, exclusive=True)
    forest.take(model.estimators_, says)
    return model, forest


@pytest.mark.parametrize("classes", [2, 4])
def test_it_says_what_the_forest_of_scikit_learn_says(classes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 6)).astype(np.float32), np.arange(300) % classes
    x[:, 0] += y
    model, forest = plant(x, y, classes)
    new = rng.normal(size=(50, 6)).astype(np.float32)
    found = forest(torch.from_numpy(new)).exp().numpy()
    np.testing.assert_allclose(found, model.predict_proba(new).clip(1e-3, 1 - 1e-3), atol=1e-6)


def test_it_is_kept_as_tensors():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)).astype(np.float32)
    _, forest = plant(x, (x[:, 0] > 0).astype(int), 2)
    other = Forest(2, exclusive=True)
    other.load_state_dict(forest.state_dict())
    assert torch.equal(other(torch.from_numpy(x)), forest(torch.from_numpy(x)))


def test_sigmoids_give_the_shares_back():
    forest = Forest(2, exclusive=False)
    forest.says[:] = torch.tensor([0.25, 0.9])
    assert torch.allclose(forest(torch.zeros(3, 1)).sigmoid(), torch.tensor([0.25, 0.9]))


def test_single_precision_parts_what_double_precision_parts():
    below = np.nextafter(np.float32(1000), np.float32(0))
    x = np.array([[below], [1000.0]] * 20, np.float32)
    y = np.arange(40) % 2
    model, forest = plant(x, y, 2)
    found = forest(torch.from_numpy(x)).exp().numpy()
    np.testing.assert_allclose(found, model.predict_proba(x).clip(1e-3, 1 - 1e-3), atol=1e-6)
    assert not any(tensor.dtype == torch.float64 for tensor in forest.state_dict().values())
