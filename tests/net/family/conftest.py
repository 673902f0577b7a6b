"""The outside truth of a family: the same logits as the network of another library."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from medclf.net.body import Body
from medclf.net.head import Classifier

OUTPUTS = 7


def unsettle_norms(module: nn.Module) -> None:
    """Give every norm statistics and scales of its own, so that a mix-up would show."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.1, 0.1)
            nn.init.uniform_(part.running_var, 0.8, 1.2)
            nn.init.uniform_(part.weight, 0.5, 1.0)
            nn.init.uniform_(part.bias, -0.1, 0.1)


def settle(network: nn.Module, images: Tensor) -> None:
    """Let the norms know some images: a deep network that does not is blind to what it sees."""
    unsettle_norms(network)
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        network(images)
    for norm in norms:
        norm.eval()


@pytest.fixture
def unsettle() -> Callable[[nn.Module], None]:
    """Give every norm of a network statistics and scales of its own."""
    return unsettle_norms


@pytest.fixture
def agree() -> Callable[..., tuple[nn.Module, nn.Module]]:
    """Check that a body takes over weights by the rules of its family, and gives their logits."""

    def check(make, body: Body, rules, size) -> tuple[nn.Module, nn.Module]:
        torch.manual_seed(0)
        theirs = make(num_classes=OUTPUTS).eval()
        x = torch.rand(2, 3, *size)
        settle(theirs, x)
        state = {}
        for name, value in theirs.state_dict().items():
            for pattern, replacement in rules:
                name = re.sub(pattern, replacement, name)
            state[name] = value
        ours = Classifier(body, OUTPUTS).eval()
        ours.load_state_dict(state)
        with torch.no_grad():
            found, wanted = ours(x), theirs(x)
        assert (wanted[0] - wanted[1]).abs().max() > 0.01
        assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-4)
        return ours, theirs

    return check
