import zipfile

import nibabel
import numpy as np
import SimpleITK
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
)

AFFINE = np.array([[-2.0, 0, 0, 10], [0, 0, 3, 20], [0, 1.5, 0, 30], [0, 0, 0, 1]])
VALUES = np.random.default_rng(0).integers(-500, 500, (7, 6, 5)).astype(np.int16)


def test_a_volume_keeps_values_and_place(tmp_path, medclf):
    nibabel.save(nibabel.Nifti1Image(VALUES, AFFINE), tmp_path / "a.nii.gz")
    told = medclf("convert", tmp_path / "a.nii.gz", tmp_path / "b.mha")
    assert (told.code, told.out) == (0, f"5 x 6 x 7 int16, 3 x 1.5 x 2 mm: {tmp_path / 'b.mha'}\n")
    truth = SimpleITK.ReadImage(tmp_path / "a.nii.gz")
    made = SimpleITK.ReadImage(tmp_path / "b.mha")
    np.testing.assert_array_equal(*map(SimpleITK.GetArrayFromImage, (made, truth)))
    assert made.GetOrigin() == truth.GetOrigin()
    np.testing.assert_allclose(made.GetDirection(), truth.GetDirection(), atol=1e-7)


def test_a_member_of_an_archive_and_what_is_lost(tmp_path, medclf):
    nibabel.save(nibabel.Nifti1Image(VALUES, AFFINE), tmp_path / "a.nii")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.nii", "in/a.nii")
    told = medclf("convert", f"{tmp_path / 'a.zip'}!in/a.nii", tmp_path / "a.npy")
    assert told.code == 0
    assert told.out.endswith("not kept by .npy: spacing and place\n")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), VALUES.T)


def test_a_file_may_have_an_exclamation_mark_in_its_name(tmp_path, medclf):
    nibabel.save(nibabel.Nifti1Image(VALUES, AFFINE), tmp_path / "a!b.nii")
    assert medclf("convert", tmp_path / "a!b.nii", tmp_path / "c.npy").code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "c.npy"), VALUES.T)


def test_what_cannot_be_converted_is_said_and_nothing_written(tmp_path, refuse):
    source, empty = tmp_path / "a.nii", tmp_path / "empty"
    nibabel.save(nibabel.Nifti1Image(VALUES, AFFINE), source)
    empty.mkdir()
    for image, out, words in [
        (source, "b.dcm", ["b.dcm: a name that ends in .nii.gz"]),
        (source, "b.png", [".png holds no image of 1 channels, 5 x 6 x 7 and type int16"]),
        (source, "no/b.mha", ["there is no folder"]),
        (tmp_path / "none.nii", "b.mha", ["none.nii: cannot be read"]),
        (empty, "b.mha", ["one image of a DICOM series wanted, found none."]),
    ]:
        refuse("convert", image, tmp_path / out, words=tuple(words))


def test_a_folder_of_one_series(tmp_path, medclf):
    volume = SimpleITK.GetImageFromArray(VALUES)
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    (tmp_path / "series").mkdir()
    for k in range(volume.GetDepth()):
        plane = volume[:, :, k]
        for tag, text in {
            "0008|0060": "CT",
            "0020|000d": "1.2.3",
            "0020|000e": "1.2.3.4",
            "0008|0018": f"1.2.3.4.{k + 1}",
            "0020|0013": str(9 - k),
            "0020|0032": f"0\\0\\{2 * k}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
        }.items():
            plane.SetMetaData(tag, text)
        writer.SetFileName(tmp_path / "series" / f"{k}.dcm")
        writer.Execute(plane)
    told = medclf("convert", tmp_path / "series", tmp_path / "b.nii.gz")
    assert told.code == 0, told.err
    made = SimpleITK.ReadImage(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(made), VALUES)
    assert made.GetSpacing() == (1, 1, 2)


def write(path, kind, series, **elements) -> None:
    """Write a small DICOM file: a radiograph, or one of a kind that holds no picture."""
    path.parent.mkdir(exist_ok=True)
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = kind, f"1.2.3.{path.stem}"
    dataset.PatientID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "a", "1.2", series
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(path, dataset, enforce_file_format=True)


def test_images_are_not_counted_as_series_and_none_has_a_reason(tmp_path, refuse):
    for number, series in ((1, "1.2.1"), (2, "1.2.1"), (3, "1.2.2")):
        write(tmp_path / "some" / f"{number}.dcm", ComputedRadiographyImageStorage, series,
              Modality="CR", Rows=2, Columns=2, InstanceNumber=number, SamplesPerPixel=1,
              PhotometricInterpretation="MONOCHROME2", BitsAllocated=8, BitsStored=8, HighBit=7,
              PixelRepresentation=0, PixelData=bytes(4))  # fmt: skip
    write(tmp_path / "pdf" / "1.dcm", EncapsulatedPDFStorage, "1.2.1", Modality="DOC")
    for name, words in [
        ("some", ["found 3 images in 2 series; give one alone", "1.dcm"]),
        ("pdf", ["found none. Left out: 1 file: holds no picture (Encapsulated PDF Storage)"]),
    ]:
        refuse("convert", tmp_path / name, tmp_path / "b.mha", words=tuple(words))
