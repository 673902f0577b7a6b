"""A forest as a layer: the trees of scikit-learn as arrays, so that they are kept without pickle.

Every tree is padded to the same number of nodes, and all exams walk down all trees at once. What a
leaf says is the share of each class; the forest says their mean, as logits. A single tree is a
forest of one, and can be read as text.

Source: Breiman. Random Forests. Machine Learning 2001; Breiman, Friedman, Olshen, Stone.
Classification and Regression Trees. 1984 (a single tree).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

TREES, LEAVES = 200, 64
NODES = 2 * LEAVES - 1
SMALLEST = 1e-3  # least share that a forest of so many trees can tell from none


class Forest(nn.Module):
    """Decide by the mean of trees.

    Args:
        outputs: Logits.
        exclusive: Whether they go through a softmax, or each through a sigmoid.
        trees: How many; 1 for a single tree.

    Shape:
        (B, F) -> (B, outputs)
    """

    def __init__(self, outputs: int, exclusive: bool, trees: int = TREES) -> None:
        super().__init__()
        self.exclusive, self.trees = exclusive, trees
        self.register_buffer("feature", torch.zeros(trees, NODES, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(trees, NODES))
        self.register_buffer("below", torch.zeros(trees, NODES, 2, dtype=torch.int64))
        self.register_buffer("says", torch.zeros(trees, NODES, outputs))
        self.feature: Tensor
        self.threshold: Tensor
        self.below: Tensor
        self.says: Tensor

    def forward(self, x: Tensor) -> Tensor:
        trees = torch.arange(self.trees, device=x.device)[:, None]
        node = torch.zeros(self.trees, len(x), dtype=torch.int64, device=x.device)
        values = x.float().T  # (F, B)
        exam = torch.arange(len(x), device=x.device)
        while True:
            beyond = values[self.feature[trees, node], exam] > self.threshold[trees, node]
            below = self.below[trees, node, beyond.long()]
            if torch.equal(below, node):  # all have come to a leaf, which is below itself
                mean = self.says[trees, node].mean(0).clamp(SMALLEST, 1 - SMALLEST)
                return mean.log() if self.exclusive else mean.logit()
            node = below

    def take(self, trees: Sequence[Any], says: "np.ndarray[Any, np.dtype[np.float64]]") -> None:
        """Take over fitted trees of scikit-learn.

        Args:
            trees: As many as it has, of at most `LEAVES` leaves.
            says: What each node says, (trees, NODES, outputs).
        """
        for number, one in enumerate(trees):
            tree, nodes = one.tree_, one.tree_.node_count
            itself = np.arange(nodes)
            leaf = tree.children_left < 0
            left = np.where(leaf, itself, tree.children_left)
            right = np.where(leaf, itself, tree.children_right)
            self.feature[number, :nodes] = torch.from_numpy(np.where(leaf, 0, tree.feature))
            limit = torch.from_numpy(np.where(leaf, 0.0, _rounded_down(tree.threshold)))
            self.threshold[number, :nodes] = limit
            self.below[number, :nodes] = torch.from_numpy(np.stack([left, right], 1))
        self.says.copy_(torch.from_numpy(says))

    def tell(self, names: Sequence[str]) -> str:
        """Write the first tree as text: a line for each question, and for each leaf what it says.

        Args:
            names: Of the outputs.
        """
        return "\n".join(self._lines(0, 0, names))

    def _lines(self, node: int, depth: int, names: Sequence[str]) -> Iterator[str]:
        indent, (below, beyond) = "|   " * depth, self.below[0, node].tolist()
        if below == node:
            says = zip(self.says[0, node].tolist(), names, strict=True)
            yield f"{indent}{', '.join(f'{share:.2f} {name}' for share, name in says)}"
            return
        where = f"feature {int(self.feature[0, node])}"
        limit = f"{float(self.threshold[0, node]):.4g}"
        yield f"{indent}{where} <= {limit}"
        yield from self._lines(below, depth + 1, names)
        yield f"{indent}{where} > {limit}"
        yield from self._lines(beyond, depth + 1, names)


def _rounded_down(
    thresholds: "np.ndarray[Any, np.dtype[np.float64]]",
) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Round to the next single precision below, which parts the same features, as they have it."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
