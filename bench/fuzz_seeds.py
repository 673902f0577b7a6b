"""The files that `bench/fuzz.py` damages: one small file of each form that medclf reads.

Those of DICOM come from pydicom's package, one of each transfer syntax and kind of pixels; all
others are written here.
"""

import bz2
import gzip
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import tifffile
from PIL import Image as Pillow
from pydicom import dcmread
from pydicom.data import get_testdata_file

RNG = np.random.default_rng(0)
PICTURE = (np.add.outer(np.arange(24), np.arange(20)) * 5 + RNG.integers(0, 9, (24, 20))).astype(
    "u1"
)
DEEP = PICTURE.astype(np.uint16) * 200
VOLUME = np.stack([DEEP + n for n in range(6)]).astype(np.int16)
COLOURS = np.stack([PICTURE, PICTURE[::-1], PICTURE[:, ::-1]], -1)

DICOM = (
    *("CT_small", "MR_small_implicit", "MR_small_bigendian", "MR_small_RLE", "image_dfl"),
    *("MR_small_jpeg_ls_lossless", "MR_small_jp2klossless", "JPGExtended", "SC_rgb_small_odd_jpeg"),
    *("SC_rgb_jpeg_gdcm", "SC_rgb_jls_lossy_line", "SC_rgb_rle_2frame", "rtdose", "liver_1frame"),
    *(
        "SC_rgb_jpeg_dcmtk",
        "SC_rgb_gdcm_KY",
        "SC_ybr_full_422_uncompressed",
        "JPEGLSNearLossless_16",
    ),
)


def same(raw: bytes) -> bytes:
    """Keep bytes as they are."""
    return raw


@dataclass(frozen=True)
class Seed:
    """A sound file.

    Args:
        name: Names it in the table.
        file: Its file's name.
        inner: Its bytes, before they are packed.
        pack: Packs them, or mends their checksums, so that damage reaches the decoder.
        claims: Where it claims sizes: the place within `inner` and the form of the number.
        summed: Whether a checksum guards the pixels, so that other values are a silent misread.
        index: The number of the image where the file packs many.
        beside: Files that must lie beside it, by their names or by paths with slashes.
        find: What is searched for DICOM series, below the folder in which all lie: "" for the
            folder itself; `None` where the file is read by its name.
        several: Whether the file and those beside it are parts of one image.
    """

    name: str
    file: str
    inner: bytes
    pack: Callable[[bytes], bytes] = same
    claims: tuple[tuple[int, str], ...] = ()
    summed: bool = False
    index: int | None = None
    beside: dict[str, bytes] = field(default_factory=dict)
    find: str | None = None
    several: bool = False


def make_seeds() -> dict[str, Seed]:
    """Make the table."""
    seeds = [
        *_dicom(),
        *_pictures(),
        *_volumes(),
        Seed("npy", "a.npy", _npy(VOLUME), claims=((61, "S10"), (66, "S6"), (8, "<H"))),
        Seed("npz", "a.npz", _npy(VOLUME), _zip("a.npy"), summed=True),
        Seed("IDX", "train-images-idx3-ubyte", _idx(), claims=_at(">I", 4, 8, 12), index=2),
        Seed("IDX gzip", "train-images-idx3-ubyte.gz", _idx(), gzip.compress, summed=True, index=2),
        Seed("CIFAR-10", "data_batch_1", _cifar(), index=1),
    ]
    return {seed.name: seed for seed in seeds}


def _at(form: str, *places: int) -> tuple[tuple[int, str], ...]:
    return tuple((place, form) for place in places)


def _dicom() -> list[Seed]:
    seeds = []
    for name in DICOM:
        path = Path(get_testdata_file(f"{name}.dcm", download=False))
        dataset = dcmread(path)
        big = ">" if dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.2" else "<"
        keys = (0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280101)
        deflated = name == "image_dfl"
        places = [] if deflated else [dataset.get_item(key).value_tell for key in keys]
        seeds.append(
            Seed(f"DICOM {name}", "a.dcm", path.read_bytes(), claims=_at(f"{big}H", *places))
        )
    return seeds


