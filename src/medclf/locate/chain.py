"""A chain through candidates: which of them is which, when all must fit each other?

Candidates lie in an order, and so do kinds. A chain picks candidates in their order and gives them
kinds in theirs; each candidate and each kind is picked once at most. It is worth what its picks
are worth by themselves and what its links are worth, from each pick to the next. The best chain is
found by dynamic programming, and the chance of each pick over all chains by its sum-product form.

Source: Rabiner. A Tutorial on Hidden Markov Models and Selected Applications in Speech
Recognition. Proceedings of the IEEE 1989, section III (Viterbi, forward and backward); here a chain
may begin and end anywhere, and leave candidates out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

NONE = -1


@dataclass(frozen=True, eq=False)
class Chain:
    """What candidates are, held against each other.

    Args:
        kinds: (N,) of each candidate in the best chain; -1 for one that is left out.
        chances: (N, K) of each pick, over all chains; what is left to 1 in a row is that the
            candidate is none of them, in a column that the kind is missing.
    """

    kinds: NDArray[np.int64]
    chances: Numbers


def find_chain(worth: Numbers, links: Numbers) -> Chain:
    """Find the best chain, and how likely each pick is.

    Args:
        worth: (N, K) log odds of each kind against none, candidate by candidate.
        links: (N, N, K, K) what it is worth that a candidate is followed by another, with their
            kinds; -inf where that cannot be. What does not run forward in both is not looked at.

    Example:
        >>> worth = np.array([[2.0, 0.0], [-3.0, -3.0], [0.0, 2.0]])
        >>> find_chain(worth, np.zeros((3, 3, 2, 2))).kinds
        array([ 0, -1,  1])
    """
    count, kinds = worth.shape
    forward = np.triu(np.ones((kinds, kinds), bool), 1)
    follows = np.where(forward, links, -np.inf)
    best, before = np.full_like(worth, -np.inf), np.full((count, kinds), NONE)
    ahead, behind = np.zeros_like(worth), np.zeros_like(worth)
    for j in range(count):
        best[j], before[j] = _best_way(best[:j], follows[:j, j])
        best[j] += worth[j]
        ways = (ahead[:j, :, None] + follows[:j, j]).reshape(-1, kinds)
        ahead[j] = worth[j] + _log_sum(np.vstack([ways, np.zeros(kinds)]), 0)
    for i in reversed(range(count)):
        ways = follows[i, i + 1 :] + (worth + behind)[i + 1 :, None]
        flat = np.moveaxis(ways, 1, 0).reshape(kinds, -1)
        behind[i] = _log_sum(np.hstack([flat, np.zeros((kinds, 1))]), 1)
    whole = _log_sum(np.append(ahead.ravel(), 0.0), 0)
    return Chain(_trace(best, before), np.exp(ahead + behind - whole))


def _best_way(best: Numbers, links: Numbers) -> tuple[Numbers, NDArray[np.int64]]:
    """Tell the best way to each kind of a candidate, and the pick before: (i, K), (i, K, K)."""
    kinds = links.shape[-1]
    ways = np.vstack([(best[:, :, None] + links).reshape(-1, kinds), np.zeros(kinds)])
    # Where nothing is gained by a link the chain begins here.
    where = ways[::-1].argmax(0)
    where = len(ways) - 1 - where
    return ways[where, np.arange(kinds)], np.where(where == len(ways) - 1, NONE, where)


def _trace(best: Numbers, before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow the best chain from its end."""
    count, kinds = best.shape
    found = np.full(count, NONE)
    if not best.size or best.max() <= 0:
        return found
    pick = int(best.argmax())
    while pick != NONE:
        i, kind = divmod(pick, kinds)
        found[i] = kind
        pick = int(before[i, kind])
    return found


def _log_sum(values: Numbers, axis: int) -> Numbers:
    """Sum what is given as logarithms."""
    return np.asarray(np.logaddexp.reduce(values, axis=axis))
