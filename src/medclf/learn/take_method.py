"""A plan follows a method that the person names, or that the exams ask for."""

from collections.abc import Mapping
from dataclasses import replace

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.curate.fingerprint import Fingerprint
from medclf.curate.shortcut import is_of_the_patient
from medclf.errors import CohortError
from medclf.learn.facts import choose_domains, choose_facts
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Facts, Method, Option
from medclf.learn.transfer import Transfer
from medclf.method.table import COPIED, METHODS, Need, find_method
from medclf.prepare.exam import Prepare
from medclf.prepare.place import ASIDE, AXES

PATCH = {2: 48, 3: 32}
"""Samples along each edge of what is cut out around a marked point."""

FINEST_MM = 1.0

WANTED: dict[Need, str] = {
    "points": "a marked point in each exam (columns z_mm, y_mm, x_mm, or --point)",
    "facts": "a table with facts about the patients, known by their names as age or sex",
    "several images": "exams of several images",
    "one image": "exams of one image",
    "volumes": "volumes",
    "ranks": "classes that rank (--kind ranked)",
    "domains": "a column with words for the data set, modality, scanner or site of exams",
}
"""What is said of each need."""


def take_method(plan: Plan, cohort: Cohort, found: Fingerprint, name: str = "") -> Plan:
    """Change a plan to a method.

    Args:
        plan: Made for the cohort.
        cohort: With every exam in a split.
        found: Its fingerprint.
        name: A method of `medclf.method.table`; "" for what the exams ask for: a patch where points
            are marked, a bag where exams have several images, else the whole image.

    Raises:
        SettingError: there is no such method.
        CohortError: the data lack what it needs; the methods that would do are named.
    """
    has = what_is_there(cohort, found.dims)
    several = has["several images"]
    asked = name or ("patch" if has["points"] else "exam_bag" if several else "whole_image")
    lacks = tell_lack(asked, has)
    if lacks:
        do = ", ".join(other for other in METHODS if not tell_lack(other, has))
        raise CohortError(f"{cohort.origin}: {asked} {lacks}, not found; these would do: {do}")
    recipe, new = set_method(plan.recipe, cohort, asked)
    reasons = {**plan.reasons, **new, "method.name": "asked for" if name else _why(asked)}
    if has["points"]:
        recipe = replace(recipe, prepare=_around(plan, found, reasons))
    return Plan(recipe, reasons)


def with_options(plan: Plan, options: Mapping[str, Option]) -> Plan:
    """Choose options of a plan's method; whether it has them is seen when it is built."""
    if not options:
        return plan
    method = plan.recipe.method
    chosen = replace(method, options={**method.options, **options})
    reasons = {**plan.reasons, "method.options": "asked for"}
    return Plan(replace(plan.recipe, method=chosen), reasons)


def what_is_there(cohort: Cohort, dims: int) -> dict[Need, bool]:
    """Tell which needs of methods some exams serve.

    Args:
        cohort: With every exam in a split.
        dims: 2 for pictures, 3 for volumes.
    """
    images = max(len(record.images) for record in cohort.records)
    return {
        "points": all(_marked(record) for record in cohort.records),
        "facts": bool(_choose_facts(cohort).columns),
        "several images": images > 1,
        "one image": images == 1,
        "volumes": dims == 3,
        "ranks": cohort.task.kind == "ranked",
        "domains": bool(choose_domains(_training(cohort)).words),
    }


def tell_lack(name: str, has: Mapping[Need, bool]) -> str:
    """Say what a method needs that is not there; "" where it can serve.

    Raises:
        SettingError: there is no such method.
    """
    lacking = [need for need in find_method(name).needs if not has[need]]
    if not lacking:
        return ""
    return f"needs {' and '.join(WANTED[need] for need in lacking)}"


def set_method(recipe: Recipe, cohort: Cohort, name: str) -> tuple[Recipe, dict[str, str]]:
    """Put a method into a recipe, with the facts that it reads and what of it learns.

    Args:
        recipe: Whose images are prepared as the method needs them.
        cohort: With every exam in a split.
        name: A method that these exams serve.

    Returns:
        The recipe, and the reasons of what was set.
    """
    images = max(len(record.images) for record in cohort.records)
    recipe, reasons = replace(recipe, method=Method(name, images=images)), dict[str, str]()
    if name not in COPIED and recipe.fit.shift:
        recipe = replace(recipe, fit=replace(recipe.fit, shift=0.0))
        reasons["fit.shift"] = "the method's own views are averaged or joined, no shifted copies"
    if name == "placed_patch":
        axes = AXES[-len(recipe.prepare.size) :]
        mean, deviation = (0.5,) * len(axes) + (0.25,), (0.25,) * len(axes) + (0.125,)
        recipe = replace(recipe, facts=Facts((*axes, ASIDE), mean, deviation))
        reasons["facts.numbers"] = "where in the body the point lies, 0 to 1, and how far aside"
    elif "facts" in find_method(name).needs and not recipe.facts.columns:
        recipe = replace(recipe, facts=_choose_facts(cohort))
        left = ", ".join(name for name in _columns(cohort) if not is_of_the_patient(name))
        rest = f"; by their names no facts of the patient: {left}" if left else ""
        reasons["facts.numbers"] = f"numbers that differ between training exams{rest}"
        reasons["facts.words"] = "words that several training exams bear"
    elif "domains" in find_method(name).needs and not recipe.facts.columns:
        recipe = replace(recipe, facts=choose_domains(_training(cohort)))
        reasons["facts.words"] = "the domains, as training exams name them"
    elif name == "code_then_tree":
        fit = replace(recipe.fit, epochs=0, mirror="no", balance="none")
        recipe = replace(recipe, transfer=Transfer("code", "tree"), fit=fit)
        reasons["transfer.learn"] = "the method learns a code without labels"
        reasons["transfer.head"] = "a single tree can be read"
        reasons["fit.mirror"] = reasons["fit.balance"] = "a code knows no classes"
    return recipe, reasons


def _marked(record: Record) -> bool:
    return all(source.point is not None for source in record.images.values())


def _choose_facts(cohort: Cohort) -> Facts:
    """Choose facts of the patient: others, as the scanner, foretell labels for no good reason."""
    names = [name for name in _columns(cohort) if is_of_the_patient(name)]
    return choose_facts(_training(cohort), names) if names else Facts()


def _columns(cohort: Cohort) -> list[str]:
    return list(dict.fromkeys(name for record in _training(cohort) for name in record.facts))


def _training(cohort: Cohort) -> list[Record]:
    return [record for record in cohort.records if record.split == "train"]


def _why(name: str) -> str:
    return {
        "patch": "a point is marked in each exam: what lies around it is judged",
        "exam_bag": "exams have several images: one answer from all of them",
        "whole_image": "each exam is one image: all of it is judged",
    }[name]


def _around(plan: Plan, found: Fingerprint, reasons: dict[str, str]) -> Prepare:
    """Cut cubes or squares around the points."""
    prepare = plan.recipe.prepare
    size = (PATCH[found.dims],) * found.dims
    spacing: tuple[float, ...] = ()
    reasons["prepare.crop"] = "a point is marked in each exam"
    if found.spacing_median_mm is not None and found.spacing_known == 1:
        spacing = (max(FINEST_MM, round(min(found.spacing_median_mm), 3)),) * found.dims
        reasons["prepare.spacing_mm"] = "as fine as the files are, but not finer than 1 mm"
    reasons["prepare.size"] = " x ".join(map(str, size)) + " samples around the point"
    return replace(prepare, crop="point", size=size, spacing_mm=spacing)
