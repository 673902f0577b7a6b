"""Grow trees on features with scikit-learn, and plant them in a network's forest.

In every node stands the share of each class, or of each finding. How deep a single tree may grow
is chosen on validation.

Source: Breiman. Random Forests. Machine Learning 2001; Breiman, Friedman, Olshen, Stone.
Classification and Regression Trees. 1984.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.task import Task
from medclf.core.whole import write_whole
from medclf.learn.member import MethodMember
from medclf.learn.run import Run
from medclf.net.forest import LEAVES, NODES, Forest

Numbers = NDArray[np.float64]
Answers = NDArray[np.int64]
DEPTHS = (1, 2, 3, 4, 5, 6)
FEWEST = 5  # exams in a leaf of a single tree


def plant_forest(forest: Forest, x: Numbers, asked: Answers, seed: int) -> None:
    """Grow a random forest.

    Args:
        forest: Takes the trees.
        x: Features, (N, F).
        asked: What each exam answers, (N, questions), as `questions` gives it.
        seed: Of its chance.
    """
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(
        forest.trees, max_leaf_nodes=LEAVES, random_state=seed, n_jobs=-1
    )
    model.fit(x, _one_or_more(asked))
    _take(forest, model, model.estimators_, asked)


def plant_tree(
    forest: Forest, x: Numbers, asked: Answers, seed: int, cost: Callable[[], float]
) -> None:
    """Grow a single tree, as deep as costs least on validation.

    Args: as `plant_forest`, and `cost` tells what the planted tree costs there.
    """
    from sklearn.tree import DecisionTreeClassifier

    def grow(depth: int) -> float:
        model = DecisionTreeClassifier(
            max_depth=depth, min_samples_leaf=FEWEST, max_leaf_nodes=LEAVES, random_state=seed
        )
        model.fit(x, _one_or_more(asked))
        _take(forest, model, [model], asked)
        return cost()

    costs = [grow(depth) for depth in DEPTHS]
    grow(DEPTHS[int(np.argmin(costs))])


def write_trees(run: Run, members: Sequence[MethodMember]) -> None:
    """Write the single trees of a run to `tree.txt`; nothing where its members have none."""
    names, told = _outputs(run.task), []
    for member in members:
        forest = member.kept.network.forest
        if forest is not None and forest.trees == 1:
            told.append(f"Network {member.number + 1}\n{forest.tell(names)}\n")
    if told:
        write_whole(run.folder / "tree.txt", "\n".join(told))


def _outputs(task: Task) -> tuple[str, ...]:
    """Name what each logit says."""
    if task.kind == "ranked":
        return tuple(f"above {name}" for name in task.classes[:-1])
    return task.classes


def _one_or_more(asked: Answers) -> Answers:
    return asked[:, 0] if asked.shape[1] == 1 else asked


def _take(forest: Forest, model: Any, trees: list[Any], asked: Answers) -> None:
    says = np.zeros((forest.trees, NODES, forest.says.shape[2]))
    for number, one in enumerate(trees):
        value = one.tree_.value  # (nodes, questions, answers)
        share = value / value.sum(-1, keepdims=True)
        if asked.shape[1] == 1 and forest.exclusive:
            says[number, : len(share), model.classes_.astype(int)] = share[:, 0].T
        else:
            yes = [_yes(model, share, column) for column in range(asked.shape[1])]
            says[number, : len(share)] = np.stack(yes, 1)
    forest.take(trees, says)


def _yes(model: Any, share: Numbers, column: int) -> Numbers:
    """Give the share of yes to a question, in each node."""
    classes = model.classes_[column] if isinstance(model.classes_, list) else model.classes_
    known = list(classes)
    return share[:, column, known.index(1)] if 1 in known else np.zeros(len(share))
