"""Identities that `bench/deidentify_files.py` plants into DICOM files, and the search for them.

A person has a name in one of the character sets of DICOM, an ID, dates, UIDs, a clinic and a
device. They are written wherever a file can hold them: header, nested sequences, private elements,
overlays, curves, reports, drawings, embedded documents, arrays of bytes, comments within compressed
frames, what precedes and follows the data set, and the head of the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset, dcmread, dcmwrite
from pydicom.charset import convert_encodings
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

NAMES: tuple[tuple[str | list[str], str], ...] = (
    ("ISO_IR 100", "Quastenflößer^Hildegünd"),
    ("ISO_IR 101", "Łękawska^Żółcisława"),
    ("ISO_IR 126", "Διονυσίου^Ελευθερία"),
    ("ISO_IR 144", "Преображенская^Ксения"),
    ("ISO_IR 127", "قباني^لنزار"),
    ("ISO_IR 138", "שרוןסקי^דבורהלה"),
    ("ISO_IR 166", "สมชายเดช^ประเสริฐ"),
    (["", "ISO 2022 IR 87"], "Yamadera^Taroichi=山田寺^太郎一=やまだでら^たろういち"),
    (["", "ISO 2022 IR 149"], "Hongseok^Gildongi=洪石^吉洞=홍석길^길동이"),
    ("GB18030", "Zhangwei^Xiaodong=张伟民^小东方"),
    ("ISO_IR 192", "Nguyễnvăn^Thịhồngđào"),
    ("", "Quastenflosser^Hildegund"),
)
"""Names by character set. Each part is long enough that it cannot come by chance."""

PATIENT = ("PAT-90125-X", "ACC7788123", "Zyklopenweg 17", "+49 30 5551234")
PEOPLE = ("Nachtigallen", "Oberschwester")
DATES = ("19481203", "03.12.1948", "20190514", "14.05.2019")
ROOT = "1.2.276.0.90125"
CLINIC, DEVICE = ("Sankt Irgendwo Klinik", "Nirgendallee 3"), ("SN-558-221", "STATION-K7")
SENDER = "SENDERAE"
EVERYWHERE = ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "utf-7", "cp437", "cp1252", "utf-32-le")
SURE = 5
"""Bytes that a spelling needs to be looked for among pixels as well."""


@dataclass(frozen=True)
class Person:
    """Whose files these are.

    Args:
        charset: SpecificCharacterSet, as DICOM calls it.
        name: In the form of a PN.
    """

    charset: str | list[str]
    name: str

    @property
    def parts(self) -> list[str]:
        """The parts of the name, in every alphabet."""
        return [part for part in self.name.replace("=", "^").split("^") if part]

    def secrets(self, kept: frozenset[str]) -> list[str]:
        """List what must not be left, but for what options let stay."""
        told = [*self.parts, *PATIENT, *PEOPLE, SENDER]
        told += [] if "dates" in kept else DATES
        told += [] if "uids" in kept else [ROOT]
        told += [] if "institution" in kept else CLINIC
        return told + ([] if "device" in kept else list(DEVICE))


def find_left(raw: bytes, beside: bytes, person: Person, kept: frozenset[str]) -> list[str]:
    """List the secrets that stand in bytes, in any encoding and direction.

    Args:
        raw: Everything.
        beside: Everything but the pixels, in which short spellings come by chance.
        person: Who is looked for.
        kept: Options that let something stay.
    """
    low, outside = raw.lower(), beside.lower()
    codes = dict.fromkeys((*EVERYWHERE, *convert_encodings(person.charset or "ISO_IR 6")))
    return [
        secret
        for secret in person.secrets(kept)
        if any(code in (low if len(code) >= SURE else outside) for code in _spell(secret, codes))
    ]


def _spell(secret: str, codes: dict[str, None]) -> Iterator[bytes]:
    for name in codes:
        for form in (secret, secret[::-1]):
            try:
                code = form.encode(name).lower()
            except (UnicodeError, LookupError):
                continue
            if len(code) >= 4:
                yield code


def plant(raw: bytes, person: Person, dated: bool = True) -> bytes | None:
    """Write a file anew with a person's identity all over; `None` where pydicom cannot.

    Args:
        raw: A DICOM file.
        person: Who is planted.
        dated: Whether the UIDs hold the birth date. A file that is damaged afterwards may lose the
            date from its own place; then nothing could tell that UIDs that are to stay hold it.
    """
    try:
        dataset = dcmread(BytesIO(raw), force=True)
        dataset.decode()
        _set_syntax(dataset)
        _fill(dataset, person, DATES[0] if dated else "555")
        _hide(dataset, person)
        stream = BytesIO()
        dcmwrite(stream, dataset, enforce_file_format=True)
    except Exception:  # pydicom has no closed list of what damaged files raise.
        return None
    tail = b"\xfc\xff\xfc\xffOB\0\0\x20\0\0\0" + person.parts[0].encode()[:30].ljust(32, b"#")
    deflated = str(dataset.file_meta.TransferSyntaxUID).endswith(".1.99")
    return stream.getvalue() + (b"" if deflated else tail)


def _set_syntax(dataset: Dataset) -> None:
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        plain = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = plain if little else ExplicitVRBigEndian


def _fill(dataset: Dataset, person: Person, stem: str) -> None:
    """Write the identity into plain elements, nested ones and those of vendors."""
    first = person.parts[0]
    dataset.SpecificCharacterSet = person.charset
    dataset.PatientName = dataset.OtherPatientNames = person.name
    for keyword, value in FILLED.items():
        setattr(dataset, keyword, value)
    for keyword in SPOKEN:
        setattr(dataset, keyword, f"scan of {first}, {DATES[1]}")
    dataset.ScanOptions = "PAT-90125-X"
    for number, keyword in enumerate(UIDS):
        setattr(dataset, keyword, f"{ROOT}.{stem}.{number}")
    inner, other = Dataset(), Dataset()
    inner.PersonName, inner.TextValue = person.name, f"{first} was here on {DATES[2]}"
    inner.ReferencedSOPInstanceUID = f"{ROOT}.7"
    other.SpecificCharacterSet = "ISO_IR 192"
    other.PersonName = person.name
    other.CodeMeaning = f"for {first}"[:60]
    middle = Dataset()
    middle.ReferencedInstanceSequence = [inner, other]
    middle.RetrieveAETitle, middle.StationName = SENDER, DEVICE[1]
    dataset.PurposeOfReferenceCodeSequence = [middle]
    dataset.OriginalAttributesSequence = [_item(ModifiedAttributesSequence=[inner])]
    dataset.ContentSequence = [_item(ContentSequence=[inner], UID=f"{ROOT}.8", Date=DATES[2])]
    text = _item(UnformattedTextValue=first)
    dataset.GraphicAnnotationSequence = [_item(TextObjectSequence=[text])]


def _item(**elements: object) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _hide(dataset: Dataset, person: Person) -> None:
    """Write the identity where only bytes are expected, and around the data set."""
    first = person.parts[0]
    bare = first.encode("utf-8")
    even = bare + b" " * (len(bare) % 2)
    block = dataset.private_block(0x0029, "ACME PATIENT DATA", create=True)
    block.add_new(0x10, "LO", first)
    block.add_new(0x11, "UN", first.encode("utf-16-le"))
    siemens = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    siemens.add_new(0x0D, "CS", "PAT-90125-X")
    for tag, vr, value in (
        (0x60000010, "US", 8), (0x60000011, "US", 8), (0x60000022, "LO", first),
        (0x60000040, "CS", "G"), (0x60000050, "SS", [1, 1]), (0x60000100, "US", 1),
        (0x60000102, "US", 0), (0x60003000, "OW", even), (0x60004000, "LT", first),
        (0x50000022, "LO", first), (0x50003000, "OW", even), (0x00420011, "OB", b"%PDF " + even),
        (0x04000520, "OB", even), (0x54001010, "OW", even), (0x00282000, "OB", even),
        (0x0018A003, "ST", first), (0xFFFCFFFC, "OB", even),
    ):  # fmt: skip
        dataset.add_new(tag, vr, value)
    dataset.preamble = bare[:128].ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = SENDER
    dataset.file_meta.PrivateInformationCreatorUID = f"{ROOT}.1"
    dataset.file_meta.PrivateInformation = even
    _comment(dataset, bare)


def _comment(dataset: Dataset, note: bytes) -> None:
    """Hide a note behind plain pixels, or in the comments of compressed frames."""
    if "PixelData" not in dataset:
        return
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        dataset.PixelData += note + b"\0" * (len(note) % 2)
        return
    segment = b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note
    count = int(dataset.get("NumberOfFrames") or 1)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=count))
    if all(frame[:3] == b"\xff\xd8\xff" for frame in frames):
        frames = [frame[:2] + segment + frame[2:] for frame in frames]
        dataset.PixelData = encapsulate(frames)


FILLED = {
    "PatientID": PATIENT[0], "AccessionNumber": PATIENT[1], "PatientAddress": PATIENT[2],
    "PatientTelephoneNumbers": PATIENT[3], "OtherPatientIDs": PATIENT[0], "StudyID": PATIENT[0],
    "PatientBirthDate": DATES[0], "StudyDate": DATES[2], "SeriesDate": DATES[2],
    "AcquisitionDateTime": f"{DATES[2]}113000", "ReferringPhysicianName": f"{PEOPLE[0]}^Dr",
    "OperatorsName": PEOPLE[1], "InstitutionName": CLINIC[0], "InstitutionAddress": CLINIC[1],
    "StationName": DEVICE[1], "DeviceSerialNumber": DEVICE[0], "RetrieveAETitle": SENDER,
}  # fmt: skip
SPOKEN = ("StudyDescription", "SeriesDescription", "ProtocolName", "ImageComments",
          "SoftwareVersions", "AcquisitionProtocolName", "CodeMeaning")  # fmt: skip
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
