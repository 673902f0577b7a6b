"""The key: from it alone come pseudonyms, new UIDs and shifts of dates, the same in every run.

Each is a keyed hash of what it replaces. Whoever holds the key finds the same pseudonym again and
can add exams years later; whoever does not can neither compute nor test one. So the key stands in
a file of its own that only its owner may read, outside of what is given away.

Source: Krawczyk, Bellare, Canetti. HMAC: Keyed-Hashing for Message Authentication. RFC 2104, 1997;
DICOM PS3.5, B.2 (UIDs of the form 2.25).
"""

import hmac
import os
import secrets
import stat
from base64 import b32encode
from dataclasses import dataclass, field
from pathlib import Path

from medclf.errors import SettingError

FEWEST_DAYS, DAYS = 365, 3650
_BYTES, _LETTERS = 32, 12


@dataclass(frozen=True)
class Key:
    """A secret, and what is derived from it.

    Example:
        >>> key = Key(b"secret")
        >>> key.pseudonym("4711") == key.pseudonym(" 4711 "), key.uid("1.2.3")[:5]
        (True, '2.25.')
    """

    secret: bytes = field(repr=False)

    def digest(self, kind: str, text: str) -> bytes:
        """Hash a text, apart from the same text of another kind."""
        return hmac.digest(self.secret, f"{kind}\0{text}".encode("utf-8", "replace"), "sha256")

    def word(self, kind: str, text: str, letters: int = _LETTERS) -> str:
        """Make a short word of capital letters and digits, 5 bits a letter."""
        return b32encode(self.digest(kind, text)).decode()[:letters]

    @property
    def mark(self) -> str:
        """Tell this key from others, to whoever has not seen it: eight letters."""
        return self.word("mark of the key", "", 8)

    def pseudonym(self, patient: str) -> str:
        """Name a patient: P and twelve letters."""
        return "P" + self.word("patient", patient.strip())

    def accession(self, number: str) -> str:
        """Replace an accession number: A and twelve letters."""
        return "A" + self.word("accession", number.strip())

    def uid(self, uid: str) -> str:
        """Replace a UID by one of the form 2.25, which any software takes."""
        return f"2.25.{int.from_bytes(self.digest('uid', uid)[:16], 'big')}"

    def shift_days(self, patient: str) -> int:
        """Tell by how many days, all into the past, the dates of a patient move.

        From one to eleven years. Times of the day stay, so that intervals do.
        """
        drawn = int.from_bytes(self.digest("shift", patient.strip())[:8], "big")
        return -(FEWEST_DAYS + drawn % DAYS)


def load_key(path: Path, *forbidden: Path) -> tuple[Key, bool]:
    """Read the key, or make a new one where there is none.

    Args:
        path: Its file.
        forbidden: Folders in which it must not lie.

    Returns:
        The key, and whether it is new.

    Raises:
        SettingError: it lies in such a folder, others may read it, or it is no key.
    """
    place = path.resolve()
    for folder in forbidden:
        inside = folder.resolve()
        if place == inside or inside in place.parents:
            raise SettingError(f"{path}: the key must lie outside of {folder}")
    try:
        try:
            return _read(path), False
        except FileNotFoundError:
            return _make(path), True
    except OSError as problem:
        raise SettingError(f"{path}: no key here: {problem.strerror}") from problem


def _read(path: Path) -> Key:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise SettingError(f"{path}: a file with the key wanted, found something else")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingError(f"{path}: others may open the key: chmod 600 it")
    text = path.read_bytes().strip()
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise SettingError(f"{path}: a key of {2 * _BYTES} hexadecimal digits wanted")
    return Key(secret)


def _make(path: Path) -> Key:
    secret = secrets.token_bytes(_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Key(secret)
