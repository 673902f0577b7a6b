"""See each view, join what was seen and what is known of the patient, and judge the exam once."""

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
        logits = self.network.decide(self.embed(views))
        if isinstance(self.facts, LateFusion):
            logits = self.facts(logits, _known(views))
        return logits.unsqueeze(1)

    def embed(self, views: Views) -> Tensor:
        """Give what the head judges: (B, F)."""
        joined = self.fuser(see(self.networks, views, embed), views.present)
        if self.facts is None or isinstance(self.facts, LateFusion):
            return joined
        with_facts: Tensor = self.facts(joined, _known(views))
        return with_facts

    def weigh(self, views: Views) -> Tensor:
        """Tell how much each view counts: (B, V), summing to 1 over those that are there."""
        with torch.no_grad():
            return self.fuser.weigh(see(self.networks, views, embed), views.present)


def _known(views: Views) -> Tensor:
    if views.facts is None:
        raise SettingError("facts about the patients wanted, found none")
    return views.facts
