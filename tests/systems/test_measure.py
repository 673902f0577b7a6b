"""What a system reaches, as JSON and as it is printed."""

import json

import numpy as np

from medclf.cli.locate import show_found
from medclf.core.record import Point, Source
from medclf.locate.scans import Scan, Target
from medclf.prepare.settings import Prepare
from medclf.systems.candidates import Candidates
from medclf.systems.measure import Searched, measure
from medclf.systems.search import Search


def test_figures_of_landmarks_that_no_scan_has_are_null_in_json(capsys):
    search = Search("heat_map", ("a", "b"), "", Prepare((9, 9, 9), 1, (1.0, 1.0, 1.0)), 1.0)
    here = Target("a", Point((3.0, 3.0, 3.0), "mm"))
    scan = Scan("1", Source("1"), "p", "val", (here,))
    found = {"1": Candidates(np.full((2, 3), 3.0), np.ones(2), np.eye(2))}
    val = Searched("val", [scan], found)
    told = measure(val, val, search, landmarks=True).to_json()
    assert told["distances"]["largest_mm"] == 0.0
    assert told["distances"]["landmarks"][1]["error_mm"] is None
    json.dumps(told, allow_nan=False)
    none = {**told["distances"], "median_mm": None, "largest_mm": None}
    show_found({**told, "distances": none})
    assert "largest, mm" in capsys.readouterr().out
