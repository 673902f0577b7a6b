"""The key: its file, and what comes of it."""

import os
import stat

import numpy as np
import pytest

from medclf.curate.deidentify.key import Key, load_key
from medclf.errors import SettingError


def test_a_new_key_is_private_and_comes_back(tmp_path):
    path = tmp_path / "study.key"
    key, new = load_key(path, tmp_path / "out")
    assert new
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again, new = load_key(path, tmp_path / "out")
    assert not new
    assert again == key
    assert path.read_text().strip() not in repr(key)


@pytest.mark.parametrize("inside", ["out/a.key", "out/deep/a.key", "out"])
def test_a_key_in_the_output_is_refused(tmp_path, inside):
    (tmp_path / "out" / "deep").mkdir(parents=True)
    with pytest.raises(SettingError, match="outside"):
        load_key(tmp_path / inside, tmp_path / "out")


def test_a_link_into_the_output_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with pytest.raises(SettingError, match="outside"):
        load_key(tmp_path / "link" / "a.key", tmp_path / "out")


def test_what_others_may_read_or_is_no_key_is_refused(tmp_path):
    path = tmp_path / "a.key"
    load_key(path)
    path.chmod(0o640)
    with pytest.raises(SettingError, match="chmod 600"):
        load_key(path)
    path.chmod(0o600)
    path.write_text("secret")
    with pytest.raises(SettingError, match="64 hexadecimal"):
        load_key(path)
    with pytest.raises(SettingError, match="something else"):
        load_key(tmp_path)
    with pytest.raises(SettingError, match="no key here"):
        load_key(tmp_path / "no" / "folder" / "a.key")


def test_pseudonyms_are_a_keyed_hash(key):
    import hashlib
    import hmac
    from base64 import b32encode

    full = hmac.new(key.secret, b"patient\x004711", hashlib.sha256).digest()
    assert key.pseudonym("4711") == "P" + b32encode(full)[:12].decode()
    number = int.from_bytes(hmac.new(key.secret, b"uid\x001.2.3", hashlib.sha256).digest()[:16])
    assert key.uid("1.2.3") == f"2.25.{number}"


def test_shifts_spread_over_ten_years():
    key = Key(os.urandom(32))
    days = np.array([key.shift_days(str(i)) for i in range(2000)])
    assert days.min() >= -4014
    assert days.max() <= -365
    assert 900 < days.std() < 1200  # 3650 / sqrt(12) is 1054.
