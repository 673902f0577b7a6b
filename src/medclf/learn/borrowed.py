"""A plan that starts from another network: one that the person names, or one that is pretrained.

Few exams keep the body as it is, and a logistic curve is fitted to its features: that takes one
look at each exam and cannot overfit the body. Where a method joins views or facts by parts that
must learn, those and the head learn by steps instead. Many exams, and a budget for a few passes
over them, let everything learn on, slower towards the image, as a code without labels always does.
Both rules were found on validation (docs/experiments.md).
"""

from dataclasses import replace

from medclf.core.task import Task
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.sketch import make_sketch
from medclf.learn.transfer import Transfer
from medclf.net.cost import measure_cost
from medclf.net.source import Source
from medclf.net.table import build_body
from medclf.net.weights import find_source
from medclf.prepare.settings import Prepare

READY = "efficientnet_lite0"  # its weights come in a package, so that no network is needed
FEW = 1500  # exams to learn from, up to which the body is kept as it is
PASSES = 3  # over all exams, without which fine-tuning does not pay
PRODUCTS_PER_SECOND = 5e9  # multiply-adds of a step of depthwise networks, two cores
DECAY, RATE = 0.8, 1e-3
HALVED = 128  # edge of pictures that a network is taught with
RATES = (1e-3, 4e-3)  # that suit networks which start from chance


def take_network(
    plan: Plan, task: Task, net: str, pretrained: bool, learnt: int, minutes: float
) -> Plan:
    """Change a plan to another network.

    Args:
        plan: Made for the cohort.
        task: Of the cohort.
        net: A body of `medclf.net.table`; "" for the one whose weights are at hand.
        pretrained: Whether it starts from published weights.
        learnt: Exams that train and validate.
        minutes: Budget.

    Raises:
        SettingError: there is no such network, or no weights of it are published; the plan's method
            has no such option.
    """
    name = net or READY
    options = {"net.name": "asked for", "net.options": "those of its paper"}
    reasons = {**plan.reasons, **options, "net.pool": "that of its paper"}
    recipe = replace(plan.recipe, net=replace(plan.recipe.net, name=name, options={}, pool="mean"))
    if not pretrained:
        reasons["fit.rates"] = "which suits this network is tried on validation"
        fit = replace(recipe.fit, rates=RATES)
        return Plan(replace(recipe, fit=fit), reasons)
    source = find_source(name)
    recipe = replace(recipe, net=replace(recipe.net, pretrained="imagenet"))
    told = f"{source.top1:g} % of ImageNet's pictures told right"
    reasons["net.pretrained"] = told if source.top1 else f"the weights {source.file}"
    changed = Plan(recipe, reasons)
    if recipe.transfer.learn == "code":
        return _tuned(changed)
    if learnt <= FEW:
        return _frozen(changed, task, source, f"{learnt} exams are too few to teach a body anew")
    tuned = _tuned(changed)
    products = 3 * learnt * _count_products(tuned.recipe, task)
    passes = minutes * 60 * PRODUCTS_PER_SECOND / products
    if passes < PASSES:
        return _frozen(changed, task, source, f"{minutes:g} minutes do not allow {PASSES} passes")
    allowed = f"exams and minutes allow about {passes:.0f} passes"
    return Plan(tuned.recipe, {**tuned.reasons, "transfer.learn": allowed})


def _count_products(recipe: Recipe, task: Task) -> int:
    """Count the multiply-adds of the network of a recipe in all views of an exam."""
    seen, net = make_sketch(recipe, task), recipe.net
    body = build_body(net.name, len(seen.size), seen.channels, seen.size, **net.options)
    return seen.views * measure_cost(body, seen.channels, seen.size).multiply_adds


