from dataclasses import replace

import numpy as np
import pytest

from medclf.curate.phantom.detector import DEVICES, expose, respond

IDEAL = replace(DEVICES[0], scatter=0.0, blur_mm=1e-6)


def flat_noise(device, pixel_mm=3.0):
    """Variance of what a flat attenuation of 1 becomes."""
    return expose(np.ones((128, 128)), pixel_mm, device, np.random.default_rng(0)).var()


def test_noise_grows_as_the_dose_falls():
    doses = (2000.0, 500.0, 125.0)
    noise = [flat_noise(replace(IDEAL, quanta_per_mm2=dose)) for dose in doses]
    assert noise[1] / noise[0] == pytest.approx(4, rel=0.1)
    assert noise[2] / noise[1] == pytest.approx(4, rel=0.1)


def test_noise_is_that_of_counting():
    assert flat_noise(IDEAL) == pytest.approx(1 / (IDEAL.quanta_per_mm2 * 9), rel=0.05)


def test_every_device_is_noisier_the_lower_its_dose():
    noise = [flat_noise(replace(device, blur_mm=1e-6)) for device in DEVICES]
    dose = [device.quanta_per_mm2 for device in DEVICES]
    assert np.argsort(noise).tolist() == np.argsort(dose)[::-1].tolist()


def test_quanta_follow_beers_law():
    attenuation = np.zeros((96, 96))
    attenuation[80:] = np.log(8)
    bright = replace(IDEAL, quanta_per_mm2=1e6)
    counted = expose(attenuation, 3.0, bright, np.random.default_rng(0))
    assert counted[:80].mean() / counted[80:].mean() == pytest.approx(8, rel=1e-3)


def test_exposure_control_gives_the_lungs_the_same_dose():
    rng = np.random.default_rng(0)
    thin, thick = (expose(np.full((64, 64), a), 3.0, IDEAL, rng).mean() for a in (0.5, 4.0))
    assert thin == pytest.approx(1, rel=0.01)
    assert thick == pytest.approx(1, rel=0.01)


def test_scatter_lowers_contrast_and_blur_lowers_noise():
    attenuation = np.zeros((96, 96))
    attenuation[80:] = np.log(8)
    veiled = replace(IDEAL, quanta_per_mm2=1e6, scatter=0.5)
    counted = expose(attenuation, 3.0, veiled, np.random.default_rng(0))
    assert counted[:80].mean() / counted[80:].mean() < 6
    assert flat_noise(replace(IDEAL, blur_mm=3.0)) < 0.5 * flat_noise(IDEAL)


def test_response_is_12_bits_and_rises_with_density():
    exposure = np.geomspace(20, 1e-5, 200)[None]
    stored = respond(exposure, replace(DEVICES[0], photometric="MONOCHROME2"))[0]
    turned = respond(exposure, replace(DEVICES[0], photometric="MONOCHROME1"))[0]
    assert stored.dtype == np.uint16
    assert stored.max() <= 4095
    assert np.all(np.diff(stored.astype(int)) >= 0)
    assert np.abs(stored.astype(int) + turned - 4095).max() <= 1


def test_devices_store_both_ways():
    assert {device.photometric for device in DEVICES} == {"MONOCHROME1", "MONOCHROME2"}
