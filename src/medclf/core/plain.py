"""Frozen dataclasses as plain values, which JSON can hold, and back by their type hints.

What the hints name decides: a dataclass is built from a mapping, a tuple from a list, a `Path`
from a word. Numbers, words, truth and nothing stand for themselves.
"""

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_plain(value: Any) -> Any:
    """Make mappings, lists, numbers and words of a value.

    Example:
        >>> to_plain((Path("a.png"), {"age": 3.5}, None))
        ['a.png', {'age': 3.5}, None]
    """
    if is_dataclass(value):
        return {part.name: to_plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value


def to_finite(plain: Any) -> Any:
    """Put nothing in place of numbers that JSON does not have: nan and the infinities.

    Args:
        plain: What `to_plain` gave.

    Example:
        >>> to_finite({"error": [1.0, float("nan")], "largest": -float("inf")})
        {'error': [1.0, None], 'largest': None}
    """
    if isinstance(plain, Mapping):
        return {key: to_finite(part) for key, part in plain.items()}
    if isinstance(plain, list):
        return [to_finite(part) for part in plain]
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def from_plain(hint: Any, plain: Any) -> Any:
    """Build again what `to_plain` made plain.

    Args:
        hint: Its type: a dataclass, `tuple[int, ...]`, `Mapping[str, Path]`, `float | None`, …
        plain: What `to_plain` gave.

    Example:
        >>> from_plain(tuple[Path, ...] | None, ["a.png"]) == (Path("a.png"),)
        True
    """
    if get_origin(hint) in (Union, types.UnionType):
        hint = _choose(get_args(hint), plain)
    origin, parts = get_origin(hint) or hint, get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return hint(**{name: from_plain(hints[name], part) for name, part in plain.items()})
    if origin is tuple:
        kinds = [parts[0]] * len(plain) if parts[-1] is Ellipsis else parts
        return tuple(from_plain(kind, part) for kind, part in zip(kinds, plain, strict=True))
    if isinstance(plain, Mapping) and len(parts) == 2:
        return {key: from_plain(parts[1], part) for key, part in plain.items()}
    return Path(plain) if hint is Path else plain


def _choose(hints: tuple[Any, ...], plain: Any) -> Any:
    """Choose among types the one that a plain value was of."""
    if plain is None:
        return None
    for hint in hints:
        kind = get_origin(hint) or hint
        fits = is_dataclass(kind) or issubclass(kind, Mapping)
        if isinstance(plain, Mapping) if fits else isinstance(plain, list) and kind is tuple:
            return hint
        if isinstance(plain, str) and kind is Path and str not in hints:
            return hint
    return type(plain)