def teach_joins(recipe: Recipe, task: Task) -> tuple[Recipe, dict[str, str]]:
    """Let a head learn by steps that would be fitted to what never learnt.

    Args:
        recipe: Of any method and any transfer.
        task: Of the cohort.

    Returns:
        The recipe, and the reasons of what was changed; none where the head may be fitted, or
        learns by steps already.
    """
    transfer = recipe.transfer
    if not (transfer.fitted and transfer.learn == "head"):
        return recipe, {}
    beside = make_sketch(recipe, task).beside
    if not beside:
        return recipe, {}
    fit = replace(recipe.fit, epochs=0, rates=RATES)
    reasons = {
        "transfer.head": f"learns by steps, with the rest of the method: {', '.join(beside)}",
        "fit.epochs": "0: what the budget allows, settled when training starts",
        "fit.rates": "which suits what learns is tried on validation",
    }
    return replace(recipe, transfer=Transfer("head"), fit=fit), reasons


def _frozen(plan: Plan, task: Task, source: Source, why: str) -> Plan:
    """Keep the body as it is."""
    frozen = replace(plan.recipe, transfer=Transfer(learn="head", head="logistic"))
    recipe, told = teach_joins(frozen, task)
    reasons = {**plan.reasons, "transfer.learn": why, **told}
    if told:
        return _by_steps(Plan(recipe, reasons))
    reasons["transfer.head"] = "fitted to features that are worked out once"
    reasons["fit.epochs"] = "one look at each exam"
    reasons["fit.members"] = "one for each fold" if recipe.fit.folds else "all would be the same"
    reasons["fit.shift"] = "features are those of the image as it is, worked out once"
    reasons.pop("fit.mirror", None)
    fit = replace(
        recipe.fit, epochs=1, members=recipe.fit.folds or 1, mirror="no", shift=0.0, balance="none"
    )
    whole = Plan(replace(recipe, fit=fit), reasons)
    return _resized(whole, source.pixels, "that of the pictures that the weights were made from")


def _tuned(plan: Plan) -> Plan:
    """Let everything learn on, by labels or without."""
    reasons = {
        **plan.reasons,
        "transfer.decay": "edges and textures serve as they are; late stages learn most",
        "fit.rate": "what was learnt already must not be lost",
    }
    recipe = plan.recipe
    fit, transfer = replace(recipe.fit, rate=RATE), replace(recipe.transfer, decay=DECAY)
    return _by_steps(Plan(replace(recipe, fit=fit, transfer=transfer), reasons))


def _by_steps(plan: Plan) -> Plan:
    """Make a plan fit for a dear network that is passed several times."""
    recipe, reasons = plan.recipe, dict(plan.reasons)
    fit = replace(recipe.fit, members=min(2, recipe.fit.members), mirror="no")
    reasons["fit.members"] = "two at most: each is dear"
    reasons.pop("fit.mirror", None)
    learns = Plan(replace(recipe, fit=fit), reasons)
    return _resized(learns, HALVED, "halved for speed; the features serve at this size too")


def same_field(prepare: Prepare, edge: int) -> Prepare:
    """Prepare pictures to another edge, without showing more or less of what they show.

    Args:
        prepare: Left as it is for volumes, and where samples of the file itself are cut out around
            a point: more of them would show more.
        edge: In samples.
    """
    if len(prepare.size) != 2 or (prepare.crop == "point" and not prepare.spacing_mm):
        return prepare
    pairs = zip(prepare.spacing_mm, prepare.size, strict=False)
    spacing = tuple(mm * samples / edge for mm, samples in pairs)
    return replace(prepare, size=(edge, edge), spacing_mm=spacing)


def _resized(plan: Plan, edge: int, why: str) -> Plan:
    before, reasons = plan.recipe.prepare, dict(plan.reasons)
    prepare = same_field(before, edge)
    if prepare != before:
        reasons["prepare.size"] = why
    elif before.crop == "point" and len(before.size) == 2:
        reasons["prepare.size"] = "of the file around the point: more samples would show more"
    if prepare.spacing_mm != before.spacing_mm:
        reasons["prepare.spacing_mm"] = "finer, so that what is seen around the point stays as wide"
    return Plan(replace(plan.recipe, prepare=prepare), reasons)
