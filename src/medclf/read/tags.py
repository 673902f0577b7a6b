"""Tags of a header in text: found by name, and read as numbers, as many as there must be."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from medclf.errors import ReadError


class Tags:
    """The tags of one header.

    Args:
        values: What stands behind each tag.
        where: Names the file in messages.

    Example:
        >>> Tags({"Offset": "1 2.5 -3"}, "a.mha").numbers(3, "Position", "Offset").tolist()
        [1.0, 2.5, -3.0]
    """

    def __init__(self, values: Mapping[str, str], where: str) -> None:
        self._values, self.where = values, where

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def find(self, *names: str) -> str:
        """Give the first of some tags that is there, or ""."""
        return next((self._values[name] for name in names if name in self._values), "")

    def need(self, name: str) -> str:
        """Give a tag that must be there.

        Raises:
            ReadError: it is not there, or is empty.
        """
        text = self.find(name)
        if not text:
            raise ReadError(f"{self.where}: the tag {name} wanted, found none")
        return text

    def numbers(self, count: int, *names: str) -> NDArray[np.float64] | None:
        """Read the numbers of the first of some tags that is there, or `None`.

        Raises:
            ReadError: they are no numbers, or more or fewer than wanted.
        """
        text = self.find(*names)
        try:
            values = np.array(text.split(), np.float64)
        except ValueError:
            values = np.empty(0)
        if text and len(values) != count:
            raise ReadError(
                f"{self.where}: {count} numbers wanted in {names[0]}, found {text[:80]}"
            )
        return values if text else None

    def whole(self, count: int, *names: str) -> tuple[int, ...] | None:
        """Read whole numbers likewise.

        Raises:
            ReadError: they are no whole numbers, or more or fewer than wanted.
        """
        values = self.numbers(count, *names)
        if values is None:
            return None
        if not (np.isfinite(values).all() and (values == np.rint(values)).all()):
            raise ReadError(f"{self.where}: whole numbers wanted in {names[0]}, found {values}")
        return tuple(int(value) for value in values)
