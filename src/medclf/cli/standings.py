"""How `medclf compare` prints its table: scores from best to worst, beside what each costs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medclf.comparison import Compared
    from medclf.evaluate.standing import Standing

HEADINGS = ("", "AUC", "95 %", "accuracy", "95 %", "p", "weights", "ms")


def show_standings(found: "Compared") -> None:
    """Print standings, and why entries came to nothing."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    exams = found.standings[0].result.scores
    title = f"{exams.exams} exams of {exams.patients} patients"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading else "left", overflow="fold")
    for row in found.standings:
        table.add_row(*_cells(row))
    console = Console(highlight=False)
    console.print(table)
    for failure in found.failures:
        console.print(f"{failure.name} came to nothing: {failure.reason}", markup=False)
    for name, lack in found.contest.unserved.items():
        console.print(f"{name} takes no part: it {lack}", markup=False)
    first = found.standings[0].result.name
    console.print(
        f"p: the AUC is that of {first}, by Holm; ms: one exam, one thread",
        markup=False,
    )


def _cells(row: "Standing") -> list[str]:
    from medclf.report.words import DASH, chance, number, scaled, significant, span

    auc, accuracy, cost = row.figure("auc"), row.figure("accuracy"), row.result.cost
    return [
        row.result.name,
        number(auc.value),
        span(auc),
        number(accuracy.value),
        span(accuracy),
        "" if row.p is None else chance(row.p),
        DASH if cost.weights is None else scaled(cost.weights),
        significant(cost.latency_ms),
    ]
