"""The methods by name: what `medclf methods` lists and what a recipe may ask for.

Each line names the method's file, which has a function `build(asked, **options)`, and what it needs
of the data. To add a method, write its file and its line here.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from medclf.errors import SettingError
from medclf.method.asked import Asked
from medclf.method.contract import Method
from medclf.net.options import Option, fit_options

Need = Literal["points", "facts", "several images", "one image", "volumes", "ranks", "domains"]


@dataclass(frozen=True)
class Entry:
    """One method.

    Args:
        file: In `method/`.
        idea: In some words.
        year: Of the paper.
        paper: Authors, title, venue; "" where there is none.
        needs: What the data must have.
    """

    file: str
    idea: str
    year: int
    paper: str
    needs: tuple[Need, ...] = ()

    @property
    def build(self) -> Callable[..., Method]:
        """The function that makes it for (asked, **options)."""
        made: Callable[..., Method] = importlib.import_module(f"medclf.method.{self.file}").build
        return made

    @property
    def options(self) -> dict[str, Option]:
        """The options that a recipe may set, with what they are if it does not."""
        taken = inspect.signature(self.build).parameters.values()
        return {one.name: one.default for one in taken if one.name != "asked"}


LENET = "LeCun et al. Gradient-Based Learning Applied to Document Recognition. Proc. IEEE 1998"
LO = "Lo et al. Artificial Convolution Neural Network Techniques and Applications. IEEE TMI 1995"
ANTONY = "Antony et al. Quantifying Radiographic Knee Osteoarthritis Severity. ICPR 2016"
ILSE = "Ilse, Tomczak, Welling. Attention-based Deep Multiple Instance Learning. ICML 2018"
SETIO = "Setio et al. Pulmonary Nodule Detection in CT Images. IEEE TMI 2016"
ROTH = "Roth et al. A New 2.5D Representation for Lymph Node Detection. MICCAI 2014"
PRASOON = "Prasoon et al. Deep Feature Learning for Knee Cartilage Segmentation. MICCAI 2013"
JI = "Ji et al. 3D Convolutional Neural Networks for Human Action Recognition. IEEE TPAMI 2013"
KUMAR = "Kumar, Wong, Clausi. Lung Nodule Classification Using Deep Features. CRV 2015"
SHEN = "Shen et al. Multi-scale Convolutional Neural Networks for Lung Nodule. IPMI 2015"
GHAFOORIAN = "Ghafoorian et al. Location Sensitive Deep Convolutional Neural Networks. 2017"
GAO = "Gao, Lin, Wong. Automatic Feature Learning to Grade Nuclear Cataracts. IEEE TBME 2015"
CHANG = "Chang et al. Domain-Specific Batch Normalization. CVPR 2019"
PEREZ = "Perez et al. FiLM: Visual Reasoning with a General Conditioning Layer. AAAI 2018"

METHODS: dict[str, Entry] = {
    "whole_image": Entry(
        "whole_image", "one network sees the picture or the volume as it is", 1998, LENET
    ),
    "patch": Entry("patch", "a patch around a marked point", 1995, LO, ("points",)),
    "ordered_grade": Entry(
        "ordered_grade", "grades that rank, as steps and as a number", 2016, ANTONY, ("ranks",)
    ),
    "exam_bag": Entry(
        *("exam_bag", "all images of an exam, any number of them", 2018, ILSE),
        ("several images",),
    ),
    "multi_view": Entry(
        "multi_view",
        "nine planes of symmetry through a volume",
        2016,
        SETIO,
        ("volumes", "one image"),
    ),
    "random_views": Entry(
        *("random_views", "randomly turned triplets of crossing planes", 2014, ROTH),
        ("volumes",),
    ),
    "three_planes": Entry(
        "three_planes",
        "axial, coronal and sagittal planes",
        2013,
        PRASOON,
        ("volumes", "one image"),
    ),
    "volume": Entry("volume", "3D convolution over the volume", 2013, JI, ("volumes",)),
    "near_and_far": Entry(
        "near_and_far",
        "the middle and its surroundings, at several scales",
        2015,
        SHEN,
        ("one image",),
    ),
    "placed_patch": Entry(
        *("placed_patch", "a patch that knows where in the body it lies", 2017, GHAFOORIAN),
        ("points",),
    ),
    "filters_then_sequence": Entry(
        "filters_then_sequence", "slices or patches read in order", 2015, GAO, ("one image",)
    ),
    "code_then_tree": Entry(
        "code_then_tree", "a code learnt without labels, then a tree to be read", 2015, KUMAR
    ),
    "image_and_facts": Entry(
        "image_and_facts", "pixels with what is known of the patient", 2018, PEREZ, ("facts",)
    ),
    "any_modality": Entry(
        *("any_modality", "one model for many scanners, modalities and data sets", 2019, CHANG),
        ("domains",),
    ),
}


COPIED = frozenset(
    ("whole_image", "patch", "ordered_grade", "volume", "any_modality", "code_then_tree")
)
"""Methods that see an image whole, and so average its shifted copies in use."""


def find_method(name: str, others: Iterable[str] = ()) -> Entry:
    """Find a method by name.

    Args:
        name: Of the method.
        others: Further names that may have been meant.

    Raises:
        SettingError: there is none; the nearest name is told.
    """
    if name not in METHODS:
        near = get_close_matches(name, [*METHODS, *others], n=1, cutoff=0.0)[0]
        raise SettingError(f"no method is called {name!r}; did you mean {near!r}?")
    return METHODS[name]


def make_method(name: str, asked: Asked, options: Mapping[str, Option]) -> Method:
    """Build a method.

    Raises:
        SettingError: there is no such method or option, an option has another value than it may
            have, or the method does not serve such exams.
    """
    entry = find_method(name)
    for option in options:
        if option not in entry.options:
            known = ", ".join(entry.options) or "none"
            raise SettingError(f"the method {name} has no option {option!r}; its options: {known}")
    return entry.build(asked, **fit_options(f"the method {name}", entry.build, options))
