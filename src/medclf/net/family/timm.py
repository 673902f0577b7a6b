"""Any network of timm as a body, by `timm:NAME`, for pictures.

timm has over a thousand; those whose last map has two axes of space will do. They are built as
timm builds them: their strides, norms and activations are not ours to choose. As their parts do not
follow each other by rule, such a body is one stage where a part of it is to learn; its maps are
told by the names that timm gives them all the same.

Source: Wightman. PyTorch Image Models. 2019.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.source import HALF, Rules, Source
from medclf.net.style import Style

CHECKED = re.compile(r"-[0-9a-f]{8,}\.(pth|safetensors)$")

TIMM: Rules = ((r"^", "body.network.model."),)


class Foreign(Body):
    """A network of timm without its head.

    Args:
        name: As timm knows it.
        channels: Channels of the input.
        size: Edges of the input.

    Shape:
        (B, channels, Y, X) -> (B, features, Y', X')

    Raises:
        SettingError: timm is not installed, has no such network, or it does not give a map.
    """

    network: "Network"

    def __init__(self, name: str, channels: int, size: Sequence[int]) -> None:
        model = _make(name, channels)
        super().__init__(2, {"network": Network(model)}, _features(name, channels, size))
        self.name, self.channels = name, channels
        told = getattr(model, "feature_info", [])
        known = dict(model.named_modules())
        self.inner = tuple(one["module"] for one in told if one.get("module") in known)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Give the maps that timm names, shallow to deep, and then the last."""
        model, maps = self.network.model, dict[str, Tensor]()
        hooks = [
            model.get_submodule(name).register_forward_hook(partial(_keep, maps, name))
            for name in self.inner
        ]
        try:
            last = self(x)
        finally:
            for hook in hooks:
                hook.remove()
        return maps | {"network": last}

    def draw(self, generator: Generator) -> None:
        """Draw weights as timm does."""
        seed = int(torch.randint(2**62, (), generator=generator))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = _make(self.name, self.channels)
        self.network.model.load_state_dict(fresh.state_dict())


class Network(nn.Module):
    """What of a network of timm comes before its head."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.model.forward_features(x)
        return out


def _keep(maps: dict[str, Tensor], name: str, part: nn.Module, given: Any, out: Tensor) -> None:
    if isinstance(out, Tensor) and out.ndim == 4:
        maps[name] = out


def build(dims: int, channels: int, size: Sequence[int], style: Style, name: str) -> Foreign:
    """Build a network of timm.

    Raises:
        SettingError: as `Foreign`; or the input is a volume, or a part of the network was chosen.
    """
    if dims != 2:
        raise SettingError(f"timm:{name} is for pictures, and these are volumes")
    if style != Style():
        raise SettingError(f"timm:{name} is built as timm has it: no part of it may be chosen")
    return Foreign(name, channels, size)


def find_published(name: str) -> Source:
    """Find the weights of a network whose file bears its checksum.

    Raises:
        SettingError: timm has none of that kind.
    """
    _import()
    from timm.models import get_pretrained_cfg

    told: Any = get_pretrained_cfg(name)
    url = told.url if told is not None else ""
    if not url or not CHECKED.search(url):
        raise SettingError(f"timm publishes no weights with a checksum for {name}")
    place, _, file = url.rpartition("/")
    mean, deviation = told.mean or HALF, told.std or HALF
    return Source(file, place, "TIMM", 0.0, (), mean, deviation, told.input_size[-1])


def take_published(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the weights of a file the names of today, which timm alone knows.

    Raises:
        SettingError: they are weights of another network.
    """
    try:
        state: dict[str, Tensor] = _make(name, 3, dict(tensors)).state_dict()
    except (KeyError, RuntimeError) as problem:
        said = " ".join(str(problem).split())[:200]
        raise SettingError(f"weights of another network than timm:{name}: {said}") from problem
    return state


def _import() -> Any:
    try:
        import timm
    except ModuleNotFoundError as problem:
        raise SettingError(
            "timm:NAME wants timm, which is not installed: "
            "pip install '.[timm]' in the clone of medclf"
        ) from problem
    return timm


def _make(name: str, channels: int, tensors: dict[str, Tensor] | None = None) -> Any:
    timm = _import()
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"timm has no network {name!r}{hint}")
    given = {"in_chans": channels, "num_classes": 0}
    if tensors is None:
        return timm.create_model(name, **given)
    overlay = {"state_dict": tensors}
    return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **given)


def _features(name: str, channels: int, size: Sequence[int]) -> int:
    """Ask a network without values what it gives for an input of this size."""
    with torch.device("meta"), torch.no_grad():
        try:
            out = _make(name, channels).eval().forward_features(torch.empty(1, channels, *size))
        except (AssertionError, RuntimeError, TypeError, ValueError) as problem:
            said = str(problem).strip().partition("\n")[0]
            raise SettingError(
                f"timm:{name} takes no picture of {tuple(size)}: {said}"
            ) from problem
    if not isinstance(out, Tensor) or out.ndim != 4 or out.shape[1] < out.shape[3]:
        raise SettingError(f"timm:{name} gives no map of features, which a body must give")
    return int(out.shape[1])
