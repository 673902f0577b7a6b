"""Files full of identities: what the tests plant, and how they look for it in what comes out."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from medclf.curate.deidentify.key import Key

SECRETS = (
    "Quastenflosser",
    "Hildegund",
    "PAT-90125-X",
    "ACC7788123",
    "Zyklopenweg 17",
    "Dr. Nachtigall",
    "Nachtigall",
    "Sankt Irgendwo Klinik",
    "SN-558-221",
    "STATION-K7",
    "19481203",
    "03.12.1948",
    "20190514",
    "1.2.276.0.90125",
    "SENDERAE",
    "+49 30 5551234",
)
"""Texts that stand in the planted file, and must stand nowhere afterwards."""

KEY = Key(b"a key for tests".ljust(32, b"."))
FONT = Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


def spellings(text: str) -> set[bytes]:
    """Every way in which a text may stand in bytes, in lower case."""
    codes = ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "utf-7", "cp437")
    return {form.encode(code).lower() for code in codes for form in (text, text[::-1])}


@pytest.fixture(scope="session")
def key() -> Key:
    return KEY


@pytest.fixture(scope="session")
def leaks() -> Callable[..., list[str]]:
    """List the secrets that stand in bytes, in any spelling."""

    def find(raw: bytes, secrets: tuple[str, ...] = SECRETS) -> list[str]:
        low = raw.lower()
        return [s for s in secrets if any(form in low for form in spellings(s))]

    return find


@pytest.fixture(scope="session")
def write_text() -> Callable[..., np.ndarray]:
    """Draw a line of text on a picture; colours and 16 bits too."""

    def write(
        values: np.ndarray, text: str, place: tuple[int, int], size: int, ink: object
    ) -> np.ndarray:
        sheet = Image.new("L", (values.shape[1], values.shape[0]))
        ImageDraw.Draw(sheet).text(place, text, 255, ImageFont.truetype(FONT, size))
        drawn = np.asarray(sheet) > 127
        out = values.copy()
        out[drawn] = ink
        return out

    return write


@pytest.fixture(scope="session")
def plant() -> Callable[..., bytes]:
    """Write a CT whose header is full of identities, with further elements by name."""

    def make(values: np.ndarray | None = None, **elements: object) -> bytes:
        dataset = _planted(values if values is not None else np.arange(64, dtype=np.uint16))
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        return to_bytes(dataset)

    return make


@pytest.fixture(scope="session")
def encode() -> Callable[[Dataset], bytes]:
    return to_bytes


def to_bytes(dataset: Dataset) -> bytes:
    """Write a data set with a preamble, a sender and a tail that all name the patient."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.SourceApplicationEntityTitle = "SENDERAE"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.276.0.90125.1"
    dataset.file_meta.PrivateInformation = b"Quastenflosser!!"
    dataset.preamble = b"Quastenflosser Hildegund".ljust(128, b"\0")
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue() + b"\xfc\xff\xfc\xffOB\0\0\x10\0\0\0Quastenflosser##"


def _planted(values: np.ndarray) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = CTImageStorage
    dataset.Modality, dataset.Manufacturer = "CT", "ACME"
    for keyword, value in IDENTITIES.items():
        setattr(dataset, keyword, value)
    _nest(dataset)
    _private(dataset)
    _overlay(dataset)
    grey = values.reshape(8, 8) if values.ndim == 1 else values
    dataset.SamplesPerPixel = 3 if grey.ndim > 2 and grey.shape[-1] == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if dataset.SamplesPerPixel == 3 else "MONOCHROME2"
    space = grey.shape[:-1] if dataset.SamplesPerPixel == 3 else grey.shape
    dataset.Rows, dataset.Columns = space[-2:]
    if len(space) == 3:
        dataset.NumberOfFrames = space[0]
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * grey.dtype.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    dataset.PixelData = grey.tobytes()
    dataset["PixelData"].VR = "OB" if grey.dtype.itemsize == 1 else "OW"
    return dataset


