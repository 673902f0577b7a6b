"""From a PET scanner's counts to the standardised uptake value by body weight, or why not.

SUV is the activity in a gram of tissue over the activity injected per gram of the patient. The
injected dose is decayed to the moment to which the pixels were corrected: the start of the
series, or the injection itself. Scanners that store plain counts (Philips) give the factor in a
private element. Nothing is guessed: what is missing, contradictory or impossible is told.

Source: QIBA, FDG-PET/CT SUV vendor-neutral pseudo-code, 2017; DICOM PS3.3, C.8.9.1 and C.8.9.2.
"""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from medclf.read.refuse import one_line

if TYPE_CHECKING:
    from pydicom import Dataset

_PHILIPS = "Philips PET Private Group"
_GRAMS = 1000.0
_LEAST_BQ, _MOST_BQ = 1e5, 1e11
"""Doses given to people; a number outside of it is in another unit than the standard's."""

_LEAST_KG, _MOST_KG = 0.5, 500.0


def suv_factor(dataset: "Dataset") -> float:
    """Find what makes SUV by body weight of the file's rescaled values, by multiplication.

    Raises:
        ValueError: the file does not state enough to know it; the message says what is missing.
    """
    unit = str(dataset.get("Units") or "").strip().upper()
    if unit == "GML":
        return _check_kind(dataset)
    if unit == "CNTS":
        return _philips_factor(dataset)
    if unit != "BQML":
        raise ValueError(f"Units BQML, GML or CNTS wanted, found {unit or 'none'}")
    return _activity_factor(dataset)


def tell_suv(dataset: "Dataset") -> float | str:
    """Find what makes SUV of the values, or say why that is not known."""
    try:
        return suv_factor(dataset)
    except (ValueError, TypeError, AttributeError) as problem:
        return one_line(problem)


def _check_kind(dataset: "Dataset") -> float:
    """Values in g/ml are SUV already, but not all by body weight."""
    kind = str(dataset.get("SUVType") or "BW").strip().upper()
    if kind != "BW":
        raise ValueError(f"SUV by body weight (BW) wanted, found SUVType {kind}")
    return 1.0


def _philips_factor(dataset: "Dataset") -> float:
    block = dataset.private_block(0x7053, _PHILIPS) if _has_block(dataset) else None
    for element, further in ((0x00, None), (0x09, dataset)):
        if block is not None and element in block:
            factor = _positive(block[element].value)
            if factor is not None:
                return factor if further is None else factor * _activity_factor(further)
    raise ValueError("counts (Units CNTS) without the private factor that makes activity of them")


def _has_block(dataset: "Dataset") -> bool:
    try:
        dataset.private_block(0x7053, _PHILIPS)
    except KeyError:
        return False
    return True


def _activity_factor(dataset: "Dataset") -> float:
    """Find the factor of values in Bq/ml."""
    corrected = {str(word).strip().upper() for word in dataset.get("CorrectedImage") or ()}
    if isinstance(dataset.get("CorrectedImage"), str):
        corrected = {dataset.CorrectedImage.strip().upper()}
    for word, meaning in (("ATTN", "attenuation"), ("DECY", "decay")):
        if word not in corrected:
            raise ValueError(f"values corrected for {meaning} wanted, found {sorted(corrected)}")
    weight = _positive(dataset.get("PatientWeight"))
    if weight is None or not _LEAST_KG <= weight <= _MOST_KG:
        raise ValueError("PatientWeight is missing or impossible")
    drugs = list(dataset.get("RadiopharmaceuticalInformationSequence") or [])
    if len(drugs) != 1:
        raise ValueError(f"one RadiopharmaceuticalInformationSequence wanted, found {len(drugs)}")
    dose = _positive(drugs[0].get("RadionuclideTotalDose"))
    if dose is None or not _LEAST_BQ <= dose <= _MOST_BQ:
        raise ValueError("RadionuclideTotalDose is missing or impossible in becquerel")
    correction = str(dataset.get("DecayCorrection") or "").strip().upper()
    if correction not in ("START", "ADMIN"):
        raise ValueError(f"DecayCorrection START or ADMIN wanted, found {correction or 'none'}")
    if correction == "START":
        dose *= _share_left(dataset, drugs[0])
    return weight * _GRAMS / dose


def _share_left(dataset: "Dataset", drug: "Dataset") -> float:
    """Find how much of the dose was left when the scan began."""
    half_life_s = _positive(drug.get("RadionuclideHalfLife"))
    if half_life_s is None:
        raise ValueError("RadionuclideHalfLife is missing")
    began, given = _scan_start(dataset), _injection(dataset, drug)
    if given is None:
        raise ValueError("the time of injection is missing")
    if given > began and not drug.get("RadiopharmaceuticalStartDateTime"):
        given -= timedelta(days=1)  # A time without a date: the injection was before midnight.
    waited_s = (began - given).total_seconds()
    if not 0 <= waited_s <= 10 * half_life_s:
        raise ValueError(f"an injection before the scan wanted, found one {waited_s:.0f} s before")
    return float(2.0 ** (-waited_s / half_life_s))


def _scan_start(dataset: "Dataset") -> datetime:
    """Find the moment to which decay was corrected: the start of the series.

    A series that was stored anew bears a later time than its own acquisition, and is refused.
    """
    series = _moment(dataset.get("SeriesDate"), dataset.get("SeriesTime"))
    scan = _moment(dataset.get("AcquisitionDate"), dataset.get("AcquisitionTime"))
    if series is None or scan is None:
        raise ValueError("the time of the series or of the acquisition is missing")
    if series > scan:
        raise ValueError("the series was stored anew after the scan: its start is not known")
    return series


def _injection(dataset: "Dataset", drug: "Dataset") -> datetime | None:
    whole = str(drug.get("RadiopharmaceuticalStartDateTime") or "")
    if whole:
        zone = re.search(r"[+-]\d{4}$", whole)
        own = str(dataset.get("TimezoneOffsetFromUTC") or "")
        if zone is not None and own and zone[0] != own:
            raise ValueError("injection and scan are told in different time zones")
        return _moment(whole[:8], whole[8:])
    return _moment(dataset.get("SeriesDate"), drug.get("RadiopharmaceuticalStartTime"))


def _moment(day: object, time: object) -> datetime | None:
    """Read YYYYMMDD and HHMMSS.F; hours and minutes must be there."""
    found = re.match(r"(\d{2})(\d{2})(\d{2}(?:\.\d*)?)?", str(time or "").strip())
    try:
        date = datetime.strptime(str(day or "").strip(), "%Y%m%d")
    except ValueError:
        return None
    if found is None:
        return None
    seconds = float(found[3] or 0)
    return date + timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=seconds)


def _positive(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None
