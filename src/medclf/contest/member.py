"""What one member of a run costs: its weights, its products for one exam, and the time it takes.

All its networks and all views that they see are counted, and what joins the views.
"""

import numpy as np
import torch
from torch import Tensor

from medclf.contest.gauge import time_answers
from medclf.core.record import Record
from medclf.evaluate.standing import Cost
from medclf.learn.committee import threads
from medclf.learn.exams import standardised
from medclf.learn.facts import encode_facts
from medclf.learn.loop import judge
from medclf.learn.run import Run
from medclf.learn.trained import Held, load_trained
from medclf.net.cost import count_products
from medclf.prepare.store import Rows


def gauge_member(run: Run, first: Record, rows: Rows, passes: float, memory: float) -> Cost:
    """Count what one of the members costs for the first exam, and time its answers.

    Args:
        run: That has come to its end.
        first: The first exam.
        rows: Prepared images, those of the first exam among them.
        passes: Over the training exams.
        memory: The most that the process held, MiB.
    """
    trained = load_trained(run)
    one = trained.members[0]
    images = rows.images[0][rows.images[0] >= 0]
    held = Held(rows.batch(images), np.arange(len(images))[None])
    facts = encode_facts([first], run.recipe.facts)
    exams = standardised(held, torch.empty(0), trained.values, trained.device, facts)

    def answer() -> tuple[Tensor, Tensor]:
        return judge(one, exams, np.array([0]), run.recipe.fit)

    products = count_products(one.modules(), answer)
    with threads(1):
        latency = time_answers(answer)
    seconds, together = run.facts["spent"]["seconds"], time_answers(answer)
    weights = sum(part.numel() for part in one.parameters())
    return Cost(weights, products, passes, seconds, latency, together, memory)
