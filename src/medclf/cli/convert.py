"""`medclf convert`: one image, in whatever form, as a file that other programs read."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.output import expect_place, write_output

if TYPE_CHECKING:
    from medclf.core.image import Image
    from medclf.read.dicom.find import Found


def convert(
    image: Annotated[
        str,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="An image; in an archive, ARCHIVE!MEMBER; or a folder or zip of one DICOM series.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="A .nii.gz, .nii, .mha, .nrrd, .npy or .png.", show_default=False
        ),
    ],
) -> None:
    """Write an image in another form: the same values, at the same place in the patient.

    Tells what was read and what the form does not hold.

    Example: medclf convert scans/ct_series ct.nii.gz
    """
    from medclf.read.write import form_of, write_image

    form = form_of(out)
    expect_place(out)
    found = _read(image)
    raw, lost = write_image(found, form)

    def write(part: Path) -> None:
        part.write_bytes(raw)

    write_output(out, write)
    sys.stdout.write(_tell(found, out))
    for remark in found.remarks:
        sys.stdout.write(f"{remark.message}\n")
    for what in lost:
        sys.stdout.write(f"not kept by {form}: {what}\n")


def _read(text: str) -> "Image":
    """Read what a person named: a file, a member of an archive, or the one series of a folder."""
    from medclf.core.record import Source
    from medclf.errors import ReadError
    from medclf.read.archive import is_archive
    from medclf.read.dicom.find import find_series
    from medclf.read.image import read_image

    path, _, member = (text, "", "") if Path(text).exists() else text.partition("!")
    whole = Path(path)
    if member or not (whole.is_dir() or (is_archive(whole) and whole.suffix != ".npz")):
        return read_image(Source(whole, member))
    found = find_series(whole)
    if len(found.series) != 1:
        raise ReadError(f"{whole}: one image of a DICOM series wanted, found {_count(found)}")
    return read_image(found.series[0].source)


def _count(found: "Found") -> str:
    """Tell how many images of how many series were found, and why not one."""
    from medclf.curate.problem import count, tell
    from medclf.curate.series import tell_left_out

    if not found.series:
        return " ".join(["none.", *tell_left_out(found.left_out)])
    each = {(one.patient, one.study, one.uid) for one in found.series}
    firsts = tell(sorted(str(one.source.first) for one in found.series))
    told = f"{count(len(found.series), 'image')} in {count(len(each), 'series', 'series')}"
    return f"{told}; give one alone, they begin with {firsts}"


def _tell(image: "Image", out: Path) -> str:
    sizes = " x ".join(str(n) for n in image.space)
    spacing = image.grid.spacing_mm
    parts = [f"{len(image.phases)} phases"] if image.phases else []
    parts += [f"{image.channels} channels"] if image.channels > 1 else []
    parts += [f"{sizes} {image.values.dtype}"]
    parts += [f"{' x '.join(f'{mm:g}' for mm in spacing)} mm"] if spacing else ["spacing unknown"]
    return f"{', '.join(parts)}: {out}\n"
