"""How `bench/fuzz.py` damages a file: bits, cuts, lengths, tags, depth and size, all by a seed."""

import struct
from collections.abc import Callable

import numpy as np

from fuzz_seeds import Seed

Rng = np.random.Generator
HUGE = (
    *(0, 1, 7, 255, 256, 9000, 14000, 32767, 32768, 65535, 2**24),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1),
)
"""Numbers at the limits of a type, and sizes that are just allowed."""

WORDS = (
    *(
        b"1e400",
        b"nan",
        b"-1",
        b"-0",
        b"999999999999",
        b"\\\\\\\\",
        b"\xff\xfe\x80",
        b"\0\0",
        b"inf\\1",
    ),
    *(
        b"1\\2\\3\\4",
        b"0.0000000001",
        b"2147483648",
        b"\n\r\x1b[31m",
        b"MONOCHROME1",
        b"PALETTE COLOR",
    ),
)
"""Values that are none, too large, too many, or another word than was there."""

HEAD = 400
"""Bytes at the start of a file that are hurt as often as all others together."""

DEEPEST = 6000


def mutate(seed: Seed, rng: Rng) -> tuple[bytes, bool]:
    """Damage a seed, and tell whether it was packed anew afterwards, so that checksums hold."""
    names = [name for name, (_, fits) in WAYS.items() if fits(seed)]
    name = names[int(rng.integers(len(names)))]
    change = WAYS[name][0]
    if rng.random() < 0.5:
        return change(seed.pack(seed.inner), seed, rng), False
    return seed.pack(change(seed.inner, seed, rng)), True


def _place(raw: bytes, rng: Rng) -> int:
    end = min(HEAD, len(raw)) if rng.random() < 0.5 else len(raw)
    return int(rng.integers(max(1, end)))


def flip_bits(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Flip one to sixteen bits."""
    hurt = bytearray(raw)
    for _ in range(int(rng.integers(1, 17))):
        hurt[_place(raw, rng)] ^= 1 << int(rng.integers(8))
    return bytes(hurt)


def overwrite(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Write a few bytes over others."""
    hurt, place = bytearray(raw), _place(raw, rng)
    length = int(rng.integers(1, 33))
    hurt[place : place + length] = rng.bytes(length)
    return bytes(hurt)


def cut(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Cut the end off."""
    return raw[: _place(raw, rng)]


def cut_within(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Take a piece out of the middle."""
    place = _place(raw, rng)
    return raw[:place] + raw[place + int(rng.integers(1, 65)) :]


def insert(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Put zeros, noise or a piece of the file into it."""
    place, start, length = _place(raw, rng), _place(raw, rng), int(rng.integers(1, 513))
    piece = (bytes(length), rng.bytes(length), raw[start : start + length])[int(rng.integers(3))]
    return raw[:place] + piece + raw[place:]


def forge_number(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Write a number that is a limit of something where any number might stand."""
    width, order = int(rng.choice([1, 2, 4, 8])), "little" if rng.random() < 0.5 else "big"
    number = HUGE[int(rng.integers(len(HUGE)))] % 256**width
    hurt, place = bytearray(raw), _place(raw, rng)
    hurt[place : place + width] = number.to_bytes(width, order)
    return bytes(hurt)


def claim(raw: bytes, seed: Seed, rng: Rng) -> bytes:
    """Claim another size where the file tells its sizes, mostly a huge one."""
    hurt = bytearray(raw)
    for _ in range(int(rng.integers(1, 4))):
        place, form = seed.claims[int(rng.integers(len(seed.claims)))]
        if form.startswith("S"):
            width = int(form[1:])
            hurt[place : place + width] = str(int(rng.choice(HUGE))).ljust(width)[:width].encode()
            continue
        top = 256 ** struct.calcsize(form) - 1 >> (form[-1] in "hiq")
        number = min(HUGE[int(rng.integers(len(HUGE)))], top)
        number = int(rng.integers(top, endpoint=True)) if rng.random() < 0.3 else number
        hurt[place : place + struct.calcsize(form)] = struct.pack(form, number)
    return bytes(hurt)


def _elements(raw: bytes) -> list[int]:
    """Find where elements of explicit VR may begin: an even group, and two letters behind it."""
    places = range(132, len(raw) - 8, 2)
    found = [
        p for p in places[:4000] if raw[p + 4 : p + 6].isalpha() and raw[p + 4 : p + 6].isupper()
    ]
    return found or [132]


def swap_tags(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Let two elements of a DICOM file change names."""
    places, hurt = _elements(raw), bytearray(raw)
    one, other = (places[int(rng.integers(len(places)))] for _ in range(2))
    hurt[one : one + 4], hurt[other : other + 4] = raw[other : other + 4], raw[one : one + 4]
    return bytes(hurt)


def forge_length(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Give an element of a DICOM file another length, or another kind."""
    places, hurt = _elements(raw), bytearray(raw)
    place = places[int(rng.integers(len(places)))]
    if rng.random() < 0.3:
        kind = (b"SQ", b"UN", b"OB", b"UT", b"DS", b"IS", b"AT", b"FD", b"US")[int(rng.integers(9))]
        hurt[place + 4 : place + 6] = kind
    else:
        number = HUGE[int(rng.integers(len(HUGE)))]
        hurt[place + 6 : place + 8] = (number % 65536).to_bytes(2, "little")
        if rng.random() < 0.5:
            hurt[place + 8 : place + 12] = (number % 2**32).to_bytes(4, "little")
    return bytes(hurt)


def forge_value(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Write words that are no sound value over that of an element of a DICOM file."""
    places = [place for place in _elements(raw) if raw[place + 4 : place + 6] not in (b"OW", b"OB")]
    hurt = bytearray(raw)
    for _ in range(int(rng.integers(1, 4))):
        place = places[int(rng.integers(len(places)))] if places else 132
        length = int.from_bytes(raw[place + 6 : place + 8], "little") % 65
        word = WORDS[int(rng.integers(len(WORDS)))]
        hurt[place + 8 : place + 8 + length] = (word * (length // len(word) + 1))[:length]
    return bytes(hurt)


def nest(raw: bytes, _: Seed, rng: Rng) -> bytes:
    """Put sequences within sequences into a DICOM file, mostly never closed."""
    item = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    places = _elements(raw)
    place = places[int(rng.integers(len(places)))]
    depth = int(rng.integers(1, DEEPEST))
    close = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" if rng.random() < 0.5 else b""
    return raw[:place] + item * depth + close * depth + raw[place:]


def _any(_: Seed) -> bool:
    return True


def _is_dicom(seed: Seed) -> bool:
    return seed.file.endswith(".dcm") or seed.find is not None


WAYS: dict[str, tuple[Callable[[bytes, Seed, Rng], bytes], Callable[[Seed], bool]]] = {
    "bits flipped": (flip_bits, _any),
    "bytes overwritten": (overwrite, _any),
    "cut short": (cut, _any),
    "cut within": (cut_within, _any),
    "bytes put in": (insert, _any),
    "number forged": (forge_number, _any),
    "size claimed": (claim, lambda seed: bool(seed.claims)),
    "tags swapped": (swap_tags, _is_dicom),
    "length forged": (forge_length, _is_dicom),
    "sequences nested": (nest, _is_dicom),
    "value forged": (forge_value, _is_dicom),
}
"""Each way to damage a file, and which seeds it fits."""
