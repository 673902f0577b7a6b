from functools import partial

import pytest
import timm
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.cost import measure_cost
from medclf.net.family.mobilenet import STAGES, TIMM, MobileNet, build
from medclf.net.head import Classifier
from medclf.net.style import Style

RELU6 = Style(activation="relu6")  # of TensorFlow's code and timm's; the paper has ReLU


def test_outputs_are_those_of_timm(agree):
    make = partial(timm.create_model, "mobilenetv1_100")
    agree(make, MobileNet(2, 3, style=RELU6), TIMM, (97, 64))


# Tables 6 and 7: millions of multiply-adds and weights, with 1000 classes.
@pytest.mark.parametrize(
    ("width", "size", "products", "weights"),
    [
        (1.0, 224, 569, 4.2),
        (0.75, 224, 325, 2.6),
        (0.5, 224, 149, 1.3),
        (0.25, 224, 41, 0.5),
        (1.0, 160, 290, 4.2),
        (1.0, 128, 186, 4.2),
    ],
)
def test_widths_and_sizes_cost_what_the_paper_says(width, size, products, weights):
    with torch.device("meta"):
        network = Classifier(MobileNet(2, 3, width), 1000)
    cost = measure_cost(network, 3, (size, size))
    assert cost.weights / 1e6 == pytest.approx(weights, abs=0.05)
    assert cost.multiply_adds / 1e6 == pytest.approx(products, abs=1)


def test_it_has_the_28_layers_of_the_paper():
    """The first convolution, two for each separable one, and the head."""
    with torch.device("meta"):
        body = MobileNet(2, 3)
    convolutions = [m for m in body.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 1 + 2 * sum(map(len, STAGES)) == 27
    weights = sum(p.numel() for p in Classifier(body, 1000).parameters())
    assert weights == 4_231_976


@pytest.mark.parametrize(
    ("size", "out"),
    [((28, 28), (4, 4)), ((24, 24, 24), (3, 3, 3)), ((24, 96, 96), (3, 3, 3)), ((1, 7), (1, 4))],
)
def test_small_inputs_keep_a_map(size, out):
    body = build(len(size), 1, size, Style(), width=0.125).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape == (1, 128, *out)


def test_widths_without_sense_are_refused():
    with pytest.raises(SettingError, match="width is a factor above 0, not 0"):
        MobileNet(2, 1, 0)
