import pytest

from medclf.core.whole import write_whole
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
