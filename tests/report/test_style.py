import re
import warnings

import matplotlib as mpl

from medclf.report.style import ACCENT, VARIABLES, draw_figure, share_axis


def plot(axes):
    axes.plot([0, 1], [0, 1], "o-", color=ACCENT)
    axes.set_xlabel("a < b")
    share_axis(axes, "x")


def test_a_figure_is_coloured_by_the_page():
    svg = draw_figure("roc", "what it shows", plot)
    assert "var(--accent)" in svg
    assert not re.search(r"#[0-9a-f]{6}\b", svg), "a colour that is not one of the page"


def test_every_colour_has_a_variable_that_the_style_sheet_sets():
    from importlib.resources import files

    sheet = (files("medclf.report") / "template" / "page.css").read_text(encoding="utf-8")
    for variable in VARIABLES.values():
        assert len(re.findall(rf"{variable}:", sheet)) == 2, f"{variable} for light and for dark"


def test_ids_bear_the_name_of_the_figure_and_links_find_them():
    svg = draw_figure("roc", "what it shows", plot)
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    assert used
    assert used == ids
    assert all(name.startswith("roc-") for name in ids)


def test_words_stay_text_in_the_typeface_of_the_page():
    svg = draw_figure("roc", 'a "quote" & <tag>', plot)
    assert ">a &lt; b</text>" in svg
    assert "font-family" not in svg
    assert 'aria-label="a &quot;quote&quot; &amp; &lt;tag&gt;"' in svg
    assert ">.2</text>" in svg


def test_the_same_figure_gives_the_same_bytes_whatever_the_settings():
    before = draw_figure("x", "", plot)
    with mpl.rc_context({"axes.facecolor": "red", "svg.hashsalt": "other", "font.size": 30}):
        assert draw_figure("x", "", plot) == before
        assert mpl.rcParams["font.size"] == 30


def test_drawing_warns_of_nothing_and_opens_no_window():
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_figure("x", "", plot)
    assert not plt.get_fignums()
