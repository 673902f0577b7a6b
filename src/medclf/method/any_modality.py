"""One model for images of many scanners, modalities and data sets.

The body is shared, its norms are each domain's own. The domain is told by a fact of the exam, as
its modality, its site or the data set it comes from; where it is not told, a light network that
learns beside the body recognises it. Where data sets with classes of their own were joined, an exam
is judged among the classes of its data set, in training and in use.

Source: Chang, You, Seo, Kwak, Han. Domain-Specific Batch Normalization for Unsupervised Domain
Adaptation. CVPR 2019 (norms); Rebuffi, Bilen, Vedaldi. Learning Multiple Visual Domains with
Residual Adapters. NeurIPS 2017 (one body for many data sets).
"""

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.look.views import Views
from medclf.method.asked import Asked
from medclf.method.each_view import EachView
from medclf.method.whole_image import build as build_whole
from medclf.net.domain import Recogniser, Whose, own_norms
from medclf.net.start import initialise


class AnyModality(EachView):
    """Classify an exam by the mean over its views, each judged as one of its domain.

    Args:
        whole: Judges exams of one domain.
        recogniser: Tells the domain of an image.
        whose: Tells the norms of the network, where each domain has its own, which images come.
        domains: Their names, in the order of the facts.
    """

    possible: Tensor

    def __init__(
        self, whole: EachView, recogniser: Recogniser, whose: Whose, domains: tuple[str, ...]
    ) -> None:
        super().__init__([whole.network], whole.seen, whole.lesson, whole.mixing)
        self.recogniser, self.whose, self.domains = recogniser, whose, domains
        possible = torch.tensor([self.task.among(name) for name in domains])
        self.register_buffer("possible", possible, persistent=False)

    def forward(self, views: Views) -> Tensor:
        """Judge each view: (B, V, C, *space) -> (B, V, outputs), NaN where none is.

        Classes that the exam's data set has not are minus infinity. In training a further column
        says how wrong the exam's domain was recognised, in nats, and 0 where nobody knows it.
        """
        guessed = self._guess(views)
        shares = _shares(views, guessed)
        order = shares.argmax(1).argsort(stable=True)
        logits = super().forward(self._sort(views, shares, order))
        logits = logits.index_select(-3, order.argsort())
        possible = (shares > 0).float() @ self.possible.float() > 0
        logits = logits.masked_fill(~possible.unsqueeze(1), -torch.inf)
        if not self.training:
            return logits
        wrong = cross_entropy(guessed, shares, reduction="none") * _told(views)[1]
        column = wrong.view(-1, 1, 1).expand(*logits.shape[:-1], 1)
        return torch.cat([logits, column], -1)

    def embed(self, views: Views) -> Tensor:
        """Give what the last layer judges, the mean over views: (B, F)."""
        shares = _shares(views, self._guess(views))
        order = shares.argmax(1).argsort(stable=True)
        return super().embed(self._sort(views, shares, order))[order.argsort()]

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare each view with the label of its exam, and what was recognised with its domain."""
        answer = super().loss(logits[..., :-1], target)
        return answer + logits[..., -1].mean()

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Give probabilities and their spread over the views."""
        return super().decide(logits[..., : self.task.outputs])

    def recognise(self, views: Views) -> Tensor:
        """Tell how likely each domain is by the images alone: (B, V, C, *space) -> (B, domains)."""
        return self._guess(views).softmax(1)

    def _guess(self, views: Views) -> Tensor:
        """Give the mean over views of the recogniser's logits: (B, domains)."""
        shape, flat = views.values.shape[:2], views.values.flatten(0, 1)
        if views.present is None:
            mean: Tensor = self.recogniser(flat).reshape(*shape, -1).mean(1)
            return mean
        there = views.present.flatten()
        found = flat.new_zeros(len(flat), len(self.domains)).float()
        found[there] = self.recogniser(flat[there])
        return found.reshape(*shape, -1).sum(1) / views.present.sum(1, keepdim=True)

    def _sort(self, views: Views, shares: Tensor, order: Tensor) -> Views:
        """Sort exams by domain, and tell the norms how many images of each come."""
        present, nearest = views.present, shares.argmax(1)
        images = torch.full_like(nearest, views.values.shape[1])
        if present is not None:
            images, present = present.sum(1), present[order]
        total = one_hot(nearest, len(self.domains)).mul(images.unsqueeze(1)).sum(0)
        self.whose.counts = tuple(total.tolist())
        return replace(views, values=views.values[order], present=present)


def _told(views: Views) -> tuple[Tensor, Tensor]:
    """Give the shares of each exam's domains (B, domains), and whether they are known: (B,)."""
    if views.facts is None:
        raise SettingError("the domain of exams wanted among their facts, found no facts")
    return views.facts, ~views.facts.isnan().any(1)


def _shares(views: Views, guessed: Tensor) -> Tensor:
    """Give the shares of each exam's domains as told, or else 1 for the likeliest."""
    told, known = _told(views)
    likeliest = one_hot(guessed.argmax(1), guessed.shape[1]).float()
    return torch.where(known.unsqueeze(1), told, likeliest)


def build(asked: Asked, norms: Literal["own", "shared"] = "own") -> AnyModality:
    """Build the method.

    Args:
        norms: Each domain has its "own", or all have "shared" ones.
    """
    if norms not in ("own", "shared"):
        raise SettingError(f"method.options.norms is own or shared, not {norms!r}")
    named = [fact.partition("=") for fact in asked.facts]
    if len(named) < 2 or len({column for column, _, _ in named}) > 1:
        raise SettingError(
            "domains wanted, as several words of one column in facts.words, "
            f"found {', '.join(asked.facts) or 'none'}"
        )
    whole, whose = build_whole(asked), Whose()
    domains = tuple(word for _, _, word in named)
    _expect_sets(asked.lesson.task, domains)
    if norms == "own":
        own_norms(whole.network.body, len(domains), whose)
    recogniser = Recogniser(len(asked.size), asked.channels, len(domains))
    initialise(recogniser, asked.generator)
    return AnyModality(whole, recogniser, whose, domains)


def _expect_sets(task: Task, domains: tuple[str, ...]) -> None:
    """Check that the classes of each data set are those of a domain, so that none is judged amiss.

    A data set that is held out may be no domain where another has the same classes.
    """
    known = [set(classes) for name, classes in task.sets if name in domains]
    for name, classes in task.sets:
        if set(classes) not in known:
            raise SettingError(
                f"facts.words: a domain for the data set {name!r}, which has classes of its own, "
                f"wanted, found {', '.join(domains)}"
            )