IDENTITIES = {
    "PatientName": "Quastenflosser^Hildegund^^Dr.",
    "PatientID": "PAT-90125-X",
    "PatientBirthDate": "19481203",
    "PatientSex": "F",
    "PatientAge": "097Y",
    "PatientWeight": "61",
    "PatientAddress": "Zyklopenweg 17",
    "PatientTelephoneNumbers": "+49 30 5551234",
    "OtherPatientIDs": ["PAT-90125-X", "X90125"],
    "AccessionNumber": "ACC7788123",
    "StudyID": "PAT-90125-X",
    "ReferringPhysicianName": "Dr. Nachtigall",
    "OperatorsName": "Nachtigall^F",
    "InstitutionName": "Sankt Irgendwo Klinik",
    "InstitutionAddress": "Zyklopenweg 17",
    "StationName": "STATION-K7",
    "DeviceSerialNumber": "SN-558-221",
    "StudyDate": "20190514",
    "SeriesDate": "20190514",
    "AcquisitionDateTime": "20190514113000.250000+0100",
    "StudyTime": "113000",
    "StudyDescription": "CT Thorax Quastenflosser, geb. 03.12.1948",
    "SeriesDescription": "axial 1.25 mm",
    "ImageComments": "seen by Dr. Nachtigall, Sankt Irgendwo Klinik",
    "ProtocolName": "Hildegund special",
    "SoftwareVersions": "v2 for PAT-90125-X",
    "ScanOptions": "HELICAL",
    "BodyPartExamined": "CHEST",
    "StudyInstanceUID": "1.2.276.0.90125.19481203.1",
    "SeriesInstanceUID": "1.2.276.0.90125.19481203.1.1",
    "SOPInstanceUID": "1.2.276.0.90125.19481203.1.1.1",
    "FrameOfReferenceUID": "1.2.276.0.90125.19481203.9",
    "InstanceNumber": 7,
}


def _nest(dataset: Dataset) -> None:
    """Identities in sequences, three deep, and in one that the table does not name."""
    inner, middle, outer = Dataset(), Dataset(), Dataset()
    inner.PersonName = "Quastenflosser^Hildegund"
    inner.TextValue = "Hildegund Quastenflosser was here on 20190514"
    inner.ReferencedSOPInstanceUID = "1.2.276.0.90125.19481203.1.1.2"
    middle.ReferencedSOPSequence = [inner]
    middle.RetrieveAETitle = "SENDERAE"
    outer.ReferencedInstanceSequence = [middle]
    outer.CodeMeaning = "for Quastenflosser"
    dataset.PurposeOfReferenceCodeSequence = [outer]
    step = Dataset()
    step.RequestedProcedureDescription = "Quastenflosser"
    step.ScheduledPerformingPhysicianName = "Nachtigall"
    dataset.RequestAttributesSequence = [step]
    dose = Dataset()
    dose.RadiopharmaceuticalStartTime = "101500"
    dose.RadiopharmaceuticalStartDateTime = "20190514101500"
    dataset.RadiopharmaceuticalInformationSequence = [dose]


def _private(dataset: Dataset) -> None:
    block = dataset.private_block(0x0029, "ACME FOR Quastenflosser", create=True)
    block.add_new(0x10, "LO", "Hildegund")
    block.add_new(0x11, "UN", "Quastenflosser".encode("utf-16-le"))
    siemens = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    siemens.add_new(0x0C, "IS", "1000")
    siemens.add_new(0x0D, "LO", "Quastenflosser")
    siemens.add_new(0x33, "LO", "unlisted")


def _overlay(dataset: Dataset) -> None:
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000022, "LO", "Quastenflosser")
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", bytes(8))
    dataset.add_new(0x60004000, "LT", "Hildegund")
    dataset.add_new(0x50000022, "LO", "Quastenflosser")
    dataset.add_new(0x50003000, "OW", b"Quastenflosser")


def parse(raw: bytes) -> Dataset:
    return dcmread(BytesIO(raw))


@pytest.fixture(scope="session")
def read() -> Callable[[bytes], Dataset]:
    return parse
