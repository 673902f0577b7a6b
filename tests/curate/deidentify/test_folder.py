"""A whole folder: pseudonyms alone in names, all or nothing, resumed, refused with reasons."""

import errno
import json
import os
import shutil
import signal
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.pixels import pixel_array

from medclf.curate.deidentify import crew
from medclf.curate.deidentify.folder import deidentify_folder
from medclf.curate.deidentify.job import do_job
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.outcome import KINDS, Outcome, format_outcomes
from medclf.curate.deidentify.unfinished import JOURNAL
from medclf.errors import CohortError, RunError, SettingError

PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files"


PLAIN = Options()


def nothing(folder: Path, outcomes: object) -> None:
    """Add no report."""


def run(given: Path, out: Path, key, options: Options = PLAIN, workers: int = 1):
    return deidentify_folder(given, out, key, options, nothing, workers=workers)


@pytest.fixture
def export(tmp_path, plant):
    """Two patients as a PACS exports them, with junk beside them."""
    root = tmp_path / "Quastenflosser, Hildegund"
    for number in range(3):
        folder = root / "PAT-90125-X" / "20190514"
        folder.mkdir(parents=True, exist_ok=True)
        uid = f"1.2.276.0.90125.19481203.1.1.{number}"
        raw = plant(InstanceNumber=number, SOPInstanceUID=uid)
        (folder / f"Quastenflosser{number}.dcm").write_bytes(raw)
    other = plant(PatientID="other", SOPInstanceUID="1.2.3", StudyInstanceUID="1.2.4")
    (root / "noextension").write_bytes(other)
    (root / "copy.dcm").write_bytes(raw)
    (root / "twin.dcm").write_bytes(plant(InstanceNumber=2, SOPInstanceUID=uid, Rows=4, Columns=16))
    (root / "letter.txt").write_text("Dear Mrs. Quastenflosser")
    (root / ".hidden").write_text("Quastenflosser")
    (root / "link.dcm").symlink_to(root / "noextension")
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(root / "photo.png")
    return root


def test_a_folder_from_a_pacs(export, tmp_path, key, leaks):
    out = tmp_path / "out"
    outcomes, links = run(export, out, key)
    files = sorted(p for p in out.rglob("*") if p.is_file())
    assert len(files) == 4
    for path in files:
        assert leaks(str(path.relative_to(out)).encode()) == []
        assert leaks(path.read_bytes()) == []
        assert path.relative_to(out).parts[0] in {
            key.pseudonym("PAT-90125-X"),
            key.pseudonym("other"),
        }
    assert leaks(format_outcomes(outcomes).encode()) == []
    reasons = sorted(o.refused for o in outcomes if o.refused)
    assert len(reasons) == 5
    for reason, words in zip(reasons, ("a copy of file", "a link", "bears the SOPInstanceUID",
                                       "no DICOM file", "no DICOM file"), strict=True):  # fmt: skip
        assert reason.startswith(words)
    rows = links.splitlines()
    assert len(rows) == 1 + len(outcomes) == 10
    assert "Quastenflosser" in links
    studies = {dcmread(path).StudyInstanceUID for path in files}
    assert len(studies) == 2
    assert not list(tmp_path.glob(".out*"))


def test_processes_give_the_same_bytes(export, tmp_path, key):
    run(export, tmp_path / "one", key)
    run(export, tmp_path / "two", key, workers=2)
    ours = {p.relative_to(tmp_path / "one"): p for p in (tmp_path / "one").rglob("*.dcm")}
    assert len(ours) == 4
    for name, path in ours.items():
        assert (tmp_path / "two" / name).read_bytes() == path.read_bytes()


def test_one_id_with_several_birth_dates_is_told(export, tmp_path, key, plant, leaks):
    stranger = plant(PatientBirthDate="19991231", SOPInstanceUID="1.2.3.9")
    (export / "stranger.dcm").write_bytes(stranger)
    outcomes, _ = run(export, tmp_path / "out", key)
    unclear = [o for o in outcomes if "patient unclear" in {r.kind for r in o.remarks}]
    assert {o.patient for o in unclear} == {key.pseudonym("PAT-90125-X")}
    assert len(unclear) == 4
    assert not [o for o in run(export, tmp_path / "two", key)[0] if "1999" in repr(o)]
    assert "born" not in format_outcomes(outcomes)


def test_others_are_taken_when_asked_for(export, tmp_path, key):
    outcomes, _ = run(export, tmp_path / "out", key, Options(others=True))
    (png,) = (tmp_path / "out" / "others").iterdir()
    np.testing.assert_array_equal(np.asarray(Image.open(png)), np.eye(8))
    (found,) = [o for o in outcomes if o.kind == "PNG"]
    assert [r.kind for r in found.remarks] == ["metadata stripped"]


def test_a_zip_and_a_single_file(export, tmp_path, key):
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in export.rglob("Quasten*.dcm"):
            archive.write(path, path.relative_to(export))
    outcomes, _ = run(tmp_path / "a.zip", tmp_path / "out", key)
    assert [bool(o.path) for o in outcomes] == [True] * 3
    outcomes, _ = run(export / "noextension", tmp_path / "single", key)
    assert [bool(o.path) for o in outcomes] == [True]


