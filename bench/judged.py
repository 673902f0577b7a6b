"""What benches of methods print alike: ways on the same exams, and how they differ from one."""

from collections.abc import Mapping, Sequence

import numpy as np

from medclf.evaluate.compare import compare_areas
from medclf.evaluate.scores import Scores
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
        area = rows[0][1].figures["auc"]
        cells.insert(1, f"{area.low:.3f}–{area.high:.3f}")
        less = f"{apart.value:+.4f} ({apart.low:+.4f} to {apart.high:+.4f})"
        print(f"| {name} | {' | '.join(cells)} | {'' if name == first else less} |")
