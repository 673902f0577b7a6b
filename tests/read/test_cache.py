from pathlib import Path

import pytest

from medclf.errors import SettingError
from medclf.read.cache import cache_folder


def test_named_folder_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "mine"


def test_then_the_shared_one(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDCLF_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "shared" / "medclf"


@pytest.mark.parametrize("shared", ["", "not/absolute"])
def test_then_home(monkeypatch, tmp_path, shared):
    monkeypatch.delenv("MEDCLF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", shared)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "medclf"


def test_no_home_is_told(monkeypatch):
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MEDCLF_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(SettingError, match="set MEDCLF_CACHE"):
        cache_folder()
