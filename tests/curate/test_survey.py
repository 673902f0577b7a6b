from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from medclf.core.cohort import Cohort
from medclf.core.record import Point, Record, Source
from medclf.core.task import Task
from medclf.curate.survey import survey

TASK = Task(("nothing", "nodule"))


def marked(path: Path, *points: tuple[float, ...]) -> Cohort:
    records = [
        Record(str(at), {"image": Source(path, point=Point(at, "samples"))}, "p") for at in points
    ]
    return Cohort(tuple(records), TASK, path)


def test_points_of_one_file_are_looked_at_apart(tmp_path):
    path = tmp_path / "a.png"
    values = np.random.default_rng(0).integers(0, 255, (90, 90), dtype=np.uint8)
    Pillow.fromarray(values).save(path)
    told = []
    looks = survey(
        marked(path, (20.0, 20.0), (70.0, 60.0), (200.0, 3.0)), lambda *n: told.append(n)
    )
    assert [look.exam for look in looks] == ["(20.0, 20.0)", "(70.0, 60.0)", "(200.0, 3.0)"]
    assert looks[0].digest != looks[1].digest
    assert looks[0].space == (90, 90)
    assert looks[2].failure.startswith("a point in the image wanted, found 200, 3 samples outside")
    assert told == [(3, 3)]
