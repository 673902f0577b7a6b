"""Rows that a store on the shelf holds already, so that no image is prepared twice.

Each store keeps beside its values a digest of what every row was made from. A cohort that gains an
exam, or of which one file was mended, makes another store: all rows that a store of the same
settings holds are copied from there.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medclf.prepare.making import VALUES
from medclf.prepare.notes import name_image, read_noted
from medclf.prepare.order import DIGEST_BYTES, Held, Order, Row

ROWS, FACTS = "rows.bin", "store.json"


def find_held(folder: Path, order: Order) -> Held:
    """Find rows of an order in other stores.

    Args:
        folder: The shelf.
        order: What is wanted.

    Returns:
        For each row that is there, the values of a store, and its number among them. What was
        remarked of its image is noted in the order.
    """
    wanted: dict[bytes, list[Row]] = {}
    for digest, row in zip(order.row_digests, order.rows, strict=True):
        wanted.setdefault(digest, []).append(row)
    held: Held = {}
    for store in _like(folder, order):
        try:
            digests = (store / ROWS).read_bytes()
            shape = (len(digests) // DIGEST_BYTES, *order.shape[1:])
            values = np.memmap(store / VALUES, order.settings.dtype, mode="r", shape=shape)
        except FileNotFoundError:  # It was put away meanwhile.
            continue
        found = [(at, d) for at, d in enumerate(_parted(digests)) if d in wanted]
        if not found:
            continue
        here = {row: (values, at) for at, digest in found for row in wanted.pop(digest, ())}
        if noted := read_noted(store):
            keys = {name_image(row.source, order.files) for row in here}
            order.noted.update({key: noted[key] for key in keys & noted.keys()})
        held |= here
    return held


def _like(folder: Path, order: Order) -> Iterator[Path]:
    """Name the whole stores of the same settings, made by the same version."""
    for facts in sorted(folder.glob(f"*/{FACTS}")):
        store = facts.parent
        try:
            kind = json.loads(facts.read_text(encoding="utf-8")).get("kind")
            rows = (store / ROWS).stat().st_size / DIGEST_BYTES
            whole = (store / VALUES).stat().st_size == rows * order.row_bytes
        except (OSError, ValueError, AttributeError):
            continue
        if whole and kind == order.kind and not store.suffix:
            yield store


def _parted(digests: bytes) -> Iterator[bytes]:
    for start in range(0, len(digests), DIGEST_BYTES):
        yield digests[start : start + DIGEST_BYTES]
