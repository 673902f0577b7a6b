import pytest
import torch
import torchvision
from torch import nn

from medclf.net.cost import count_products, measure_cost, measure_parts
from medclf.net.family.lenet import LeNet
from medclf.net.family.resnet import ResNet
from medclf.net.family.sprint import Sprint
from medclf.net.head import Classifier


def test_resnet18_costs_what_is_known_of_it():
    cost = measure_cost(Classifier(ResNet(2, 3, 18), 1000), 3, (224, 224))
    assert cost.weights == 11_689_512
    assert cost.multiply_adds == 1_814_073_344
    assert cost.field == (435, 435)
    assert cost.step == (32, 32)
    assert cost.shape == (1000,)


# Billions of multiply-adds as torchvision states them with its weights; fields by hand.
@pytest.mark.parametrize(
    ("depth", "billions", "field"),
    [(34, 3.664, 899), (50, 4.089, 427), (101, 7.801, 971), (152, 11.514, 1451)],
)
def test_deeper_ones_too(depth, billions, field):
    with torch.device("meta"):
        network = Classifier(ResNet(2, 3, depth), 1000)
    cost = measure_cost(network, 3, (224, 224))
    assert cost.multiply_adds / 1e9 == pytest.approx(billions, abs=0.001)
    assert cost.field == (field, field)


def test_networks_of_others_are_counted_too():
    cost = measure_cost(torchvision.models.mobilenet_v2(weights=None), 3, (224, 224))
    assert cost.weights == 3_504_872
    assert cost.multiply_adds / 1e9 == pytest.approx(0.301, abs=0.001)


def test_lenet_by_hand():
    c1, c3, c5, f6 = 25 * 6 * 28 * 28, 25 * 60 * 10 * 10, 25 * 16 * 120, 120 * 84
    cost = measure_cost(LeNet(2, 1), 1, (28, 28))
    assert cost.multiply_adds == c1 + c3 + c5 + f6
    assert cost.field == (32, 32)


def test_the_field_is_as_far_as_a_gradient_reaches():
    body = ResNet(2, 1, 18, 8, strides=(1, 1, 1, 2, 2, 2)).eval()
    for weight in body.parameters():
        nn.init.constant_(weight, 0.02 if weight.ndim > 1 else 1.0)
    edge = 136
    field = measure_cost(body, 1, (edge, edge)).field
    image = torch.ones(1, 1, edge, edge, dtype=torch.float64, requires_grad=True)
    body.double()(image)[..., 8, 8].sum().backward()
    seen = image.grad[0, 0].ne(0)
    assert (seen.any(1).sum().item(), seen.any(0).sum().item()) == field == (109, 109)


def test_parts_add_up_to_the_whole():
    with torch.device("meta"):
        body = ResNet(2, 3, 18)
    parts = ["", *body.names, "stage2.0", "stage2.1"]
    cost = measure_parts(body, parts, 3, (224, 224))
    stages = [cost[name] for name in body.names]
    assert sum(stage.weights for stage in stages) == cost[""].weights
    assert sum(stage.multiply_adds for stage in stages) == cost[""].multiply_adds
    blocks = cost["stage2.0"].multiply_adds + cost["stage2.1"].multiply_adds
    assert blocks == cost["stage2"].multiply_adds
    # By hand: four 3 x 3 convolutions of 64 maps of 56 x 56, each with a norm.
    assert cost["stage1"].weights == 4 * (9 * 64 * 64 + 2 * 64)
    assert cost["stage1"].multiply_adds == 4 * 9 * 64 * 64 * 56 * 56
    assert [stage.shape[1] for stage in stages] == [112, 56, 56, 28, 14, 7]
    assert [stage.field[0] for stage in stages] == [7, 11, 43, 99, 211, 435]


def test_a_network_without_values_costs_the_same():
    body = Sprint(2, 1, (28, 28))
    with torch.device("meta"):
        bare = Sprint(2, 1, (28, 28))
    assert measure_cost(bare, 1, (28, 28)) == measure_cost(body, 1, (28, 28))


def test_ways_that_meet_and_odd_windows():
    class Fork(nn.Module):
        def __init__(self):
            super().__init__()
            self.near = nn.Conv3d(1, 2, 1, stride=(1, 2, 2))
            self.far = nn.Conv3d(1, 2, (1, 3, 3), stride=(1, 2, 2), padding=(0, 2, 2), dilation=2)
            self.pool = nn.AvgPool3d((1, 2, 2))

        def forward(self, x):
            both = torch.cat([self.near(x), self.far(x)[..., :8, :8].add_(1)], dim=1)
            return self.pool(both * both.mean())

    cost = measure_cost(Fork(), 1, (4, 16, 16))
    assert cost.field == (1, 7, 7)
    assert cost.step == (1, 4, 4)
    assert cost.shape == (4, 4, 4, 4)
    assert cost.multiply_adds == 2 * (4 * 8 * 8) + 18 * (4 * 8 * 8)


def test_measuring_leaves_no_trace():
    network = Classifier(Sprint(2, 1, (28, 28)), 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measure_cost(network, 1, (28, 28))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert network.training


def test_an_input_that_does_not_fit_leaves_no_hook():
    network = Sprint(2, 1, (28, 28))
    with pytest.raises(RuntimeError):
        measure_cost(network, 3, (28, 28))
    assert not any(module._forward_hooks for module in network.modules())


def test_products_are_counted_as_often_as_layers_work():
    network = Classifier(Sprint(2, 1, (32, 32), width=16), 3).eval()
    one = measure_cost(network, 1, (32, 32)).multiply_adds
    work = [torch.zeros(1, 1, 32, 32), torch.zeros(2, 1, 32, 32)]
    assert count_products(network.modules(), lambda: [network(x) for x in work]) == 3 * one
    cell = nn.GRU(5, 7, batch_first=True)
    assert count_products([cell], lambda: cell(torch.zeros(2, 4, 5))) == 2 * 4 * 3 * 7 * (5 + 7)
