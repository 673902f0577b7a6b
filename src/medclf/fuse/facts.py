"""Patient facts beside what the pixels show: age, sex, history, site.

A fact may be missing, and an exam may have none: the encoder sees each value beside whether it is
known, and learns what it means that it is not (`look.hidden` hides facts by chance in training).
The code of an exam without a known fact is zero and all joins are linear in the code, so such an
exam is judged from its pixels alone, as if facts had never been asked for.

Source: Perez, Strub, de Vries, Dumoulin, Courville. FiLM: Visual Reasoning with a General
Conditioning Layer. AAAI 2018 (modulation).
"""

import torch
from torch import Generator, Tensor, nn

from medclf.errors import SettingError
from medclf.net.precision import without_autocast
from medclf.net.start import initialise

BOUND = 5.0  # standard deviations: no typing error of age outweighs all the rest


class Encoder(nn.Module):
    """Turn the facts of a patient into a code; zero where no fact is known.

    Args:
        facts: How many there are.
        features: Length of the code.
        hidden: Units between.

    Shape:
        (B, facts) -> (B, features). Facts are standardised, NaN where they are missing, and cut at
        5 standard deviations.

    Raises:
        SettingError: a number is below 1; in use, facts of another shape come.
    """

    def __init__(self, facts: int, features: int = 16, hidden: int = 32) -> None:
        super().__init__()
        if min(facts, features, hidden) < 1:
            found = f"{facts}, {features} and {hidden}"
            raise SettingError(f"1 fact, feature and hidden unit or more wanted, not {found}")
        self.facts, self.features = facts, features
        self.layers = nn.Sequential(
            nn.Linear(2 * facts, hidden), nn.ReLU(), nn.Linear(hidden, features)
        )

    def forward(self, facts: Tensor) -> Tensor:
        if facts.ndim != 2 or facts.shape[1] != self.facts:
            raise SettingError(f"facts (B, {self.facts}) wanted, not {tuple(facts.shape)}")
        known = ~facts.isnan()
        values = facts.masked_fill(~known, 0).clamp(-BOUND, BOUND)
        with without_autocast(facts.device):
            code: Tensor = self.layers(torch.cat([values, known.to(values.dtype)], 1))
            return code * known.any(1, keepdim=True)


class Concatenation(nn.Module):
    """Put the code of the facts behind the features.

    Args:
        features: Of the pixels.
        encoder: Of the facts.

    Shape:
        (B, features), (B, facts) -> (B, features + code)
    """

    def __init__(self, features: int, encoder: Encoder) -> None:
        super().__init__()
        self.encoder, self.features = encoder, features + encoder.features

    def forward(self, features: Tensor, facts: Tensor) -> Tensor:
        return torch.cat([features, self.encoder(facts).to(features.dtype)], 1)


class Modulation(nn.Module):
    """Scale and shift the features by the facts; at the start, and without facts, leave them alone.

    Args:
        features: Of the pixels, and of what comes out.
        encoder: Of the facts.

    Shape:
        (B, features), (B, facts) -> (B, features)
    """

    def __init__(self, features: int, encoder: Encoder) -> None:
        super().__init__()
        self.encoder, self.features = encoder, features
        self.change = nn.Linear(encoder.features, 2 * features, bias=False)
        nn.init.zeros_(self.change.weight)

    def draw(self, generator: Generator) -> None:
        """Draw the first weights of the encoder; the change begins as none."""
        initialise(self.encoder, generator)
        nn.init.zeros_(self.change.weight)

    def forward(self, features: Tensor, facts: Tensor) -> Tensor:
        with without_autocast(features.device):
            scale, shift = self.change(self.encoder(facts)).chunk(2, dim=1)
            changed: Tensor = features * (1 + scale) + shift
            return changed


class LateFusion(nn.Module):
    """Add what the facts say to what the pixels say: logits to logits.

    Args:
        outputs: Logits.
        encoder: Of the facts.
        weight: What the facts count against the pixels.
        learnt: Whether the weight, one for each logit, is learnt from there on.

    Shape:
        (B, outputs), (B, facts) -> (B, outputs)
    """

    def __init__(
        self, outputs: int, encoder: Encoder, weight: float = 1.0, learnt: bool = True
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.opinion = nn.Linear(encoder.features, outputs, bias=False)
        self.weight = nn.Parameter(torch.full((outputs,), weight), requires_grad=learnt)

    def draw(self, generator: Generator) -> None:
        """Draw the first weights; what the facts count against the pixels stays."""
        initialise(self.encoder, generator)
        initialise(self.opinion, generator)

    def forward(self, logits: Tensor, facts: Tensor) -> Tensor:
        with without_autocast(logits.device):
            said: Tensor = logits + self.weight * self.opinion(self.encoder(facts))
            return said
