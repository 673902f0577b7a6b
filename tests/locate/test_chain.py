from itertools import combinations, pairwise

import numpy as np
import pytest

from medclf.locate.chain import NONE, find_chain

FREE = 0.0


def links(count, kinds):
    """Only the next kind may follow at no cost; each kind between costs 2."""
    away = np.arange(kinds)[None] - np.arange(kinds)[:, None]
    return np.tile(-2.0 * (away - 1), (count, count, 1, 1)).astype(float)


def worth(*rows):
    return np.array(rows, float)


def test_all_are_there():
    found = find_chain(worth([3, 0, 0], [0, 3, 0], [0, 0, 3]), links(3, 3))
    assert found.kinds.tolist() == [0, 1, 2]


def test_ends_may_be_missing():
    found = find_chain(worth([-4, 3, -4, -4], [-4, -4, 3, -4]), links(2, 4))
    assert found.kinds.tolist() == [1, 2]
    assert found.chances[:, [0, 3]].max() < 0.01


def test_one_in_the_middle_may_be_missing():
    found = find_chain(worth([5, -4, -4], [-4, -4, 5]), links(2, 3))
    assert found.kinds.tolist() == [0, 2]


def test_a_false_candidate_between_is_left_out():
    found = find_chain(worth([3, -4, -4], [-4, -4, -4], [-4, 3, -4], [-4, -4, 3]), links(4, 3))
    assert found.kinds.tolist() == [0, NONE, 1, 2]


def test_neighbours_overrule_the_looks_of_one():
    found = find_chain(worth([4, 0, 0], [0, 1, 1.5], [0, 0, 4]), links(3, 3))
    assert found.kinds.tolist() == [0, 1, 2]


def test_the_order_is_kept():
    found = find_chain(worth([-9, 5], [4, -9]), links(2, 2))
    assert found.kinds.tolist() == [1, NONE]


def test_nothing_fits_where_nothing_looks_like_it():
    found = find_chain(worth([-5, -5], [-5, -5]), links(2, 2))
    assert found.kinds.tolist() == [NONE, NONE]
    assert found.chances.max() < 0.05
    assert find_chain(np.zeros((0, 3)), np.zeros((0, 0, 3, 3))).kinds.size == 0


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_all_chains_by_one_come_to(seed):
    rng = np.random.default_rng(seed)
    count, kinds = 4, 3
    alone, pairs = rng.normal(0, 2, (count, kinds)), rng.normal(0, 1, (count, count, kinds, kinds))
    pairs[0, 1, 0, 1] = -np.inf
    whole, each, best = 1.0, np.zeros((count, kinds)), (FREE, ())
    for length in range(1, kinds + 1):
        for rows in combinations(range(count), length):
            for columns in combinations(range(kinds), length):
                picks = list(zip(rows, columns, strict=True))
                total = sum(alone[pick] for pick in picks)
                for (i, a), (j, b) in pairwise(picks):
                    total += pairs[i, j, a, b]
                whole += np.exp(total)
                for pick in picks:
                    each[pick] += np.exp(total)
                best = max(best, (total, tuple(picks)))
    found = find_chain(alone, pairs)
    assert np.allclose(found.chances, each / whole)
    assert tuple((i, k) for i, k in enumerate(found.kinds) if k != NONE) == best[1]
