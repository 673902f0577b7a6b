"""How a plan prepares images: chosen by what their values and their places mean.

No choice here was measured against another: each follows from the meaning of the values, which the
fingerprint tells. What costs seconds for each image, as N4, is left to the person.
"""

from collections.abc import Sequence
from typing import Any

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.curate.choice import plain_name
from medclf.curate.fingerprint import Fingerprint
from medclf.prepare.exam import Prepare

LUNG, SOFT, BONE = (-1350.0, 150.0), (-160.0, 240.0), (-500.0, 1300.0)
AIRY_HU, BONY_HU = -700.0, 300.0
"""Below and above which what is in view reaches from lung to bone."""

UPTAKE = (0.0, 10.0)
"""SUV: all but the hottest lesions, the heart and the bladder lie within."""

SCANNERS = (
    *("scanner", "scanner_model", "device", "manufacturer", "vendor"),
    *("site", "hospital", "institution", "centre", "center"),
)
"""Usual names of the fact that tells one scanner from another."""

FEWEST = 5
"""Exams of a scanner that count it as one of several."""


def choose_prepare(
    cohort: Cohort, found: Fingerprint, size: tuple[int, ...], reasons: dict[str, str]
) -> Prepare:
    """Choose how images are prepared.

    Args:
        cohort: With every exam in a split.
        found: Its fingerprint.
        size: Of the prepared images.
        reasons: To which the reason of each choice is added, by dotted key.
    """
    reasons["prepare.channels"] = _tell_channels(found)
    settings: dict[str, Any] = {"size": size, "channels": found.channels}
    if found.dims == 3 and found.oriented:
        settings["orientation"] = "patient"
        reasons["prepare.orientation"] = "files may store volumes in any order; here all lie alike"
    settings |= _intensity(cohort, found, reasons)
    bits = max(int(n) for n in found.bits)
    settings["dtype"] = "uint8" if bits <= 8 else "float16"
    reasons["prepare.dtype"] = f"stored with {bits} bits"
    images = [source for record in cohort.records for source in record.images.values()]
    if all(source.mask is not None for source in images):
        settings |= {"crop": "mask", "fit": "letterbox"}
        reasons["prepare.crop"] = "each image has a mask: what lies around it is judged"
        reasons["prepare.fit"] = "boxes around masks differ in shape: proportions are kept"
    elif found.dims == 3 and found.spacing_median_mm is not None and found.spacing_known == 1:
        extent = [mm * n for mm, n in zip(found.spacing_median_mm, found.shape_median, strict=True)]
        settings["spacing_mm"] = tuple(round(e / n, 3) for e, n in zip(extent, size, strict=True))
        reasons["prepare.spacing_mm"] = "one scale in mm for all volumes; the middle is kept"
    return Prepare(**settings)


def _intensity(cohort: Cohort, found: Fingerprint, reasons: dict[str, str]) -> dict[str, Any]:
    """Choose what becomes 0 and 1."""
    modalities, bits = set(found.modalities), max(int(n) for n in found.bits)
    if modalities == {"CT"}:
        low, _, high = found.percentiles
        reasons["prepare.intensity"] = "CT is in Hounsfield units, the same on every scanner"
        if found.channels == 1 and low < AIRY_HU and high > BONY_HU:
            reasons["prepare.window"] = "lung, soft tissue and bone are in view: a window for each"
            reasons["prepare.channels"] = "one for each window"
            return {"intensity": "window", "window": (*LUNG, *SOFT, *BONE), "channels": 3}
        return {"intensity": "window", "window": (-1000.0, 1000.0)}
    if modalities == {"PT"} and found.uptake_known == 1:
        reasons["prepare.unit"] = "PET whose headers tell dose and weight: uptake means the same"
        reasons["prepare.intensity"] = "a window of uptake, the same for every scanner and dose"
        return {"unit": "SUV", "intensity": "window", "window": UPTAKE}
    if bits <= 8:
        reasons["prepare.intensity"] = "8-bit images use the full range already"
        return {"intensity": "full"}
    name, scanners = _scanners([r for r in cohort.records if r.split != "test"])
    if modalities == {"MR"} and scanners > 1 and len(found.image_names) == 1:  # One sequence.
        reasons["prepare.intensity"] = (
            f"MR of {scanners} scanners (by {name}), whose values mean nothing in common: the same "
            "tissue is given the same value, as far as training exams tell"
        )
        return {"intensity": "landmarks"}
    reasons["prepare.intensity"] = "values have no unit: each image is scaled by its own"
    if modalities == {"PT"}:
        share = f"{1 - found.uptake_known:.0%} of the PET images"
        reasons["prepare.unit"] = f"no standardised uptake can be had of {share}"
    return {"intensity": "percentile"}


def _scanners(records: Sequence[Record]) -> tuple[str, int]:
    """Find the fact that tells scanners apart, and count those of some exams."""
    for wanted in SCANNERS:
        for name in dict.fromkeys(name for record in records for name in record.facts):
            if plain_name(name) != wanted:
                continue
            values = [record.facts.get(name) for record in records]
            known = {value for value in values if value is not None}
            many = sum(values.count(value) >= FEWEST for value in known)
            if many > 1:
                return name, many
    return "", 0


def _tell_channels(found: Fingerprint) -> str:
    if found.channels == 1:
        return "grey images stored as colour" if found.colour_is_grey else "grey images"
    return "colour" if found.dims == 2 else "colour, phases or components of volumes"
