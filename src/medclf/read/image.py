"""One image, wherever it lies and whatever its form.

What the first bytes say decides, since names lie; the name decides only for DICOM files that
lack their signature. Images that lie packed with others are taken from the data set's own
reader. NaN and infinite values are refused here, for every form alike.
"""

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import read_bytes, read_start
from medclf.read.datasets.table import DATASETS
from medclf.read.dicom.file import read_dicom
from medclf.read.dicom.series import read_series
from medclf.read.forms import name_form, read_form
from medclf.read.partners import PARTNER_SUFFIXES
from medclf.read.refuse import legible
from medclf.read.values import are_finite

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")

IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"),
    *DICOM_SUFFIXES,
    *(".nii", ".nii.gz", ".hdr", ".mha", ".mhd", ".nrrd", ".nhdr", ".npy", ".npz"),
)


def looks_like_image(name: str) -> bool:
    """Tell by a file's name whether it should be an image; hidden files are not.

    Example:
        >>> looks_like_image("train/NORMAL/IM-0001.jpeg"), looks_like_image("labels.csv")
        (True, False)
    """
    file = name.replace("\\", "/").rpartition("/")[2].lower()
    return file.endswith(IMAGE_SUFFIXES) and not file.startswith(".")


def is_image(source: Source) -> bool:
    """Tell whether a file should be an image: by its name, or by DICOM's signature if it has none.

    Scanners export files without a suffix, or named by numbers with dots: of those the first 132
    bytes are looked at. DICOMDIR, the index of a disc, bears the signature too and is no image.

    Raises:
        ReadError: such a file cannot be opened.
    """
    name = PurePosixPath(source.member or source.path.name)
    if looks_like_image(name.name):
        return True
    numbered = not name.suffix or name.suffix[1:].isdigit()
    if name.name.startswith(".") or name.name == "DICOMDIR" or not numbered:
        return False
    return read_start(source, 132)[128:] == b"DICM"


def read_image(source: Source) -> Image:
    """Read one image.

    Args:
        source: A file, a member of an archive, one image of those packed in either, or the parts
            of a DICOM series.

    Returns:
        Values (C, Y, X) or (C, Z, Y, X), behind an axis of phases where there are any, that belong
        to the caller, in native byte order; the remarks of its source come before its own.

    Raises:
        ReadError: absent, empty, damaged, cut short, too large, of no known form, or with values
            that are not finite. The message is one line of letters that can be printed.
    """
    try:
        with np.errstate(all="ignore"):  # What damaged numbers come to is judged by what follows.
            image = _read(source)
    except ReadError as problem:
        raise ReadError(legible(str(problem), str(source))) from problem
    if not are_finite(image.values):
        raise ReadError(f"{source}: holds pixels that are no numbers (NaN or infinite)")
    if not source.remarks:
        return image
    return replace(image, remarks=(*source.remarks, *image.remarks))


def _read(source: Source) -> Image:
    if source.parts:
        return read_series(source)
    return _read_packed(source) if source.index is not None else _read_file(source)


def _read_file(source: Source) -> Image:
    raw, where = read_bytes(source), str(source)
    if not raw:
        raise ReadError(f"{where}: the file is empty")
    image = read_form(raw, source)
    if image is not None:
        return image
    if where.lower().endswith(DICOM_SUFFIXES):
        return read_dicom(raw, where)
    if where.lower().endswith(PARTNER_SUFFIXES):
        raise ReadError(f"{where}: pixels without a header: name the header beside them instead")
    raise ReadError(
        f"{where}: an image wanted ({' '.join(IMAGE_SUFFIXES)}), found {name_form(raw)}"
    )


def _read_packed(source: Source) -> Image:
    for dataset in DATASETS:
        if dataset.packs(source):
            return dataset.read_packed(source)
    raise ReadError(f"{source}: no known file that packs images")
