"""What benches of methods print alike: figures over seeds, costs, and how ways differ from one."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from medclf.evaluate.compare import compare_areas
from medclf.evaluate.interval import Figure
from medclf.evaluate.scores import Scores
from medclf.evaluate.standing import Result
from medclf.evaluate.table import Predictions

Judged = tuple[Predictions, Scores]


def show_ways(found: Mapping[str, Sequence[Judged]], names: Sequence[str], first: str) -> None:
    """Print a row of Markdown for each way.

    Args:
        found: By way, what was judged with each seed.
        names: Figures, the AUC first, of which mean and deviation over the seeds are told; the
            interval and the difference are of the first seed.
        first: The way that the others are compared with.
    """
    differences = compare_areas([rows[0][0] for rows in found.values()], list(found).index(first))
    for (name, rows), apart in zip(found.items(), differences, strict=True):
        values = np.array([[scores.figures[n].value for n in names] for _, scores in rows])
        cells = [f"{m:.4f} ± {s:.4f}" for m, s in zip(values.mean(0), values.std(0), strict=True)]
        cells.insert(1, interval(rows[0][1].figures["auc"]))
        less = f"{apart.value:+.4f} ({apart.low:+.4f} to {apart.high:+.4f})"
        print(f"| {name} | {' | '.join(cells)} | {'' if name == first else less} |")


def figure(rows: Sequence[Result], name: str) -> str:
    """Tell a figure's mean and deviation over the seeds."""
    return spread([row.scores.figures[name].value for row in rows])


def spread(values: "Sequence[float] | NDArray[np.float64]") -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def interval(found: Figure) -> str:
    return f"{found.low:.3f}–{found.high:.3f}"


COSTS = "seconds | M mult-adds | ms"


def costs(rows: Sequence[Result]) -> list[str]:
    """Tell seconds of training, and the products and the time that one answer takes."""
    cost = rows[0].cost
    return [
        f"{np.mean([row.cost.seconds for row in rows]):.0f}",
        "" if cost.multiply_adds is None else f"{cost.multiply_adds / 1e6:.1f}",
        f"{np.mean([row.cost.latency_ms for row in rows]):.1f}",
    ]
