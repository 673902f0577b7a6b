"""A classical entry looks at every image of an exam."""

import numpy as np

from medclf.contest.baseline import describe_exams
from medclf.contest.classical import describe
from medclf.learn.trained import Held


def test_an_exam_is_described_by_the_mean_over_its_images():
    values = np.random.default_rng(0).random((5, 1, 28, 28), np.float32)
    rows = Held(values, np.array([[3, -1, -1], [0, 1, 4], [2, -1, -1]]))
    for name in ("pca", "hog"):
        each, found = describe(name, values), describe_exams(name, rows, np.array([0, 1]))
        np.testing.assert_array_equal(found[0], each[3])
        np.testing.assert_allclose(found[1], each[[0, 1, 4]].mean(0), rtol=1e-5)
        assert found.dtype == each.dtype == np.float32
