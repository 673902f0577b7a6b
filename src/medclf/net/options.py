"""Options of a body or a method, held to the types that its `build` function states.

They come from a file or a person: a width of "32" or 32.5 ends in a line that says so, before it
reaches a layer.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_type_hints

import numpy as np

from medclf.errors import SettingError

Option = bool | int | float | str | None
WANTED = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def fit_options(
    owner: str, build: Callable[..., Any], options: Mapping[str, Option]
) -> dict[str, Any]:
    """Give options as a function takes them; what of them are words, it knows itself.

    Args:
        owner: Whose options they are, as "the body sprint".
        build: The function, or the class, that takes them.
        options: By name, all of which it has.

    Raises:
        SettingError: a value is of another type.

    Example:
        >>> def build(width: float = 1.0) -> None: ...
        >>> fit_options("the body b", build, {"width": 2})
        {'width': 2.0}
    """
    hints = get_type_hints(build)
    return {name: _fit(hints[name], value, owner, name) for name, value in options.items()}


def _fit(hint: Any, value: Option, owner: str, name: str) -> Option:
    kinds = get_args(hint) or (hint,)
    kind = next((kind for kind in WANTED if kind in kinds), str)
    if value is None and type(None) in kinds:
        return None
    if kind in (bool, str) and isinstance(value, kind):
        return value
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        if kind is int and isinstance(value, int | np.integer):
            return int(value)
        if kind is float and math.isfinite(value):
            return float(value)
    raise SettingError(f"the option {name} of {owner} is {WANTED[kind]}, not {value!r}")
