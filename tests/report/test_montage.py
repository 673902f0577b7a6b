import numpy as np
import pytest

from medclf.errors import SettingError
from medclf.report.montage import CAPTION, MARGIN, PAPER, montage
from medclf.report.picture import Picture


def grey(rows, columns, value, caption="caption"):
    return Picture(np.full((rows, columns), value, np.uint8), caption)


def test_small_pictures_are_enlarged_by_a_whole_factor_and_unchanged():
    values = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    sheet = montage([Picture(values, "")], 1)
    shown = sheet[MARGIN : MARGIN + 112, MARGIN : MARGIN + 112]
    assert np.array_equal(shown, np.kron(values, np.ones((4, 4), np.uint8))[..., None].repeat(3, 2))


def test_pictures_fill_rows_from_the_left():
    sheet = montage([grey(56, 56, v) for v in (10, 20, 30)], 2)
    pitch_y, pitch_x = 112 + CAPTION + MARGIN, 112 + MARGIN
    assert sheet.shape == (2 * pitch_y + MARGIN, 2 * pitch_x + MARGIN, 3)
    middle = MARGIN + 56
    assert (sheet[middle, middle] == 10).all()
    assert (sheet[middle, middle + pitch_x] == 20).all()
    assert (sheet[middle + pitch_y, middle] == 30).all()
    assert tuple(sheet[middle + pitch_y, middle + pitch_x]) == PAPER


def test_columns_beyond_the_pictures_take_no_room():
    assert montage([grey(40, 40, 0)] * 2, 9).shape == montage([grey(40, 40, 0)] * 2, 2).shape


def test_large_pictures_are_shrunk_and_colour_stays():
    values = np.zeros((1000, 500, 3), np.uint8)
    values[..., 0] = 200
    sheet = montage([Picture(values, "x")], 3)
    assert sheet.shape[:2] == (256 + CAPTION + 2 * MARGIN, 128 + 2 * MARGIN)
    assert sheet[128, MARGIN + 64].tolist() == [200, 0, 0]


def test_a_caption_is_drawn_below_its_picture_and_stays_in_its_tile():
    bare, long = (montage([grey(112, 112, 0, c)], 1) for c in ("", "word\n" * 40))
    differs = (bare != long).any(2)
    rows, columns = np.nonzero(differs)
    assert len(rows)
    assert rows.min() >= MARGIN + 112
    assert columns.min() >= MARGIN
    assert columns.max() < MARGIN + 112


def test_letters_of_other_languages_are_drawn():
    assert len({montage([grey(28, 28, 0, c)], 1).tobytes() for c in "äöβж"}) == 4


@pytest.mark.parametrize(("pictures", "columns"), [([], 3), ([grey(4, 4, 0)], 0)])
def test_nothing_to_show_is_refused(pictures, columns):
    with pytest.raises(SettingError, match="want 1 or more"):
        montage(pictures, columns)
