"""A recipe: every setting of a run, from TOML and back, nothing hidden and nothing unknown.

A recipe is a frozen dataclass of frozen dataclasses, one for each table of the TOML file. An
unknown key is an error that names the nearest known one.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from medclf.errors import SettingError
from medclf.learn.settings import Decide, Facts, Fit, Method, Net
from medclf.learn.transfer import Transfer
from medclf.look.augment import Augment
from medclf.prepare.exam import Prepare

Built = TypeVar("Built")
BARE = re.compile("[A-Za-z0-9_-]+")
"""Keys of TOML that need no quotes."""


@dataclass(frozen=True)
class Recipe:
    """Every setting of a run."""

    prepare: Prepare
    augment: Augment = field(default_factory=Augment)
    net: Net = field(default_factory=Net)
    fit: Fit = field(default_factory=Fit)
    decide: Decide = field(default_factory=Decide)
    transfer: Transfer = field(default_factory=Transfer)
    method: Method = field(default_factory=Method)
    facts: Facts = field(default_factory=Facts)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe that `medclf plan` printed and a person may have edited.

    Raises:
        SettingError: the file is absent or no TOML, a key is unknown, or a value does not fit.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingError(f"{path}: cannot read this recipe: {problem}") from problem
    return parse_recipe(tables, str(path))


def parse_recipe(tables: Mapping[str, Any], where: str) -> Recipe:
    """Build a recipe from nested mappings, as TOML gives them.

    Raises:
        SettingError: a key is unknown (the nearest is named), or a value does not fit.
    """
    return _build(Recipe, tables, where, "")


def expect_types(recipe: Recipe, seed: int | None = None) -> Recipe:
    """Hold a recipe that was made in Python to the types that one from a file is held to.

    Args:
        recipe: As `dataclasses.replace` left it.
        seed: In place of its own, where one is given.

    Returns:
        The same, with numbers of NumPy as plain ones.

    Raises:
        SettingError: a value does not fit.

    Example:
        >>> recipe = Recipe(Prepare((28, 28), 1), fit=Fit(optimizer="adam"))
        >>> expect_types(recipe)
        Traceback (most recent call last):
        ...
        medclf.errors.SettingError: the recipe: fit.optimizer must be one of adamw, sgd, not 'adam'
    """
    tables = asdict(recipe)
    if seed is not None:
        tables["fit"]["seed"] = seed
    return parse_recipe(tables, "the recipe")


def format_recipe(recipe: Recipe, reasons: Mapping[str, str] | None = None) -> str:
    """Write a recipe as TOML, with the reason for a choice behind its line.

    Args:
        reasons: By dotted key, as "fit.batch".
    """
    lines: list[str] = []
    for table in fields(recipe):
        lines.append(f"[{table.name}]")
        values = getattr(recipe, table.name)
        for key in fields(values):
            line = f"{key.name} = {_toml(getattr(values, key.name))}"
            reason = _on_one_line((reasons or {}).get(f"{table.name}.{key.name}", ""))
            lines.append(f"{line}  # {reason}" if reason else line)
        lines.append("")
    return "\n".join(lines)


def _build(kind: type[Built], values: Mapping[str, Any], where: str, prefix: str) -> Built:
    hints = get_type_hints(kind)
    unknown = [key for key in values if key not in hints]
    if unknown:
        near = difflib.get_close_matches(unknown[0], hints, n=1, cutoff=0.0)[0]
        raise SettingError(
            f"{where}: unknown key {prefix}{unknown[0]!s}; the nearest is {prefix}{near}"
        )
    found = {}
    for key, value in values.items():
        hint = hints[key]
        if is_dataclass(hint) and isinstance(hint, type):
            if not isinstance(value, Mapping):
                raise SettingError(f"{where}: [{key}] must be a table, not {value!r}")
            found[key] = _build(hint, value, where, f"{prefix}{key}.")
        else:
            found[key] = _fit_type(hint, value, f"{where}: {prefix}{key}")
    required = [f.name for f in fields(kind) if f.default is MISSING is f.default_factory]  # type: ignore[arg-type]
    lacking = [prefix + name for name in required if name not in found]
    if lacking:
        raise SettingError(f"{where}: the keys {', '.join(lacking)} are wanted, not found")
    try:
        return kind(**found)
    except SettingError as problem:
        raise SettingError(f"{where}: {problem}") from problem


def _fit_type(hint: Any, value: Any, where: str) -> Any:
    """Check a value against a field's type; lists become tuples, whole numbers floats."""
    origin, parts = get_origin(hint), get_args(hint)
    if isinstance(value, np.generic):
        value = value.item()
    if origin is Literal:
        if value not in parts:
            allowed = ", ".join(part or '""' for part in parts)
            raise SettingError(f"{where} must be one of {allowed}, not {value!r}")
        return value
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else list(parts)
        if len(kinds) != len(value):
            raise SettingError(f"{where} must hold {len(kinds)} values, not {value!r}")
        return tuple(_fit_type(k, v, where) for k, v in zip(kinds, value, strict=True))
    if origin is Mapping and isinstance(value, Mapping):
        return {k: v.item() if isinstance(v, np.generic) else v for k, v in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if origin is None and type(value) is hint:
        return value
    raise SettingError(f"{where} must be {getattr(hint, '__name__', hint)}, not {value!r}")


def _on_one_line(reason: str) -> str:
    """Write blanks for all that a comment cannot hold, as a line break in the name of a column."""
    return "".join(letter if letter.isprintable() else " " for letter in reason)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_toml(part)}" for key, part in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _toml(name)
