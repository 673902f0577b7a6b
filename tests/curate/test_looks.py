"""What images look like is noted while they are read, and kept by their contents."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Point, Record, Source
from medclf.core.task import Task
from medclf.curate import looks, together
from medclf.curate.looks import Looking, list_images
from medclf.curate.survey import survey


@pytest.fixture
def cohort(tmp_path, monkeypatch) -> Cohort:
    """Three points in one volume, one of them outside, and a picture with a mask."""
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    for name, shape in {"volume": (40, 40, 40), "picture": (60, 50)}.items():
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 200, shape).astype(np.uint8))
    volume, picture = (Source(tmp_path / f"{name}.npy") for name in ("volume", "picture"))
    places = ((20.0, 20.0, 20.0), (10.0, 20.0, 12.0), (99.0, 20.0, 20.0))
    images = [replace(volume, point=Point(at, "samples")) for at in places]
    images.append(replace(picture, mask=picture))
    records = (Record(str(n), {"image": one}, str(n), n % 2) for n, one in enumerate(images))
    return Cohort(tuple(records), Task(("no", "yes")), tmp_path)


def look(cohort: Cohort, read: bool) -> list[tuple[str, str, bytes]]:
    looking = Looking(cohort.records)
    for name in ("volume", "picture") if read else ():
        looking.read(Source(cohort.origin / f"{name}.npy"))
    keys = {source: str(source).encode() for source in list_images(cohort.records)}
    found = looking.look(cohort, keys)
    return [(one.exam, one.digest, one.thumbnail.tobytes()) for one in found]


def test_what_is_noted_is_what_a_survey_sees(cohort, monkeypatch):
    seen = [(one.exam, one.digest, one.thumbnail.tobytes()) for one in survey(cohort)]
    assert len({digest for _, digest, _ in seen}) == 4
    with monkeypatch.context() as patch:
        patch.setattr(looks, "survey", None)
        assert look(cohort, read=True) == seen
    kept = replace(cohort, records=(*cohort.records[:2], cohort.records[3]))
    monkeypatch.setattr(looks, "survey", None)
    assert look(kept, read=False) == [seen[0], seen[1], seen[3]]


def test_thumbnails_that_were_not_wanted_are_made_when_they_are(cohort, monkeypatch):
    wanted = look(cohort, read=False)
    (cohort.origin / looks.KEPT).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(together, "MOST", 0)
        few = look(cohort, read=True)
    assert [one[:2] for one in few] == [one[:2] for one in wanted]
    assert not any(thumbnail for *_, thumbnail in few)
    assert look(cohort, read=False) == wanted


def test_a_cache_that_cannot_be_written_is_no_matter(cohort):
    (cohort.origin / looks.KEPT).mkdir()
    assert len(look(cohort, read=True)) == 4
    assert Path(cohort.origin / looks.KEPT).is_dir()
