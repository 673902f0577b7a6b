"""Options by name, as a recipe or the command line says them, held to the kinds that are wanted."""

from collections.abc import Mapping
from typing import Any

from medclf.errors import SettingError

KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
}


def fit_kinds(options: Mapping[str, Any], known: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Check that options are of the kinds of their defaults; whole numbers may stand for numbers.

    A word would pass for true, whatever it says.

    Args:
        options: What is said.
        known: What each is if it is not said; `None` for any kind.
        where: Begins the name of an option in messages.

    Raises:
        SettingError: one is of another kind.

    Example:
        >>> fit_kinds({"share": 1}, {"share": 0.5}, "method.options.")
        {'share': 1.0}
    """
    found = {}
    for name, value in options.items():
        kind = type(known[name])
        right = float(value) if kind is float and type(value) is int else value
        if known[name] is not None and type(right) is not kind:
            raise SettingError(f"{where}{name} is {KINDS[kind]}, not {value!r}")
        found[name] = right
    return found
