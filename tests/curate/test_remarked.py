"""What readers remark of series comes before a person."""

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.remark import Remark
from medclf.core.task import Task
from medclf.curate.audit import audit
from medclf.curate.phantom.hard.case import save
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import make_stack
from medclf.curate.remarked import check_remarks
from medclf.read.dicom.find import find_series

CUT = Remark("cut", "20 slices stated, 8 found", grave=True)
TILT = Remark("tilt", "slices lean")


@pytest.fixture
def cohort(tmp_path):
    """A series that states more slices than it has, and one with a damaged file."""
    first = make_stack(Field(), Slab(), ImagesInAcquisition=20)
    other = make_stack(Field(), Slab(), first=20, SeriesInstanceUID="1.2.3.77")
    del other[-1].Rows  # The last slice: without it there is no gap.
    save(first, tmp_path / "a", np.random.default_rng(0))
    save(other, tmp_path / "b", np.random.default_rng(1))
    sources = sorted(series.source for series in find_series(tmp_path).series)
    records = [
        Record(source.path.name, {"image": source}, source.path.name, n)
        for n, source in enumerate(sources)
    ]
    return Cohort(tuple(records), Task(("no", "yes")), tmp_path)


def test_an_audit_tells_of_series_to_look_at(cohort):
    found = {problem.kind: problem for problem in audit(cohort, montage=0).problems}
    doubt = found["doubtful_image"]
    assert (doubt.grave, doubt.exams) == (False, ("a", "b"))
    assert "cut (20 slices stated, 9 found) in 1, a; damaged (files of the" in doubt.message


def test_kinds_are_counted_and_exams_named_without_what_was_said_of_them():
    remarks = {"e1": [CUT, TILT], "e2": (CUT, CUT), "e3": ()}
    doubt, change = check_remarks(remarks)
    assert doubt.message == "2 exams with images to look at before use: cut in 2, e1, e2"
    assert change.message == "1 exam with images that reading has changed or chosen: tilt in 1, e1"
    assert (doubt.exams, change.exams) == (("e1", "e2"), ("e1",))
    assert check_remarks({"e3": ()}) == []
