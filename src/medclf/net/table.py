"""The bodies by name: what `medclf nets` lists and what a recipe may ask for.

Each line names the family's file, which has a function `build(dims, channels, size, style,
**options)`, and what it fixes of its options. To add a body, write its file and its line here; the
file is imported only when the body is asked for.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches

import torch
from torch import Generator

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.head import Classifier
from medclf.net.nd import layers
from medclf.net.options import Option, fit_options
from medclf.net.start import initialise
from medclf.net.style import Style

INPUT = ("dims", "channels", "size", "style")
STYLE = {one.name: one.default for one in fields(Style) if one.name != "epsilon"}


@dataclass(frozen=True)
class Entry:
    """One body.

    Args:
        file: Of the family, in `net/family`.
        family: The architecture that it is a member of.
        year: Of the paper.
        paper: Authors, title, venue.
        fixed: The options that make the member of the family.
        style: Norm and activation of the paper, where they are not batch norm and ReLU.
        counted: Layers, as the paper counts them, where no fixed option says so.
        drops: Whether something drops by chance in training that no option rules.
    """

    file: str
    family: str
    year: int
    paper: str
    fixed: Mapping[str, Option] = field(default_factory=dict)
    style: Style = Style()
    counted: int | None = None
    drops: bool = False

    @property
    def depth(self) -> int | None:
        """Layers, as the paper counts them; `None` where the size of the input decides."""
        depth = self.fixed.get("depth", self.counted)
        return depth if isinstance(depth, int) else None

    @property
    def build(self) -> Callable[..., Body]:
        """The function that makes it for (dims, channels, size, style, **options)."""
        made: Callable[..., Body] = importlib.import_module(f"medclf.net.family.{self.file}").build
        return made

    @property
    def options(self) -> dict[str, Option]:
        """The options that a recipe may set, with what they are if it does not."""
        taken = inspect.signature(self.build).parameters.values()
        own = {
            option.name: option.default
            for option in taken
            if option.name not in (*INPUT, *self.fixed)
        }
        return own | {name: getattr(self.style, name) for name in STYLE}


LENET = "LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition"
ALEXNET = "Krizhevsky. One Weird Trick for Parallelizing Convolutional Neural Networks. 2014"
IMAGENET = "Krizhevsky, Sutskever, Hinton. ImageNet Classification with Deep Convolutional Neural"
ZFNET = "Zeiler, Fergus. Visualizing and Understanding Convolutional Networks. ECCV 2014"
NIN = "Lin, Chen, Yan. Network in Network. ICLR 2014"
VGG = "Simonyan, Zisserman. Very Deep Convolutional Networks for Large-Scale Image Recognition"
GOOGLENET = "Szegedy et al. Going Deeper with Convolutions. CVPR 2015"
BATCH_NORM = "Ioffe, Szegedy. Batch Normalization: Accelerating Deep Network Training by Reducing"
INCEPTION = "Szegedy et al. Rethinking the Inception Architecture for Computer Vision. CVPR 2016"
INCEPTION_RESNET = "Szegedy et al. Inception-v4, Inception-ResNet and the Impact of Residual"
RESNET = "He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016"
XCEPTION = "Chollet. Xception: Deep Learning with Depthwise Separable Convolutions. CVPR 2017"
MOBILENET = "Howard et al. MobileNets: Efficient Convolutional Neural Networks for Mobile Vision"
EFFICIENTNET = "Tan, Le. EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
HIGHWAY = "Srivastava, Greff, Schmidhuber. Training Very Deep Networks. NeurIPS 2015"
WIDE = "Zagoruyko, Komodakis. Wide Residual Networks. BMVC 2016"
DENSENET = "Huang et al. Densely Connected Convolutional Networks. CVPR 2017"
PYRAMIDNET = "Han, Kim, Kim. Deep Pyramidal Residual Networks. CVPR 2017"
DOU = "Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D Convolutional"
WIGHTMAN = "Wightman. PyTorch Image Models. 2019"
FOREIGN = "timm:"
PLAIN = Style(norm="plain")
COARSE = Style(epsilon=1e-3)
LITE = Style(activation="relu6", epsilon=1e-3)

BODIES: dict[str, Entry] = {
    "lenet5": Entry(
        "lenet", "LeNet", 1998, f"{LENET}. Proceedings of the IEEE 1998", {}, PLAIN, counted=5
    ),
    "alexnet": Entry("alexnet", "AlexNet", 2014, ALEXNET, {"towers": 1}, PLAIN, counted=8),
    "alexnet2012": Entry(
        *("alexnet", "AlexNet", 2012, f"{IMAGENET} Networks. NeurIPS 2012"),
        *({"towers": 2}, PLAIN, 8),
    ),
    "zfnet": Entry("zfnet", "ZFNet", 2013, ZFNET, {}, PLAIN, counted=8),
    "nin": Entry("nin", "Network in Network", 2013, NIN, {"form": "imagenet"}, PLAIN, 12),
    "nin_cifar": Entry("nin", "Network in Network", 2013, NIN, {"form": "cifar"}, PLAIN, 9),
    "vgg11": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 11}, PLAIN),
    "vgg13": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 13}, PLAIN),
    "vgg16": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 16}, PLAIN),
    "vgg19": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 19}, PLAIN),
    "vgg11_bn": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 11}),
    "vgg13_bn": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 13}),
    "vgg16_bn": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 16}),
    "vgg19_bn": Entry("vgg", "VGG", 2014, f"{VGG}. ICLR 2015", {"depth": 19}),
    "googlenet": Entry("googlenet", "GoogLeNet", 2014, GOOGLENET, {}, COARSE, 22, drops=True),
    "bn_inception": Entry(
        *("bn_inception", "BN-Inception", 2015),
        f"{BATCH_NORM} Internal Covariate Shift. ICML 2015",
        counted=34,
    ),
    "inception_v3": Entry("inception_v3", "Inception v3", 2015, INCEPTION, {}, COARSE, 42),
    "inception_resnet_v2": Entry(
        *("inception_resnet", "Inception-ResNet", 2016),
        f"{INCEPTION_RESNET} Connections on Learning. AAAI 2017",
        *({}, COARSE, 176),
    ),
    "highway19": Entry("highway", "Highway Network", 2015, HIGHWAY, {"depth": 19}, PLAIN),
    "highway32": Entry("highway", "Highway Network", 2015, HIGHWAY, {"depth": 32}, PLAIN),
    "resnet18": Entry("resnet", "ResNet", 2015, RESNET, {"depth": 18}),
    "resnet34": Entry("resnet", "ResNet", 2015, RESNET, {"depth": 34}),
    "resnet50": Entry("resnet", "ResNet", 2015, RESNET, {"depth": 50}),
    "resnet101": Entry("resnet", "ResNet", 2015, RESNET, {"depth": 101}),
    "resnet152": Entry("resnet", "ResNet", 2015, RESNET, {"depth": 152}),
    **{
        f"wrn{depth}_{widen}": Entry(
            "wide_resnet", "Wide ResNet", 2016, WIDE, {"depth": depth, "widen": widen}
        )
        for depth, widen in ((28, 10), (16, 8))
    },
    **{
        f"wide_resnet{depth}_2": Entry(
            *("wide_resnet", "Wide ResNet", 2016, WIDE),
            {"depth": depth, "widen": 2, "inner_dropout": 0.0},
        )
        for depth in (50, 101)
    },
    "densenet121": Entry("densenet", "DenseNet", 2016, DENSENET, {"depth": 121}),
    "densenet161": Entry("densenet", "DenseNet", 2016, DENSENET, {"depth": 161, "growth": 48}),
    "densenet169": Entry("densenet", "DenseNet", 2016, DENSENET, {"depth": 169}),
    "densenet201": Entry("densenet", "DenseNet", 2016, DENSENET, {"depth": 201}),
    **{
        f"densenet_bc_{depth}_{growth}": Entry(
            "densenet", "DenseNet", 2016, DENSENET, {"depth": depth, "growth": growth}
        )
        for depth, growth in ((100, 12), (190, 40))
    },
    **{
        f"pyramidnet{depth}_{alpha}": Entry(
            "pyramidnet", "PyramidNet", 2016, PYRAMIDNET, {"depth": depth, "alpha": alpha}
        )
        for depth, alpha in (
            *((110, 48), (110, 84), (110, 270)),
            *((164, 270), (200, 240), (236, 220), (272, 200)),
        )
    },
    **{
        f"dou_{form}": Entry(
            *("dou", "Dou", 2016, f"{DOU} Neural Networks. IEEE TMI 2016"),
            *({"form": form}, PLAIN, 5),
        )
        for form in ("screen", "judge")
    },
    "xception": Entry("xception", "Xception", 2016, XCEPTION, counted=36),
    "mobilenet": Entry(
        "mobilenet", "MobileNet", 2017, f"{MOBILENET} Applications. 2017", counted=28
    ),
    **{
        f"mobilenet_{round(width * 100):03}": Entry(
            *("mobilenet", "MobileNet", 2017, f"{MOBILENET} Applications. 2017"),
            {"width": width},
            counted=28,
        )
        for width in (0.75, 0.5, 0.25)
    },
    "efficientnet_lite0": Entry(
        *("efficientnet_lite", "EfficientNet-Lite", 2019, f"{EFFICIENTNET}. ICML 2019"),
        *({}, LITE, 18),
    ),
    "sprint": Entry("sprint", "Sprint", 2026, "none: made here for the speed of a CPU"),
}


def find_entry(name: str) -> Entry:
    """Find a body by name.

    Args:
        name: A key of `BODIES`, or "timm:" and a name of timm.

    Raises:
        SettingError: there is none; the nearest name is told.
    """
    if name.startswith(FOREIGN):
        return Entry("timm", "timm", 2019, WIGHTMAN, {"name": name.removeprefix(FOREIGN)})
    if name not in BODIES:
        raise SettingError(f"no body is called {name!r}{nearest(name, BODIES)}")
    return BODIES[name]


def build_body(
    name: str, dims: int, channels: int, size: Sequence[int], /, **options: Option
) -> Body:
    """Build a body for an input; its weights wait for `initialise` or for a file.

    Args:
        name: A key of `BODIES`, or "timm:" and a name of timm.
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        size: Edges of the input in samples, z first, one per axis.
        options: Those of the entry; activation, norm, drop_path and volume among them.

    Raises:
        SettingError: the name, an option or its value is unknown, or the input is impossible.

    Example:
        >>> build_body("sprint", 2, 1, (28, 28), width=16).features
        64
    """
    entry = find_entry(name)
    layers(dims)
    if len(size) != dims or min(size) < 1 or channels < 1:
        found = f"{channels} channels of size {tuple(size)}"
        raise SettingError(f"a {dims}D body wants channels and {dims} edges from 1 up, not {found}")
    for option in options:
        if option not in entry.options:
            near = nearest(option, entry.options)
            raise SettingError(f"the body {name} has no option {option!r}{near}")
    styled = {k: v for k, v in options.items() if k in STYLE}
    style = replace(entry.style, **fit_options(f"the body {name}", Style, styled))
    own = {k: v for k, v in options.items() if k not in STYLE}
    own = fit_options(f"the body {name}", entry.build, own)
    if least := [k for k, v in own.items() if type(v) is int and v < 1]:
        found = f"the option {least[0]} of the body {name} is at least 1, not {own[least[0]]}"
        raise SettingError(found)
    # torch draws weights as it makes a layer: that must not move the caller's random numbers.
    with torch.random.fork_rng(devices=[]):
        body = entry.build(dims, channels, tuple(size), style, **entry.fixed, **own)
    if style.drop_path and not any(hasattr(m, "chance") for m in body.modules()):
        raise SettingError(f"the body {name} has no shortcuts, which drop_path needs")
    return body


def build_classifier(
    name: str,
    outputs: int,
    channels: int,
    size: Sequence[int],
    generator: Generator,
    dropout: float = 0.0,
    pool: str = "mean",
    /,
    **options: Option,
) -> Classifier:
    """Build and initialise a body with its head, 2D or 3D as `size` has edges.

    Args:
        name: A key of `BODIES`, or "timm:" and a name of timm.
        outputs: Logits, as `Task.outputs` says.
        channels: Channels of the input.
        size: Edges of the input in samples, z first.
        generator: Draws the weights.
        dropout: Share of the pooled features dropped in training.
        pool: "mean", "mean+max" or "dense", as `Classifier` has it.
        options: Those of the entry.

    Raises:
        SettingError: as `build_body` and `Classifier`.
    """
    body = build_body(name, len(size), channels, size, **options)
    with torch.random.fork_rng(devices=[]):
        network = Classifier(body, outputs, dropout, pool)
    initialise(network, generator)
    return network


def nearest(name: str, known: Mapping[str, object]) -> str:
    """Say which known name comes nearest, or all of them where none is near."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known) or 'none'}"