def _pillow(values: np.ndarray, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(values).save(stream, form, **options)
    return stream.getvalue()


def _tiff(values: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


def mend_png(raw: bytes) -> bytes:
    """Set every chunk's checksum right."""
    mended, place = bytearray(raw), 8
    while place + 12 <= len(raw):
        end = place + 8 + int.from_bytes(raw[place : place + 4], "big")
        if end + 4 > len(raw):
            break
        mended[end : end + 4] = zlib.crc32(raw[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(mended)


def _pictures() -> list[Seed]:
    jpeg = _pillow(PICTURE, "JPEG")
    sof = jpeg.index(b"\xff\xc0")
    palette = io.BytesIO()
    Pillow.fromarray(COLOURS).quantize(16).save(palette, "PNG")
    sizes = {"claims": _at(">I", 16, 20), "pack": mend_png, "summed": True}
    bmp = _pillow(COLOURS, "BMP")
    plain = _tiff(VOLUME)
    return [
        Seed("PNG", "a.png", _pillow(COLOURS, "PNG"), **sizes),
        Seed("PNG 16 bit", "a.png", _pillow(DEEP, "PNG"), **sizes),
        Seed("PNG palette", "a.png", palette.getvalue(), **sizes),
        Seed("JPEG", "a.jpg", jpeg, claims=_at(">H", sof + 5, sof + 7)),
        Seed("JPEG colour", "a.jpg", _pillow(COLOURS, "JPEG", progressive=True)),
        Seed("BMP", "a.bmp", bmp, claims=_at("<I", 18, 22, 10)),
        Seed("TIFF pages", "a.tif", plain, claims=_at("<I", 4, 18, 30, 42)),
        Seed("TIFF deflate", "a.tif", _tiff(COLOURS, compression="zlib", photometric="rgb")),
        Seed("TIFF LZW", "a.tif", _tiff(DEEP, compression="lzw")),
        Seed("TIFF JPEG", "a.tif", _tiff(COLOURS, compression="jpeg", photometric="rgb")),
        Seed("TIFF tiled", "a.tif", _tiff(DEEP, tile=(16, 16), compression="packbits")),
        Seed("BigTIFF", "a.tif", _tiff(VOLUME, bigtiff=True)),
    ]


def _volumes() -> list[Seed]:
    data = VOLUME.tobytes()
    one, two = (
        kind(VOLUME.T, np.diag([1.0, 2.0, 3.0, 1.0])).to_bytes()
        for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image)
    )
    first = {"claims": _at("<h", 40, 42, 44, 46, 48, 70, 72)}
    sizes = "DimSize = 20 24 6\nElementSpacing = 1 1 2\nElementType = MET_SHORT\n"
    meta = f"ObjectType = Image\nNDims = 3\n{sizes}"
    packed = zlib.compress(data)
    tail = f"CompressedData = True\nCompressedDataSize = {len(packed)}\nElementDataFile = LOCAL\n"
    nrrd = "NRRD0004\ntype: short\ndimension: 3\nsizes: 20 24 6\nendian: little\nencoding: {}\n\n"
    text = " ".join(map(str, VOLUME.ravel())).encode()
    digits = (meta.index("20 24"), "S2"), (meta.index("24 6"), "S2")
    return [
        Seed("NIfTI-1", "a.nii", one, **first),
        Seed("NIfTI-1 gzip", "a.nii.gz", one, gzip.compress, summed=True, **first),
        Seed("NIfTI-2", "a.nii", two, claims=_at("<q", 16, 24, 32, 40, 168)),
        Seed(
            "MetaImage", "a.mha", f"{meta}ElementDataFile = LOCAL\n".encode() + data, claims=digits
        ),
        Seed("MetaImage zlib", "a.mha", f"{meta}{tail}".encode() + packed, claims=digits),
        Seed(
            "MetaImage pair",
            "a.mhd",
            f"{meta}ElementDataFile = a.raw\n".encode(),
            beside={"a.raw": data},
        ),
        Seed("NRRD", "a.nrrd", nrrd.format("raw").encode() + data, claims=((45, "S2"), (48, "S2"))),
        Seed("NRRD gzip", "a.nrrd", nrrd.format("gzip").encode() + gzip.compress(data)),
        Seed("NRRD bzip2", "a.nrrd", nrrd.format("bzip2").encode() + bz2.compress(data)),
        Seed("NRRD text", "a.nrrd", nrrd.format("ascii").encode() + text),
        _analyze(),
    ]


def _analyze() -> Seed:
    image = nibabel.AnalyzeImage(VOLUME.T, np.eye(4))
    files = image.make_file_map({"image": io.BytesIO(), "header": io.BytesIO()})
    image.to_file_map(files)
    header, pixels = (files[part].fileobj.getvalue() for part in ("header", "image"))
    return Seed(
        "Analyze", "a.hdr", header, claims=_at("<h", 40, 42, 44, 46, 70), beside={"a.img": pixels}
    )


def _npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def _zip(member: str) -> Callable[[bytes], bytes]:
    def pack(raw: bytes) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, raw)
        return stream.getvalue()

    return pack


def _idx() -> bytes:
    values = np.stack([PICTURE] * 5)
    return bytes([0, 0, 8, 3]) + struct.pack(">3I", *values.shape) + values.tobytes()


def _cifar() -> bytes:
    pictures = RNG.integers(0, 256, (4, 3072), np.uint8)
    return pickle.dumps({b"data": pictures, b"labels": [0, 1, 2, 3], b"batch_label": b"b"}, 2)
