"""One DICOM file, de-identified: read, its pixels and header cleaned, its own words hunted.

Everything is written anew: the 128 bytes before the file's mark are zero, the group that names the
sender is our own, text is UTF-8, and nothing follows the data set. Before the bytes are handed over
they are searched for the patient's words once more; where one is left, the file is refused.

Source: DICOM PS3.15, E.1.1; PS3.10, 7.1; PS3.3, C.12.1 and C.7.1.1.
"""

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING

from medclf import __version__
from medclf.core.remark import Remark
from medclf.curate.deidentify.clean import Cleaner
from medclf.curate.deidentify.graphics import drop_written_overlays
from medclf.curate.deidentify.identity import (
    SEARCHED_IN_BYTES,
    SEARCHED_IN_PIXELS,
    Identity,
    gather_identity,
)
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.pixels import UNSEEN, clean_pixels
from medclf.curate.deidentify.profile import EDITION
from medclf.curate.deidentify.strip import strip_frames
from medclf.curate.deidentify.traces import trace_people
from medclf.errors import ReadError
from medclf.read.dicom.file import DEFLATED, check_deflated
from medclf.read.quiet import PYDICOM

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

REFUSED = {
    "1.2.840.10008.1.3.10": "a DICOMDIR, which lists the files of a disc",
    "1.2.840.10008.5.1.4.1.1.104.": "an encapsulated document, which no program can clean",
    "1.2.840.10008.5.1.4.1.1.9.4.": "a recording of sound",
}
"""What is never copied, by the beginning of its class."""

_TEMPORAL = {"shift": "MODIFIED", "keep": "UNMODIFIED", "remove": "REMOVED"}
_DIGITS_OF_A_NUMBER, _HEAD = 6, 2048


@dataclass(frozen=True)
class Cleaned:
    """A file that may go out.

    Args:
        raw: Its bytes.
        path: Where it goes: patient, study, series and number, in pseudonyms.
        patient: The pseudonym.
        born: A keyed hash of the birth date, to find two people under one ID; "" where unknown.
        modality: The DICOM code.
        changed: Attributes by what was done.
        masked: Share of the picture that was painted over.
        remarks: What a person must look at.
        accession: What stands for the accession number; "" where there is none.
        traces: Keyed hashes of the words that tell of people, by which a table's are known.
    """

    raw: bytes
    path: str
    patient: str
    born: str
    modality: str
    changed: dict[str, int]
    masked: float
    remarks: tuple[Remark, ...]
    accession: str
    traces: tuple[str, ...]


def deidentify_dicom(raw: bytes, key: Key, options: Options, where: str) -> Cleaned:
    """De-identify a DICOM file.

    Args:
        raw: Its bytes.
        key: Where pseudonyms come from.
        options: What stays and what is cleaned.
        where: Names the file in messages, and not the patient.

    Raises:
        ReadError: it is no DICOM file, damaged, of a class that is never copied, or an identity
            would be left in it. The message quotes nothing that it holds.
    """
    try:
        with PYDICOM:
            dataset = _parse(raw, where)
            return _clean(dataset, raw, key, options, where)
    except ReadError:
        raise
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        kind = type(problem).__name__
        raise ReadError(f"{where}: damaged, or not as the standard wants it ({kind})") from problem


