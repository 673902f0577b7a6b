import pytest

from medclf.errors import SettingError
from medclf.fuse.table import make_fuser


def test_a_name_that_is_unknown_is_refused_with_the_nearest():
    with pytest.raises(SettingError, match="not 'atention'; the nearest is attention"):
        make_fuser("atention", width=5, views=4)
    with pytest.raises(SettingError, match=r"one of mean, max, .*, not 'q'$"):
        make_fuser("q", width=5, views=4)
