"""The report: one HTML file that holds all it shows and needs nothing else.

Words and numbers are made ready in Python, one file per part; the templates only lay them out.
Everything is escaped, no script runs, nothing is fetched; it reads on a phone, in the dark and in
print.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from medclf.core.whole import write_whole
from medclf.report.calibration import tell_calibration
from medclf.report.card import tell_card
from medclf.report.classes import tell_classes
from medclf.report.contents import Contents
from medclf.report.data import tell_data, tell_split
from medclf.report.doubt import tell_doubts
from medclf.report.headline import Head, tell_head
from medclf.report.learning import tell_training
from medclf.report.mistake import tell_mistakes
from medclf.report.results import tell_results
from medclf.report.subgroups import tell_subgroups

TITLES = {
    "data": "Data",
    "split": "Split",
    "plan": "Plan",
    "training": "Training",
    "trees": "Decision trees",
    "results": "Results",
    "calibration": "Calibration",
    "classes": "By class",
    "subgroups": "Subgroups",
    "wrong": "Most wrong cases",
    "doubts": "Labels to look at again",
    "card": "Use and limits",
    "reproduce": "Reproduce",
}


def write_report(path: Path, contents: Contents) -> Path:
    """Write a report as one HTML file, whole or not at all.

    Args:
        path: Of the file.
        contents: All that it tells.

    Returns:
        The same path.

    Raises:
        RunError: the file cannot be written.
    """
    return write_page(path, render_report(contents))


def render_report(contents: Contents) -> str:
    """Make the page. The same contents always make the same page."""
    return render_page(contents, tell_head(contents), TITLES, _parts(contents))


def write_page(path: Path, text: str) -> Path:
    """Write a page, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    # A page is UTF-8 throughout: what names of files hold beside it is shown as "?".
    write_whole(path, text.encode("utf-8", "replace").decode())
    return path


def render_page(
    contents: object, head: Head, titles: Mapping[str, str], parts: Mapping[str, object]
) -> str:
    """Lay out a page from its parts.

    Args:
        contents: What the templates know as `it`: title, version, date, and what sections ask for.
        head: The head of the page.
        titles: Of the sections, in order, by the names of their templates.
        parts: What each section tells, by the same names; an empty one is left out.
    """
    sections = [(name, title) for name, title in titles.items() if parts[name]]
    page = _environment().get_template("page.html.jinja")
    return page.render(it=contents, head=head, sections=sections, **parts)


def _parts(contents: Contents) -> Mapping[str, object]:
    """Make every section ready; what there is nothing to tell of is empty."""
    judged = contents.test or contents.validation
    if judged is not None and not len(judged.labelled):
        judged = None
    return {
        "data": tell_data(contents),
        "split": tell_split(contents),
        "plan": contents.plan or contents.recipe,
        "training": tell_training(contents.log),
        "trees": contents.trees,
        "results": judged and tell_results(judged, contents.validation),
        "calibration": judged and tell_calibration(judged),
        "classes": judged and tell_classes(judged),
        "subgroups": judged and tell_subgroups(judged),
        "wrong": tell_mistakes(contents.wrong),
        "doubts": tell_doubts(contents.doubts),
        "card": tell_card(contents),
        "reproduce": contents.commands,
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("medclf.report", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
