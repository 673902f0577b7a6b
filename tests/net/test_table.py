"""The contract that every body keeps, in 2D and 3D."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.borrow import borrow
from medclf.net.cost import measure_cost
from medclf.net.nd import layers
from medclf.net.start import initialise
from medclf.net.table import BODIES, build_body, build_classifier

SIZE = {2: (34, 28), 3: (24, 27, 24)}

# One member of each family, made so narrow that it is quick.
MEMBERS = {
    "lenet5": {},
    "alexnet": {"width": 0.06},
    "alexnet2012": {"width": 0.06},
    "zfnet": {"width": 0.06},
    "nin": {"width": 0.06, "inner_dropout": 0},
    "nin_cifar": {"width": 0.06, "inner_dropout": 0},
    "vgg11": {"width": 2},
    "vgg11_bn": {"width": 2},
    "googlenet": {"width": 0.1},
    "bn_inception": {"width": 0.1},
    "inception_v3": {"width": 0.05},
    "inception_resnet_v2": {"width": 0.1, "blocks": 1},
    "highway19": {"width": 4, "inner_dropout": 0},
    "resnet18": {"width": 4},
    "resnet50": {"width": 4},
    "wrn16_8": {"width": 1},
    "densenet121": {"growth": 4, "repeats": 1},
    "pyramidnet110_48": {"width": 4, "repeats": 1},
    "dou_screen": {"inner_dropout": 0},
    "dou_judge": {"inner_dropout": 0},
    "xception": {"width": 0.03},
    "mobilenet": {"width": 0.125},
    "efficientnet_lite0": {"width": 0.1},
    "sprint": {},
}
STYLE = {"activation": "relu", "norm": "batch", "drop_path": 0.0, "volume": "full"}

every_member = pytest.mark.parametrize("name", MEMBERS)
both_dims = pytest.mark.parametrize("dims", [2, 3])


def test_every_family_keeps_the_contract():
    assert {BODIES[name].file for name in MEMBERS} == {entry.file for entry in BODIES.values()}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(name, dims, channels=1):
    body = build_body(name, dims, channels, SIZE[dims], **MEMBERS[name])
    initialise(body, seeded())
    return body


def settled(name, dims):
    """A body in use: its norms know the images, and each block corrects its input but little.

    Fresh, the deepest ones explode without statistics, and enlarge any rounding a thousandfold.
    """
    body = make(name, dims)
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.momentum = 1.0
        last = module.correction[-1] if hasattr(module, "correction") else None
        if isinstance(last, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.constant_(last.weight, 0.1)
    with torch.no_grad():
        body(images(dims))
    return body.eval()


def apart(value, truth):
    return ((value - truth).norm() / truth.norm()).item()


def images(dims, channels=1, count=3):
    return torch.rand(count, channels, *SIZE[dims], generator=seeded(1))


@every_member
@both_dims
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shape_law(name, dims, channels):
    body = make(name, dims, channels)
    out = body(images(dims, channels))
    assert isinstance(body, Body)
    assert out.shape[:2] == (3, body.features)
    assert out.ndim == 2 + dims
    assert out.isfinite().all()
    assert tuple(out.shape[1:]) == measure_cost(body, channels, SIZE[dims]).shape


@every_member
@both_dims
def test_gradients_reach_every_weight(name, dims):
    body = make(name, dims)
    # A weighted sum: the plain one has no gradient before a norm.
    out = body(images(dims))
    (out * torch.randn(out.shape, generator=seeded(2))).sum().backward()
    for key, weight in body.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.isfinite().all(), key
        assert weight.grad.any(), key


@every_member
@both_dims
def test_channels_last_changes_nothing(name, dims):
    body, x = settled(name, dims), images(dims, count=2)
    order = layers(dims).memory_format
    with torch.no_grad():
        plain = body(x)
        turned = body.to(memory_format=order)(x.contiguous(memory_format=order))
    assert turned.is_contiguous(memory_format=order)
    assert apart(turned, plain) < 1e-4


@every_member
@both_dims
def test_bfloat16_learns_and_agrees(name, dims):
    order = layers(dims).memory_format
    body, x = make(name, dims).to(memory_format=order), images(dims)
    x = x.contiguous(memory_format=order)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        body(x).float().square().sum().backward()
    assert all(weight.grad.isfinite().all() for weight in body.parameters())
    body = settled(name, dims).to(memory_format=order)
    # Each stage by itself: rounding grows from layer to layer, in deep ones without shortcuts most.
    for stage in (body.get_submodule(name) for name in body.names):
        with torch.no_grad():
            plain = stage(x)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                mixed = stage(x).float()
        assert apart(mixed, plain) < 0.05
        x = plain


@every_member
@both_dims
def test_a_seed_gives_the_same_weights_whatever_else_was_drawn(name, dims):
    def draw(seed):
        size, options = SIZE[dims], MEMBERS[name]
        return build_classifier(name, 2, 1, size, seeded(seed), **options).state_dict()

    before = torch.get_rng_state()
    first = draw(0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    again, other = draw(0), draw(1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@every_member
@both_dims
def test_batch_mates_do_not_matter_in_use(name, dims):
    body, x = settled(name, dims), images(dims)
    with torch.no_grad():
        alone, together = body(x[:1]), body(x)[:1]
    assert apart(alone, together) < 1e-4


@every_member
@both_dims
def test_weights_return_from_a_file(name, dims, tmp_path):
    body, x = make(name, dims), images(dims)
    body(x)  # moves the statistics of the norms
    save_file(body.state_dict(), tmp_path / "weights.safetensors")
    other = build_body(name, dims, 1, SIZE[dims], **MEMBERS[name])
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    with torch.no_grad():
        assert torch.equal(body.eval()(x), other.eval()(x))


@pytest.mark.parametrize("name", BODIES)
def test_the_table_tells_what_it_holds(name):
    entry = BODIES[name]
    assert entry.family
    assert entry.paper
    assert 1980 < entry.year < 2100
    assert not {"dims", "channels", "size", "depth"} & set(entry.options)


def test_options_are_those_that_the_builders_take():
    assert BODIES["sprint"].options == {"width": None, "stem": None} | STYLE
    assert BODIES["resnet50"].options == {"width": 64} | STYLE
    assert BODIES["lenet5"].options == {"form": "paper"} | STYLE | {"norm": "plain"}


def test_depths_are_those_of_the_names():
    for depth, blocks in {18: 8, 34: 16, 50: 16, 101: 33, 152: 50}.items():
        body = build_body(f"resnet{depth}", 2, 1, (28, 28), width=4)
        assert sum(hasattr(module, "correction") for module in body.modules()) == blocks


def test_the_head_takes_its_settings():
    size = (28, 28)
    network = build_classifier("sprint", 3, 1, size, seeded(), 0.5, "mean+max", width=16)
    assert network.linear.weight.shape == (3, 2 * 64)
    assert network.dropout.p == 0.5
    assert not network.linear.bias.any()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet81", {}, "no body is called 'resnet81'; did you mean 'resnet18'"),
        ("zzz", {}, "there are: lenet5, "),
        ("sprint", {"widht": 16}, "sprint has no option 'widht'; did you mean 'width'"),
        ("vgg11", {"width": "32"}, "width of the body vgg11 is a whole number, not '32'"),
        ("sprint", {"width": "32"}, "width of the body sprint is a whole number, not '32'"),
        (
            "resnet18",
            {"drop_path": "none"},
            "drop_path of the body resnet18 is a number, not 'none'",
        ),
        ("resnet18", {"depth": 50}, "resnet18 has no option 'depth'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(name, options, message):
    with pytest.raises(SettingError, match=message):
        build_body(name, 2, 1, (28, 28), **options)


@pytest.mark.parametrize(
    ("dims", "channels", "size"), [(2, 1, (28, 28, 28)), (3, 0, (8, 8, 8)), (2, 1, (0, 8))]
)
def test_impossible_inputs_are_refused(dims, channels, size):
    with pytest.raises(SettingError, match=f"a {dims}D body wants channels and {dims} edges"):
        build_body("sprint", dims, channels, size)


def test_dims_are_checked_first():
    with pytest.raises(SettingError, match="2 or 3 axes of space, not 4"):
        build_body("sprint", 4, 1, (8, 8, 8, 8))


@every_member
@both_dims
def test_stages_are_named_and_end_where_the_body_ends(name, dims):
    body, x = settled(name, dims), images(dims, count=2)
    with torch.no_grad():
        maps, out = body.stages(x), body(x)
    assert list(maps) == list(body.names)
    assert torch.equal(maps[body.names[-1]], out)
    edges = [stage.shape[2] for stage in maps.values()]
    assert edges == sorted(edges, reverse=True)


@every_member
@both_dims
@pytest.mark.parametrize(
    ("norm", "activation"),
    [("group", "gelu"), ("instance", "silu"), ("weights", "leaky_relu"), ("plain", "relu6")],
)
def test_parts_may_be_chosen(name, dims, norm, activation):
    options, x = MEMBERS[name] | {"norm": norm, "activation": activation}, images(dims, count=1)
    if name == "lenet5":  # The form of the paper has its own parts; C5 makes one cell of 35.
        options["form"], x = "modern", torch.rand(1, 1, *(40,) * dims, generator=seeded(1))
    body = build_body(name, dims, 1, x.shape[2:], **options)
    initialise(body, seeded())
    kinds = {type(module) for module in body.modules()}
    assert kinds.isdisjoint({nn.BatchNorm2d, nn.BatchNorm3d, nn.ReLU})
    assert (nn.GroupNorm in kinds) == (norm in ("group", "instance"))
    with torch.no_grad():
        assert body(x).isfinite().all()


@every_member
def test_planes_shared_out_have_the_weights_of_pictures(name):
    flat = build_body(name, 2, 1, SIZE[2], **MEMBERS[name])
    acs = build_body(name, 3, 1, SIZE[3], volume="acs", **MEMBERS[name])
    cubes = build_body(name, 3, 1, SIZE[3], **MEMBERS[name])
    with torch.no_grad():
        assert acs.eval()(images(3)).shape == cubes.eval()(images(3)).shape
    if name not in ("lenet5", "sprint"):  # sprint's widths differ in 3D; LeNet's table is its own
        shapes = {key: value.shape for key, value in flat.state_dict().items()}
        assert {key: value.shape for key, value in acs.state_dict().items()} == shapes


@every_member
@both_dims
def test_saved_memory_changes_no_gradient(name, dims):
    def gradients(saves):
        body = make(name, dims)
        body.saves_memory = saves
        body(images(dims)).square().sum().backward()
        return body

    plain, saving = gradients(False), gradients(True)
    for (key, one), other in zip(plain.named_parameters(), saving.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, rtol=1e-4, atol=1e-5), key
    for (key, one), other in zip(plain.named_buffers(), saving.buffers(), strict=True):
        if "num_batches" not in key:
            assert torch.allclose(one, other, rtol=1e-4, atol=1e-6), key


# Whose 3D form differs by itself from the 2D form: made alike.
ALIKE = {"lenet5": {"form": "modern"}, "sprint": {"width": 16}}


@every_member
def test_a_repeated_picture_gives_an_inflated_network_what_it_gives(name):
    """In the middle of a volume so deep that no zero beyond it is seen there."""
    options = MEMBERS[name] | ALIKE.get(name, {})
    flat, volume = (build_body(name, dims, 2, (28,) * dims, **options) for dims in (2, 3))
    initialise(flat, seeded())
    for norm in flat.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 1.0
    picture = torch.rand(2, 2, 12, 12, generator=seeded(1))
    with torch.no_grad():
        flat(torch.rand(2, 2, 28, 28, generator=seeded(2)))  # its norms know some images
        assert borrow(volume, {f"body.{k}": v for k, v in flat.state_dict().items()}, "2D") == ()
        cost = measure_cost(volume, 2, (28, 12, 12))
        deep = picture[:, :, None].expand(-1, -1, cost.field[0] + cost.step[0], -1, -1)
        wanted, found = flat.eval()(picture), volume.eval()(deep)
    assert found.shape[:2] == (2, flat.features)
    assert apart(found[:, :, found.shape[2] // 2], wanted) < 1e-3


@every_member
def test_what_drops_by_chance_unasked_is_known(name):
    network = build_classifier(name, 2, 1, SIZE[2], seeded(), **MEMBERS[name])
    drops = any(isinstance(part, nn.Dropout) for part in network.modules())
    assert BODIES[name].drops == drops
