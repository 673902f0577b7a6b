"""Digests know pixels, and nothing else."""

import numpy as np

from medclf.curate.hashing import digest_pixels


def test_a_digest_knows_pixels_only():
    image = np.random.default_rng(0).integers(0, 256, (1, 20, 30)).astype(np.uint8)
    same = digest_pixels(image)
    assert digest_pixels(image.astype(np.int32)) == same
    assert digest_pixels(image.astype(">u2")) == same
    assert digest_pixels(np.asfortranarray(image)) == same
    assert digest_pixels(image.repeat(3, axis=0)) == same
    other = image.copy()
    other[0, 19, 29] ^= 1
    colour = np.concatenate([image, image, other])
    kinds = (other, colour, image.reshape(1, 30, 20), image[:, None], image + 0.5)
    assert len({same, *map(digest_pixels, kinds)}) == len(kinds) + 1


def test_whole_numbers_are_the_same_as_fractions():
    """As those of a CT, which NIfTI stores and DICOM rescales."""
    stored = np.array([[[-1000, 0, 3071]]], np.int16)
    assert digest_pixels(stored) == digest_pixels(stored.astype(np.float32))
    assert digest_pixels(stored) == digest_pixels(stored.astype(np.float64))
    huge = np.array([[[0, 1e12]]], np.float32)
    assert digest_pixels(huge) != digest_pixels(huge * 2)


def test_digests_of_floats():
    image = np.array([[[0.0, 1.5]]], np.float32)
    assert digest_pixels(image) == digest_pixels(np.array([[[-0.0, 1.5]]], np.float64))
    assert digest_pixels(image) != digest_pixels(image + 1)
