"""See each view, join what was seen and what is known of the patient, and judge the exam once."""

from dataclasses import replace

import torch
from torch import Tensor

from medclf.errors import SettingError
from medclf.fuse.facts import Concatenation, LateFusion, Modulation
from medclf.fuse.fuser import Fuser
from medclf.look.views import Look, Views
from medclf.method.composed import Composed
from medclf.method.lesson import Lesson
from medclf.method.streams import embed, see
from medclf.net.head import Classifier

WithFacts = Concatenation | Modulation | LateFusion


class Joined(Composed):
    """Classify an exam from all of its views together.

    Args:
        networks: One for all views, or one for each of them, in order. The head of the first
            judges what `fuser` and `facts` give.
        look: What is seen of an exam.
        fuser: Makes one feature of those of the views.
        lesson: What is learnt.
        mixing: Share of a second exam blended in, as alpha of mixup's Beta distribution.
        facts: Joins the patient's facts to the feature, or to the logits; `None` for pixels alone.
    """

    alone = False

    def __init__(
        self,
        networks: list[Classifier],
        look: Look,
        fuser: Fuser,
        lesson: Lesson,
        mixing: float = 0.0,
        facts: WithFacts | None = None,
    ) -> None:
        super().__init__(networks, look, lesson, mixing)
        self.fuser, self.facts = fuser, facts

    def forward(self, views: Views) -> Tensor:
        """Judge each exam: (B, V, C, *space) -> (B, 1, outputs)."""
        return self.judge(see(self.networks, views, embed), views)

    def judge(self, features: Tensor, views: Views) -> Tensor:
        """Judge exams by the features of their views: (B, V, F) -> (B, 1, outputs)."""
        logits = self.network.decide(self._join(features, views))
        if isinstance(self.facts, LateFusion):
            logits = self.facts(logits, _known(views))
        return logits.unsqueeze(1)

    def embed(self, views: Views) -> Tensor:
        """Give what the head judges: (B, F)."""
        return self._join(see(self.networks, views, embed), views)

    @torch.no_grad()
    def weigh(self, views: Views) -> tuple[Tensor, Tensor]:
        """Judge, and tell what is said without each view: (B, V, K).

        That is NaN where the view is not there, or no other. The networks see each view once; what
        they saw is joined without each of them in turn.
        """
        features, there = see(self.networks, views, embed), views.present
        if there is None:
            there = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        found = []
        for number in range(there.shape[1]):
            less = there.clone()
            less[:, number] = False
            counts = there[:, number] & less.any(1)
            some = replace(views, present=torch.where(counts.unsqueeze(1), less, there))
            shares, _ = self.decide(self.judge(features, some))
            found.append(shares.masked_fill(~counts.cpu().unsqueeze(1), torch.nan))
        return self.judge(features, views), torch.stack(found, 1)

    def _join(self, features: Tensor, views: Views) -> Tensor:
        joined = self.fuser(features, views.present)
        if self.facts is None or isinstance(self.facts, LateFusion):
            return joined
        with_facts: Tensor = self.facts(joined, _known(views))
        return with_facts


def _known(views: Views) -> Tensor:
    if views.facts is None:
        raise SettingError("facts about the patients wanted, found none")
    return views.facts
