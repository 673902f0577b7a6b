import bz2
import gzip
import zlib

import numpy as np
import pytest

from medclf.errors import ReadError
from medclf.read.inflate import bunzip, gunzip, inflate, inflate_bare

NOISE = np.random.default_rng(0).integers(0, 7, 300_000, np.uint8).tobytes()
PACKED = {"zlib": zlib.compress(NOISE), "gzip": gzip.compress(NOISE), "bzip2": bz2.compress(NOISE)}
UNPACK = {"zlib": inflate, "gzip": inflate, "bzip2": bunzip}


@pytest.mark.parametrize("form", UNPACK)
def test_what_was_packed_comes_back(form):
    assert UNPACK[form](PACKED[form], len(NOISE), "x") == NOISE
    assert UNPACK[form](PACKED[form], len(NOISE) + 5, "x") == NOISE  # The caller compares sizes.


@pytest.mark.parametrize("form", UNPACK)
@pytest.mark.parametrize("size", [0, 1, len(NOISE) - 1])
def test_more_than_was_claimed_is_refused(form, size):
    with pytest.raises(ReadError, match="x: unpacks to more than"):
        UNPACK[form](PACKED[form], size, "x")


@pytest.mark.parametrize("form", UNPACK)
def test_cut_or_damaged(form):
    packed = PACKED[form]
    for cut in (1, 5, 12, len(packed) // 2, len(packed) - 1):
        with pytest.raises(ReadError, match=r"^x: .*(cut short|damaged)"):
            UNPACK[form](packed[:cut], len(NOISE), "x")
    rng = np.random.default_rng(1)
    for place in rng.integers(12, len(packed) - 12, 20):
        hurt = bytearray(packed)
        hurt[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(ReadError, match=r"^x: "):
            UNPACK[form](bytes(hurt), len(NOISE), "x")


def test_a_stream_without_header_unpacks_to_just_its_size():
    packed = PACKED["zlib"][2:-4]
    assert inflate_bare(packed, len(NOISE), "x") == NOISE
    assert inflate_bare(b"\x03\0", 0, "x") == b""
    for raw, size in [(packed, 7), (packed, len(NOISE) + 1), (packed[:-9], len(NOISE)), (b"", 9)]:
        with pytest.raises(ReadError, match=rf"x: damaged: it does not unpack to {size:,} bytes"):
            inflate_bare(raw, size, "x")


@pytest.mark.parametrize("second", [NOISE, NOISE[:7], b""])
def test_parts_of_any_size_are_joined(second):
    """A second part of the size of the first must not be taken for its end."""
    raw = gzip.compress(NOISE) + gzip.compress(second)
    assert gunzip(raw, "x") == NOISE + second
    assert gunzip(raw + b"\0" * 100, "x") == NOISE + second  # As tapes pad it.


def test_thousands_of_parts_cost_no_more_than_one():
    parts = [NOISE[i : i + 30] for i in range(0, 150_000, 30)]
    assert gunzip(b"".join(map(gzip.compress, parts)), "x") == NOISE[:150_000]


def test_a_bomb_or_a_forged_size_is_not_unpacked():
    bomb = gzip.compress(bytes(10_000_000))
    with pytest.raises(ReadError, match="x: unpacks to more than 1,000 bytes"):
        gunzip(bomb, "x", limit=1000)
    forged = PACKED["gzip"][:-4] + (2**31 - 1).to_bytes(4, "little")
    with pytest.raises(ReadError, match="x: damaged gzip data"):
        gunzip(forged, "x")
