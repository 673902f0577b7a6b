"""A forest as a layer: the trees of scikit-learn as arrays, so that they are kept without pickle.

Every tree is padded to the same number of nodes, and all exams walk down all trees at once. What a
leaf says is the share of each class; the forest says their mean, as logits.

Source: Breiman. Random Forests. Machine Learning 2001.
"""

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

    Shape:
        (B, F) -> (B, outputs)
    """

    def __init__(self, outputs: int, exclusive: bool) -> None:
        super().__init__()
        self.exclusive = exclusive
        self.register_buffer("feature", torch.zeros(TREES, NODES, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(TREES, NODES, dtype=torch.float64))
        self.register_buffer("below", torch.zeros(TREES, NODES, 2, dtype=torch.int64))
        self.register_buffer("says", torch.zeros(TREES, NODES, outputs))
        self.feature: Tensor
        self.threshold: Tensor
        self.below: Tensor
        self.says: Tensor

    def forward(self, x: Tensor) -> Tensor:
        trees = torch.arange(TREES, device=x.device)[:, None]
        node = torch.zeros(TREES, len(x), dtype=torch.int64, device=x.device)
        values = x.double().T  # (F, B)
        exam = torch.arange(len(x), device=x.device)
        while True:
            beyond = values[self.feature[trees, node], exam] > self.threshold[trees, node]
            below = self.below[trees, node, beyond.long()]
            if torch.equal(below, node):  # all have come to a leaf, which is below itself
                mean = self.says[trees, node].mean(0).clamp(SMALLEST, 1 - SMALLEST)
                return mean.log() if self.exclusive else mean.logit()
            node = below

    def take(self, forest: Any, says: "np.ndarray[Any, np.dtype[np.float64]]") -> None:
        """Take over the trees of a fitted forest of scikit-learn.

        Args:
            forest: With `TREES` trees of at most `LEAVES` leaves.
            says: What each node says, (trees, NODES, outputs).
        """
        for number, one in enumerate(forest.estimators_):
            tree, nodes = one.tree_, one.tree_.node_count
            itself = np.arange(nodes)
            leaf = tree.children_left < 0
            left = np.where(leaf, itself, tree.children_left)
            right = np.where(leaf, itself, tree.children_right)
            self.feature[number, :nodes] = torch.from_numpy(np.where(leaf, 0, tree.feature))
            self.threshold[number, :nodes] = torch.from_numpy(np.where(leaf, 0.0, tree.threshold))
            self.below[number, :nodes] = torch.from_numpy(np.stack([left, right], 1))
        self.says.copy_(torch.from_numpy(says))
