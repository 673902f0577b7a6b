import pytest

from medclf.errors import SettingError
from medclf.fuse.table import make_fuser


def test_a_name_that_is_unknown_is_refused_with_the_nearest():
    with pytest.raises(SettingError, match="not 'atention'; the nearest is attention"):
        make_fuser("atention", width=5)
    with pytest.raises(SettingError, match=r"one of mean, max, .*, not 'q'$"):
        make_fuser("q", width=5)


def test_images_of_an_exam_have_no_places_to_stand_side_by_side_in():
    with pytest.raises(SettingError, match="recurrent, not 'side_by_side'"):
        make_fuser("side_by_side", width=5)
