import numpy as np

from medclf.evaluate.places import place_errors, presence_threshold

NAN = np.nan


def test_errors_are_distances_in_mm_of_landmarks_that_are_in_the_image():
    target = np.array([[[2.0, 3.0], [NAN, NAN], [9.0, 3.0], [7.4, -0.4]]])
    found = np.array([[[3.0, 3.0], [1.0, 1.0], [9.0, 3.0], [7.4, 3.6]]])
    errors = place_errors(found, target, (8, 8), (3.0, 0.5))
    assert np.allclose(errors, [[3.0, NAN, NAN, 2.0]], equal_nan=True)


def test_the_threshold_parts_best_what_is_there_from_what_is_missing():
    there, missing = np.array([0.5, 0.7, 0.9, 0.3]), np.array([0.1, 0.2, 0.4, 0.05])
    threshold = presence_threshold(there, missing)
    assert 0.2 < threshold < 0.5
    assert (there >= threshold).mean() + (missing < threshold).mean() == 1.75


def test_where_nothing_is_missing_half_of_the_lowest_score_is_the_threshold():
    assert presence_threshold(np.array([0.4, 0.8]), np.array([])) == 0.2
    assert presence_threshold(np.array([]), np.array([0.2, 0.6])) == 0.8


def test_scores_that_tell_nothing_let_every_landmark_be_found():
    assert presence_threshold(np.array([0.5, 0.5]), np.array([0.5])) == 0.5
