"""The standard scale comes from the exams given, in whatever order, and from no others."""

from dataclasses import replace

import numpy as np
import pytest

from medclf.core.image import Image
from medclf.core.record import Point, Record, Source
from medclf.errors import CohortError, ReadError, SettingError
from medclf.prepare.exam import Prepare
from medclf.prepare.landmarks import average_landmarks, measure_landmarks
from medclf.prepare.standard import learn_standard
from medclf.prepare.store import open_store

SETTINGS = Prepare((8, 8), 1, intensity="landmarks", dtype="float16")


@pytest.fixture
def study(tmp_path):
    """Six pictures from two scanners, of which one shows everything twice as bright."""
    rng, records = np.random.default_rng(0), []
    for number in range(6):
        values = rng.gamma(2.0 + 0.2 * number, 100, (1, 8, 8)).astype(np.float32)
        path = tmp_path / f"{number}.npy"
        np.save(path, values[0] * (1 + number % 2))
        facts = {"scanner": float(number % 2)}
        records.append(Record(path.name, {"image": Source(path)}, path.name, facts=facts))
    return records


def test_it_is_the_mean_over_the_exams(study):
    found = learn_standard(study, SETTINGS)
    rows = [measure_landmarks(np.load(r.source.path)[None], SETTINGS.marks) for r in study]
    assert found == replace(SETTINGS, landmarks=average_landmarks(rows))
    assert learn_standard(study[::-1], SETTINGS).landmarks == pytest.approx(found.landmarks)
    assert learn_standard(study[:2], SETTINGS).landmarks != found.landmarks


def test_what_is_usual_at_each_site(study):
    settings = replace(SETTINGS, site="scanner")
    told = []
    found = learn_standard(study, settings, progress=lambda *count: told.append(count))
    assert found.sites == ("0", "1")
    assert told[-1] == (6, 6)
    for site, usual in enumerate(np.reshape(found.site_landmarks, (2, -1))):
        rows = [
            measure_landmarks(np.load(r.source.path)[None], SETTINGS.marks) for r in study[site::2]
        ]
        np.testing.assert_allclose(usual, np.mean(rows, axis=0), rtol=1e-5)


def test_images_of_one_value_tell_nothing_of_a_site(study, tmp_path):
    np.save(tmp_path / "flat.npy", np.full((8, 8), 7, np.float32))
    flat = Record("f", {"image": Source(tmp_path / "flat.npy")}, "f", facts={"scanner": 0.0})
    settings = replace(SETTINGS, site="scanner")
    found, without = (learn_standard(some, settings) for some in ([*study, flat], study))
    assert found.site_landmarks == without.site_landmarks


def test_all_images_of_an_exam_count(study):
    exams = [
        replace(one, images={"a": one.source, "b": other.source})
        for one, other in zip(study[::2], study[1::2], strict=True)
    ]
    told = []
    found = learn_standard(exams, SETTINGS, progress=lambda *count: told.append(count))
    assert found == learn_standard(study, SETTINGS)
    assert told[-1] == (6, 6)


@pytest.mark.parametrize("crop", ["point", "mask"])
def test_it_is_learnt_from_what_is_marked(study, tmp_path, crop):
    """Around each picture lies what is brighter by far, and no part of what is judged."""
    mask = np.zeros((24, 24), np.uint8)
    mask[9:15, 9:15] = 1
    np.save(tmp_path / "mask.npy", mask)
    marked = []
    for record in study:
        path = tmp_path / f"wide {record.name}"
        np.save(path, np.pad(np.load(record.source.path), 8, constant_values=1e5))
        mark = {"point": Point((11.5, 11.5), "samples"), "mask": Source(tmp_path / "mask.npy")}
        marked.append(replace(record, images={"image": Source(path, **{crop: mark[crop]})}))
    found = learn_standard(marked, replace(SETTINGS, crop=crop))
    assert found.landmarks == pytest.approx(learn_standard(study, SETTINGS).landmarks, abs=0.1)


def test_a_store_goes_by_the_site_of_each_exam(study, tmp_path):
    found = learn_standard(study, replace(SETTINGS, site="scanner"))
    store = open_store(study, found, tmp_path / "cache")
    other = [replace(study[0], facts={"scanner": 1.0}), *study[1:]]
    moved = open_store(other, found, tmp_path / "cache")
    assert store.digest != moved.digest
    assert (store.values[0] != moved.values[0]).any()
    np.testing.assert_array_equal(store.values[1:], moved.values[1:])
    strange = [*study, replace(study[0], name="strange", facts={"scanner": "new"})]
    with pytest.raises(ReadError, match=r"^1 of 7 .* a scanner of 0, 1 wanted, .* found 'new'"):
        open_store(strange, found, tmp_path / "cache")


def test_what_cannot_be_learnt_is_told(study, tmp_path):
    by_site = replace(SETTINGS, site="scanner")
    with pytest.raises(CohortError, match="training exams wanted"):
        learn_standard([], SETTINGS)
    with pytest.raises(SettingError, match=r"the column 'hospital' wanted, found scanner"):
        learn_standard(study, replace(SETTINGS, site="hospital"))
    with pytest.raises(CohortError, match=r"^5\.npy: a scanner wanted, .* found none"):
        learn_standard([*study[:5], replace(study[5], facts={"scanner": None})], by_site)
    with pytest.raises(SettingError, match=r"wants prepare\.landmarks, found none"):
        open_store(study, SETTINGS, tmp_path / "cache")


def test_what_cannot_be_read_is_left_out_where_it_may(study, tmp_path):
    (tmp_path / "bad.npy").write_bytes(b"no image")
    bad = Source(tmp_path / "bad.npy")
    some = replace(study[0], images={**study[0].images, "other": bad})
    with pytest.raises(ReadError, match=r"bad\.npy"):
        learn_standard([some, *study[1:]], SETTINGS)
    found = learn_standard([some, *study[1:]], SETTINGS, skip_unreadable=True)
    assert found == learn_standard(study, SETTINGS)
    with pytest.raises(ReadError, match=r"bad\.npy"):
        learn_standard([replace(some, images={"image": bad})], SETTINGS, skip_unreadable=True)


def test_it_is_learnt_from_the_image_as_it_is_cut(study):
    def framed(source):
        """Put each picture into a dark frame, which a body crop takes away again."""
        values = np.pad(np.load(source.path)[None], ((0, 0), (30, 30), (30, 30)))
        return Image(values, bits=32)

    whole = learn_standard(study, replace(SETTINGS, crop="body"), read=framed)
    assert whole.landmarks == pytest.approx(learn_standard(study, SETTINGS).landmarks, abs=0.02)