def test_a_killed_run_goes_on(export, tmp_path, key, monkeypatch):
    work = tmp_path / ".out.deidentify"

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deidentify_folder(export, tmp_path / "out", key, Options(), nothing, stop, 1)
    assert not (tmp_path / "out").exists()
    with (work / JOURNAL).open("a") as journal:
        journal.write('{"number": 4, "pa')  # The line at which it was killed.
    with pytest.raises(SettingError, match="another key, folder or options"):
        run(export, tmp_path / "out", key, Options(dates="remove"))
    seen = []
    for name in (".99.part", "PGONE/S/0001-X.dcm"):  # Left by a run that was killed elsewhere.
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(b"Quastenflosser")
    monkeypatch.setattr(crew, "do_job", lambda *a: seen.append(a[0]) or do_job(*a))
    outcomes, _ = run(export, tmp_path / "out", key)
    assert len(seen) == len(outcomes) - 3
    run(export, tmp_path / "whole", key)
    ours = {p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*")}
    assert ours == {p.relative_to(tmp_path / "whole") for p in (tmp_path / "whole").rglob("*")}


def test_a_file_that_changed_meanwhile_is_done_again(export, tmp_path, key, plant):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deidentify_folder(export, tmp_path / "out", key, Options(), nothing, stop, 1)
    first = min(p for p in export.rglob("Quasten*.dcm"))
    first.write_bytes(plant(SOPInstanceUID="1.2.276.0.90125.77", InstanceNumber=77))
    run(export, tmp_path / "out", key)
    assert list((tmp_path / "out").rglob("0077-*.dcm"))


def test_nothing_appears_where_nothing_came_through(tmp_path, key):
    given = tmp_path / "in"
    given.mkdir()
    with pytest.raises(CohortError, match="no file to de-identify"):
        run(given, tmp_path / "out", key)
    (given / "a.pdf").write_bytes(b"%PDF-1.7 Quastenflosser")
    with pytest.raises(CohortError, match="none of 1 files could be de-identified: no DICOM"):
        run(given, tmp_path / "out", key)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


def test_where_the_new_folder_may_lie(export, tmp_path, key):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match="new or empty folder"):
        run(export, tmp_path / "full", key)
    with pytest.raises(SettingError, match="outside"):
        run(export, export / "out", key)
    with pytest.raises(SettingError, match="no folder"):
        run(export, tmp_path / "no" / "out", key)
    assert run(export, tmp_path / "empty", key)


def test_a_full_disk_ends_in_one_line_and_the_run_goes_on(export, tmp_path, key, monkeypatch):
    def full(*given) -> Outcome:
        if given[0] == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "Quastenflosser")
        return do_job(*given)

    monkeypatch.setattr(crew, "do_job", full)
    with pytest.raises(RunError) as end:
        run(export, tmp_path / "out", key)
    line = "out: cannot be written: No space left on device; give the same command again to go on"
    assert str(end.value).endswith(line)
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(crew, "do_job", do_job)
    outcomes, _ = run(export, tmp_path / "out", key)
    assert sum(bool(o.path) for o in outcomes) == 4


def test_a_folder_that_cannot_be_opened_is_told(export, tmp_path, key, monkeypatch):
    scan, closed = os.scandir, export / "PAT-90125-X" / "20190514"

    def refuse(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    outcomes, _ = run(export, tmp_path / "out", key)
    assert [o.refused for o in outcomes].count("a folder that cannot be opened") == 1


def _die(number, source, name, *rest) -> Outcome:
    """Bring the process down, as a decoder in C may."""
    if name == "twin.dcm":
        os.kill(os.getpid(), signal.SIGKILL)
    return do_job(number, source, name, *rest)


def test_a_file_that_kills_its_process_is_refused_alone(export, tmp_path, key, monkeypatch):
    from multiprocessing import get_context

    monkeypatch.setattr(crew, "do_job", _die)
    context = get_context("fork")  # What is patched here must be patched there.
    monkeypatch.setattr(crew, "get_context", lambda _: context)
    outcomes, _ = run(export, tmp_path / "out", key, workers=2)
    killed = [o.refused for o in outcomes if "brings the process down" in o.refused]
    assert len(killed) == 1
    assert sum(bool(o.path) for o in outcomes) == 4


def test_outcomes_come_back_from_the_journal(export, tmp_path, key):
    outcomes, _ = run(export, tmp_path / "out", key)
    for outcome in outcomes:
        assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome
        assert {remark.kind for remark in outcome.remarks} <= set(KINDS)


FILES = sorted(p for p in PYDICOM.rglob("*") if p.is_file() and p.stat().st_size < 150_000)
"""The small ones; bench/deidentify_files.py takes all, with identities planted."""


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PYDICOM).as_posix())
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_every_file_of_pydicom_goes_through_twice_or_is_refused(path, tmp_path, key):
    from medclf.core.record import Source

    first = do_job(1, Source(path), path.name, key, Options(), tmp_path)
    assert bool(first.path) != bool(first.refused)
    assert len(first.refused) < 200
    if first.refused:
        return
    shutil.move(tmp_path / ".1.part", tmp_path / "once.dcm")
    before, after = dcmread(path, force=True), dcmread(tmp_path / "once.dcm")
    again = do_job(2, Source(tmp_path / "once.dcm"), "once", key, Options(), tmp_path)
    assert again.path
    name = str(before.get("PatientName") or "")
    assert after.PatientID == after.PatientName == first.patient != name
    assert not [e for e in after.iterall() if e.tag.is_private]
    if "PixelData" in before and not first.masked and "pixels unseen" not in {
        remark.kind for remark in first.remarks
    }:  # fmt: skip
        assert before.file_meta.get("TransferSyntaxUID") in (
            None,
            after.file_meta.TransferSyntaxUID,
        )
        if "TransferSyntaxUID" in before.file_meta:
            np.testing.assert_array_equal(pixel_array(after), pixel_array(before))
