import pytest

from medclf.core.whole import whole_file, write_whole
from medclf.errors import RunError


def test_a_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_whole(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("medclf.core.whole.os.fsync", full)
    with pytest.raises(RunError, match=r"a\.json: cannot be written: No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, ValueError])
def test_whatever_stops_a_writer_leaves_nothing(tmp_path, problem):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"old")

    def stop() -> None:
        with whole_file(path) as part:
            part.write_bytes(b"ne")
            raise problem

    with pytest.raises(problem):
        stop()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_processes_do_not_write_into_one_unfinished_file(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    with whole_file(path) as ours:
        ours.write_text("ours")
        monkeypatch.setattr("medclf.core.whole.os.getpid", lambda: 1)
        write_whole(path, "theirs")
        assert path.read_text() == "theirs"
    assert path.read_text() == "ours"