def _parse(raw: bytes, where: str) -> "Dataset":
    from pydicom import dcmread
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if DEFLATED in raw[:_HEAD]:
        check_deflated(raw, where)
    dataset = dcmread(BytesIO(raw), force=True)
    kind = str(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if not kind:
        raise ReadError(f"{where}: no DICOM file, or one that does not name its class")
    for beginning, reason in REFUSED.items():
        if kind.startswith(beginning):
            raise ReadError(f"{where}: {reason}")
    dataset.SOPClassUID = kind
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        plain = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = plain if little else ExplicitVRBigEndian
    return dataset


def _clean(dataset: "Dataset", raw: bytes, key: Key, options: Options, where: str) -> Cleaned:
    patient, remarks = identify(dataset)
    dates = options.dates != "keep"
    identity = gather_identity(dataset, options.retain, dates)
    traces = trace_people(identity, str(dataset.get("PatientName") or ""), key)
    dataset.decode()
    if "graphics" in options.clean:
        remarks += drop_written_overlays(dataset)
    painted = clean_pixels(dataset, "pixels" in options.clean, where)
    strip_frames(dataset, where)
    study, series = str(dataset.get("StudyInstanceUID") or ""), dataset.get("SeriesInstanceUID")
    own = str(dataset.get("SOPInstanceUID") or f"content {sha256(raw).hexdigest()}")
    path = _place(key, patient, study, str(series or ""), own, dataset.get("InstanceNumber"))
    accession = str(dataset.get("AccessionNumber") or "").strip()
    modality = str(dataset.get("Modality") or "")
    born = str(dataset.get("PatientBirthDate") or "").strip()
    cleaner = Cleaner(key, options, key.shift_days(patient), identity)
    cleaner.clean(dataset)
    if "uids" not in options.retain or "SOPInstanceUID" not in dataset:
        dataset.SOPInstanceUID = key.uid(own)
    dataset.PatientID = dataset.PatientName = key.pseudonym(patient)
    dataset.AccessionNumber = key.accession(accession) if accession else ""
    _declare(dataset, options, painted.masked > 0)
    return Cleaned(
        raw=_write(dataset, identity, UNSEEN not in {r.kind for r in painted.remarks}, where),
        path=path,
        patient=key.pseudonym(patient),
        born=key.word("born", born) if born else "",
        modality=modality if modality.isalnum() else "",
        changed=dict(cleaner.changed),
        masked=painted.masked,
        remarks=(*remarks, *painted.remarks, *cleaner.remarks),
        accession=dataset.AccessionNumber,
        traces=traces,
    )


def identify(dataset: "Dataset") -> tuple[str, tuple[Remark, ...]]:
    """Find what tells one patient from another: ID, else name and birth date, else study."""
    known = str(dataset.get("PatientID") or "").strip(" \0")
    if known:
        return known, ()
    name, born = (str(dataset.get(k) or "").strip() for k in ("PatientName", "PatientBirthDate"))
    if name:
        return f"{name}\0{born}", (Remark("patient unclear", "held together by name"),)
    study = str(dataset.get("StudyInstanceUID") or dataset.get("SOPInstanceUID") or "")
    return f"\0{study}", (Remark("patient unclear", "held together by study"),)


def _place(key: Key, patient: str, study: str, series: str, own: str, number: object) -> str:
    """Name the file by pseudonyms alone, in the order of the series where it has numbers."""
    digits = str(number or "").strip()
    told = digits if digits.isdecimal() and len(digits) <= _DIGITS_OF_A_NUMBER else "0"
    folders = (key.pseudonym(patient), key.word("study", study, 8), key.word("series", series, 8))
    return "/".join((*folders, f"{told.zfill(4)}-{key.word('file', own, 8)}.dcm"))


def _declare(dataset: "Dataset", options: Options, masked: bool) -> None:
    """State in the file what was done to it."""
    from pydicom import Dataset

    codes = []
    for value, meaning in options.codes:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
        codes.append(code)
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = [f"medclf {__version__}", f"DICOM PS3.15 {EDITION}"]
    dataset.DeidentificationMethodCodeSequence = codes
    dataset.LongitudinalTemporalInformationModified = _TEMPORAL[options.dates]
    if masked:
        dataset.BurnedInAnnotation = "NO"


def _write(dataset: "Dataset", identity: Identity, seen: bool, where: str) -> bytes:
    """Write the file whole, and refuse it where a word of the patient's is left.

    In pixels that were seen as a picture only long words are looked for: short ones come by chance.
    """
    from pydicom.uid import ExplicitVRLittleEndian

    syntax = dataset.file_meta.TransferSyntaxUID
    dataset.SpecificCharacterSet = "ISO_IR 192"
    plain = _to_bytes(dataset, ExplicitVRLittleEndian if syntax.is_deflated else syntax)
    pixels = dataset.get("PixelData") or b""
    beside = plain.replace(pixels, b"", 1) if pixels else plain
    shortest = SEARCHED_IN_PIXELS if seen else SEARCHED_IN_BYTES
    if identity.stands_in_bytes(beside) or identity.stands_in_bytes(pixels, shortest):
        raise ReadError(f"{where}: an identity would be left in the file")
    return _to_bytes(dataset, syntax) if syntax.is_deflated else plain


def _to_bytes(dataset: "Dataset", syntax: "UID") -> bytes:
    """Write a data set after an empty preamble and a head that names nobody."""
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset

    dataset.preamble, dataset.file_meta = bytes(128), FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()
