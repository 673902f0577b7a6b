"""DICOM images in several files for `bench/fuzz.py`: one of them, or what packs them, is damaged.

All are written here, by the generator of hard cases.
"""

import io
import tarfile
from collections.abc import Callable, Sequence
from zipfile import ZIP_DEFLATED, ZipFile

from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from fuzz_seeds import Seed
from medclf.curate.phantom.hard.enhanced import make_file
from medclf.curate.phantom.hard.parts import IN_ORDER, split_file
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import make_stack
from medclf.curate.phantom.hard.syntaxes import PACKED
from medclf.read.quiet import PYDICOM

SLAB = Slab(shape=(5, 20, 24))
COMPRESSED = ("JPEG lossless", "JPEG-LS lossless", "JPEG 2000 lossless")
FOLDER, DISC, HURT = "", "DICOMDIR", 2
"""What is searched below the folder of a seed, and the number of the file that is damaged."""

_SIZES = (0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280101)


def make_series() -> dict[str, Seed]:
    """Make the table."""
    plain = _files(make_stack(Field(), SLAB))
    parts = _files(split_file(make_file(IN_ORDER, Slab())))
    seeds = [
        _seed("series", plain),
        _seed(
            "series MR implicit", _files(make_stack(Field(), SLAB, "MR"), ImplicitVRLittleEndian)
        ),
        *(_seed(f"series {name}", _files(_packed(name))) for name in COMPRESSED),
        _seed("series in phases", _files(_phases())),
        _seed("series PET", _files(make_stack(Field(), SLAB, "PT", Units="BQML"))),
        _seed("series, its files named", plain, find=None),
        _seed("concatenation", parts),
        _seed("concatenation, its files named", parts, find=None),
        _seed("zip of a series", plain, pack=_zip(plain), packed="a.zip"),
        _seed("zip of a concatenation", parts, pack=_zip(parts), packed="a.zip"),
        _seed("tar of a series", plain, pack=_tar(plain), packed="a.tar.gz"),
        _disc(plain),
    ]
    return {seed.name: seed for seed in seeds}


def _files(datasets: Sequence[Dataset], syntax: UID | None = None) -> list[bytes]:
    """Write data sets as the bytes of files."""
    written = []
    for dataset in datasets:
        if syntax is not None:
            dataset.file_meta.TransferSyntaxUID = syntax
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        stream = io.BytesIO()
        dcmwrite(stream, dataset, enforce_file_format=True)
        written.append(stream.getvalue())
    return written


def _packed(name: str) -> list[Dataset]:
    """Compress the pixels of slices."""
    uid, encode, _, _ = PACKED[name]
    stack = make_stack(Field(), SLAB)
    for dataset in stack:
        stored = dataset.pixel_array
        dataset.file_meta.TransferSyntaxUID = UID(uid)
        dataset.PixelData = encapsulate([encode(stored)])
        dataset["PixelData"].VR = "OB"
    return stack


def _phases() -> list[Dataset]:
    """Two moments of the same places."""
    early, late = (
        make_stack(Field(), SLAB, "MR", 10 * moment, TriggerTime=40.0 * moment)
        for moment in range(2)
    )
    return [*early, *late]


def _name(number: int) -> str:
    return f"{number}.dcm"


def _seed(
    name: str,
    files: Sequence[bytes],
    find: str | None = FOLDER,
    pack: Callable[[bytes], bytes] | None = None,
    packed: str = "",
) -> Seed:
    """Make a seed of files, of which one is damaged; `pack` puts them all into one."""
    dataset = dcmread(io.BytesIO(files[HURT]))
    claims = tuple((dataset.get_item(tag).value_tell, "<H") for tag in _SIZES)
    if pack is not None:
        return Seed(name, packed, files[HURT], pack, claims, find=packed, several=True)
    others = {_name(number): raw for number, raw in enumerate(files) if number != HURT}
    return Seed(
        name, _name(HURT), files[HURT], claims=claims, beside=others, find=find, several=True
    )


def _zip(files: Sequence[bytes]) -> Callable[[bytes], bytes]:
    def pack(hurt: bytes) -> bytes:
        stream = io.BytesIO()
        with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
            for number, raw in enumerate(files):
                archive.writestr(f"CT/{_name(number)}", hurt if number == HURT else raw)
        return stream.getvalue()

    return pack


def _tar(files: Sequence[bytes]) -> Callable[[bytes], bytes]:
    def pack(hurt: bytes) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for number, raw in enumerate(files):
                member = tarfile.TarInfo(f"CT/{_name(number)}")
                held = hurt if number == HURT else raw
                member.size = len(held)
                archive.addfile(member, io.BytesIO(held))
        return stream.getvalue()

    return pack


def _disc(files: Sequence[bytes]) -> Seed:
    """A DICOMDIR, which is damaged, beside the sound files that it names."""
    index = Dataset()
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    records = []
    with PYDICOM:
        for number in range(len(files)):
            record = Dataset()
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["A", _name(number)]
            records.append(record)
        index.DirectoryRecordSequence = records
        stream = io.BytesIO()
        dcmwrite(stream, index, enforce_file_format=True)
    beside = {f"A/{_name(number)}": raw for number, raw in enumerate(files)}
    return Seed("DICOMDIR", DISC, stream.getvalue(), beside=beside, find=DISC, several=True)
