"""How commands print scores: the main figures with their intervals, or all of them as JSON."""

import json
import sys
from collections.abc import Mapping
from typing import Any

SHOWN = ("auc", "accuracy", "balanced_accuracy", "f1", "sensitivity", "specificity", "kappa", "ece")


def show_scores(scores: Mapping[str, Any], as_json: bool = False) -> None:
    """Print scores as `scores.json` holds them."""
    if as_json:
        sys.stdout.write(json.dumps(scores) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{scores['n_exams']} exams of {scores['n_patients']} patients")
    for heading in ("", "value", "95 % interval"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name in SHOWN:
        if isinstance(figure := scores.get(name), Mapping):
            table.add_row(name.replace("_", " "), _number(figure["value"]), _span(figure))
    console = Console(highlight=False)
    console.print(table)
    for note in scores.get("notes", ()):
        console.print(note, markup=False)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _span(figure: Mapping[str, Any]) -> str:
    return f"{_number(figure['low'])} to {_number(figure['high'])}"
