"""The domain of new exams: named by the person or a table, or else recognised, and then told."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from medclf.core.record import Record
from medclf.learn.exams import standardised
from medclf.learn.facts import columns_of
from medclf.learn.recipe import Recipe
from medclf.learn.trained import Trained
from medclf.method.any_modality import AnyModality
from medclf.method.table import find_method
from medclf.prepare.store import Rows


def domain_column(recipe: Recipe) -> str:
    """Name the fact that tells domains; "" where the method does not go by any."""
    goes_by = "domains" in find_method(recipe.method.name).needs
    return columns_of(recipe.facts)[0] if goes_by else ""


def known_domains(recipe: Recipe) -> tuple[str, ...]:
    """List the domains that training saw."""
    return tuple(word.partition("=")[2] for word in recipe.facts.words)


def name_domain(record: Record, recipe: Recipe, domain: str) -> Record:
    """Put a domain that the person names among the facts of an exam."""
    column = domain_column(recipe)
    return replace(record, facts={**record.facts, column: domain}) if column else record


@torch.inference_mode()
def doubt_domains(trained: Trained, rows: Rows, facts: Tensor | None) -> list[tuple[str, ...]]:
    """Say of exams whose domain is not told what they were taken for, and how surely.

    Args:
        trained: Members that judge.
        rows: Prepared images of the exams.
        facts: As `encode_facts` gives them: (N, domains).

    Returns:
        A warning for each such exam; none for the others.
    """
    members = [member for member in trained.members if isinstance(member, AnyModality)]
    none: list[tuple[str, ...]] = [()] * len(rows.images)
    if not members or facts is None or not bool(facts.isnan().any()):
        return none
    exams = standardised(rows, torch.empty(0), trained.values, trained.device, facts)
    seen = exams.views(np.arange(len(rows.images)))
    shares = torch.stack([member.recognise(seen) for member in members]).mean(0).cpu()
    best, names = shares.max(1), members[0].domains
    return [
        (f"taken for {names[k]} by the image, with {100 * share:.0f} % certainty",)
        if bool(told.isnan().any())
        else ()
        for told, share, k in zip(facts, best.values.tolist(), best.indices.tolist(), strict=True)
    ]
