"""Vertebra chain: candidates of a spine are named together, each by its looks and its neighbours.

A screen finds the middles of vertebrae, whichever they are. A network then sees a cube about each
candidate, large enough for parts of its neighbours, and tells three things at once: which vertebra
it is, which lies before it and which after. What is known of the spine from training scans, which
vertebra follows which and how far off, makes links between candidates; the best chain names them.
Nothing in it is about spines: it serves all landmarks in a row, whose order it learns. The stages
are ordinary runs, in the folders `screen` and `judge`; the row stands in `row.json`.

Source: Chen, Shen, Qin, et al. Automatic Localization and Identification of Vertebrae in Spine CT
via a Joint Learning Model with Deep Neural Networks. MICCAI 2015. Kept are its three stages, and
that one network learns looks and neighbours jointly. The paper finds candidates by a random forest,
trains its J-CNN on pairs of cubes with a loss that couples them, and regresses the shape of the
spine afterwards; here a network screens, one cube tells of its own neighbours, which a link between
two candidates then compares, and the shape is part of the chain.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.task import Task
from medclf.core.whole import write_whole
from medclf.learn.plan import Plan
from medclf.locate.chain import NONE, find_chain
from medclf.locate.row import Marks, Row, learn_order, learn_row
from medclf.locate.scans import Scan
from medclf.systems import screen_then_judge, screening
from medclf.systems.candidates import Candidates, Find, keep_inside
from medclf.systems.cubes import NOTHING, Cubes, make_records
from medclf.systems.lessons import judge_cubes
from medclf.systems.measure import targets_mm
from medclf.systems.search import Search
from medclf.systems.stage import cut_cubes, explain, judge_places, load_stage
from medclf.systems.ways import one_each
from medclf.systems.work import Work
from medclf.verbs import TrainedRun

OPTIONS = {**screen_then_judge.OPTIONS, "judge": "patch", "edge": 28, "most": 200}
CHOICES = screen_then_judge.CHOICES
expect_options = screen_then_judge.expect_options

SCREENING = 0.3
"""Share of the budget for the screen."""

HEARD = 0.5
"""What a candidate says of its neighbour counts, against what that says of itself."""

LEAST = 0.02
"""No probability counts as less, or as more than what is left to 1."""

SIDES = ("", " before", " after")

Numbers = NDArray[np.float64]


def learn(work: Work) -> None:
    """Learn the row and train both stages, from wherever they stand."""
    scans = [_marks(scan, work.search) for scan in work.scans if scan.split == "train"]
    known, row = learn_landmarks(scans, work.search.edge_mm)
    facts = {name: values.tolist() for name, values in vars(row).items()}
    write_whole(work.folder / "row.json", json.dumps({"known": known.tolist(), **facts}))
    screen = screening.train_screen(work, SCREENING)
    found = screening.search_scans(work, screen)
    make, change = partial(_cohort, work, found, known), partial(_recipe, work)
    minutes = (1 - SCREENING) * work.search.minutes
    screen_then_judge.train_judge(work, make, change, minutes)


def open_finder(folder: Path, search: Search) -> Find:
    """Load what finds landmarks: one candidate for each, however sure."""
    screen, judge = screening.open_screen(folder, search), load_stage(folder / "judge")
    known, row = load_row(folder)

    def find(image: Image) -> Candidates:
        places = screen(image).places_mm
        named = _look_twice(judge, row, image, places)
        middle = image.grid.to_mm((np.array(image.space) - 1) / 2)
        places, sure = np.tile(middle, (len(search.kinds), 1)), np.zeros(len(search.kinds))
        if named.found.any():
            places[known], sure[known] = named.places_mm, named.scores
        return one_each(keep_inside(image, places), sure)

    return find


def _look_twice(judge: TrainedRun, row: Row, image: Image, places: Numbers) -> "Named":
    """Name candidates, look where those without one are expected, and name all again."""
    shares = judge_places(judge, image, places)
    named = name_places(row, places, shares)
    samples = image.grid.from_mm(named.places_mm)
    seen = ((samples >= 0) & (samples <= np.array(image.space) - 1)).all(1)
    expected = named.places_mm[seen & ~named.found]
    if not len(expected):
        return named
    shares = np.concatenate([shares, judge_places(judge, image, expected)])
    return name_places(row, np.concatenate([places, expected]), shares)


def learn_landmarks(scans: list[Marks], least_mm: float) -> tuple[NDArray[np.int64], Row]:
    """Learn the row of those landmarks that scans show.

    Args:
        scans: Of training; those without landmarks tell nothing.
        least_mm: By which candidates may be off.

    Returns:
        Their numbers, in order, and the row.

    Raises:
        CohortError: there is no second landmark, or scans do not overlap.
    """
    there = np.unique(np.concatenate([scan.kinds for scan in scans]))
    marked = [scan for scan in scans if len(scan.kinds)]
    counted = [replace(scan, kinds=np.searchsorted(there, scan.kinds)) for scan in marked]
    order, mean = learn_order(counted, len(there))
    row = learn_row([scan.ordered(order) for scan in counted], mean, least_mm)
    return there[order], row


def load_row(folder: Path) -> tuple[NDArray[np.int64], Row]:
    """Load what was learnt of a row: the numbers of its landmarks, in order, and the row."""
    facts = json.loads((folder / "row.json").read_text(encoding="utf-8"))
    return np.array(facts.pop("known")), Row(**{k: np.array(v) for k, v in facts.items()})


@dataclass(frozen=True, eq=False)
class Named:
    """Landmarks that candidates were named as, in order.

    Args:
        places_mm: (K, 3); of those that were not found, where they are expected, or nan where none
            was found.
        scores: (K,) how likely each is there.
        found: (K,) whether a candidate bears its name.
    """

    places_mm: Numbers
    scores: Numbers
    found: NDArray[np.bool_]


def name_places(row: Row, places_mm: Numbers, shares: Numbers) -> Named:
    """Name candidates by the best chain.

    Args:
        row: With K landmarks.
        places_mm: (N, 3) candidates.
        shares: (N, 3 K) of what each is, what lies before it, and what after.
    """
    sure = shares.clip(LEAST**2, 1 - LEAST**2)
    odds = np.log(sure / (1 - sure)).reshape(len(shares), len(SIDES), len(row.mean_mm))
    weights = 1 - 1 / (1 + np.exp(odds[:, 0]).sum(1))
    order = row.sort(places_mm, weights)
    places_mm, odds, weights = places_mm[order], odds[order], weights[order]
    heard = np.exp(odds) / (1 + np.exp(odds).sum(2, keepdims=True))
    heard = HEARD * np.log(heard.clip(LEAST))
    links = row.links(places_mm, weights)
    links += heard[:, None, 2, None, :] + heard[None, :, 1, :, None]
    chain = find_chain(odds[:, 0], links)
    picked = chain.kinds != NONE
    named = np.full((odds.shape[2], 3), np.nan)
    named[chain.kinds[picked]] = places_mm[picked]
    there = np.isfinite(named[:, 0])
    scores = chain.chances.max(0, initial=0.0)
    scores[chain.kinds[picked]] = chain.chances[picked, chain.kinds[picked]]
    return Named(row.fill(there, named), scores, there)


def _marks(scan: Scan, search: Search) -> Marks:
    numbers = [search.kinds.index(target.kind) for target in scan.targets]
    return Marks(np.array(numbers, np.int64), targets_mm(scan))


def _cohort(work: Work, found: Mapping[str, Candidates], known: NDArray[np.int64]) -> Cohort:
    """Make cubes of targets and candidates, with what each is and what lies beside it."""
    kinds = [work.search.kinds[number] for number in known]
    cubes = [one for one in judge_cubes(work, found) if one.kind in (NOTHING, *kinds)]
    records = make_records(cubes, partial(_label, kinds))
    task = Task(tuple(kind + side for side in SIDES for kind in kinds), "coexisting")
    return Cohort(records, task, work.folder)


def _label(kinds: list[str], cubes: Cubes) -> tuple[int, ...]:
    """Tell what lies in a cube, before it and after it: (3 K,)."""
    label = np.zeros((len(SIDES), len(kinds)), int)
    there = {target.kind for target in cubes.scan.targets}
    row = [kind for kind in kinds if kind in there]
    if cubes.kind != NOTHING:
        at = row.index(cubes.kind)
        beside = (row[at : at + 1], row[:at][-1:], row[at + 1 :][:1])
        for side, one in enumerate(beside):
            label[side, [kinds.index(kind) for kind in one]] = 1
    return tuple(label.ravel().tolist())


def _recipe(work: Work, plan: Plan) -> Plan:
    recipe, edges = plan.recipe, (work.option("edge"),) * 3
    prepare = cut_cubes(work.search, edges, recipe.prepare)
    fit = replace(recipe.fit, folds=0, mirror="no")
    why = "the second stage, which tells what candidates are and what lies beside them"
    return explain(plan, replace(recipe, prepare=prepare, fit=fit), why)
