import pytest

from medclf.read.dicom.header import CLOCK, DECLARED
from medclf.read.dicom.phase import find_phases


@pytest.fixture
def timed(make_header):
    """Two images at each of three places, with marks; and their numbers by place."""

    def make(*rows, **common):
        headers = [
            make_header(height, **{name: time}, **common)
            for height, row in enumerate(rows)
            for name, *times in [row]
            for time in times
        ]
        return headers, [[2 * place, 2 * place + 1] for place in range(len(rows))]

    return make


def test_each_place_is_ranked_by_its_times(timed):
    headers, places = timed(("TriggerTime", 40.0, 10.0), ("TriggerTime", 10.0, 40.0))
    found = find_phases(headers, places, DECLARED)
    assert found.order.tolist() == [[1, 2], [0, 3]]
    assert (found.names, found.remarks) == (("10 ms", "40 ms"), ())


def test_the_time_of_day_counts_from_the_first(timed):
    headers, places = timed(
        ("AcquisitionTime", 36000.0, 36002.5), ("AcquisitionTime", 36001, 36004.0)
    )
    assert find_phases(headers, places, DECLARED) is None
    headers, places = timed(
        ("AcquisitionTime", 36000.0, 36002.5), ("AcquisitionTime", 36000.5, 36003.0)
    )
    assert find_phases(headers, places, CLOCK).names == ("0 s", "2.5 s")


def test_times_that_differ_within_a_phase_are_told(timed):
    headers, places = timed(("TriggerTime", 10.0, 40.0), ("TriggerTime", 12.0, 42.0))
    (remark,) = find_phases(headers, places, DECLARED).remarks
    assert (remark.kind, "up to 2" in remark.message) == ("gated", True)


def test_phases_may_overlap_only_where_a_gated_series_states_their_number(timed):
    rows = ("TriggerTime", 10.0, 40.0), ("TriggerTime", 45.0, 90.0)
    assert find_phases(*timed(*rows), DECLARED) is None
    assert find_phases(*timed(*rows, CardiacNumberOfImages=3.0), DECLARED) is None
    assert find_phases(*timed(*rows, CardiacNumberOfImages=2.0), DECLARED) is not None


@pytest.mark.parametrize(
    "row",
    [
        ("TriggerTime", 10.0, 10.0),
        ("TriggerTime", 10.0, None),
        ("TriggerTime", 10.0, "late"),
        ("TriggerTime", 10.0),
        ("EchoTime", 10.0, 40.0),
    ],
)
def test_what_orders_nothing(timed, row):
    headers, places = timed(("TriggerTime", 10.0, 40.0), row)
    assert find_phases(headers, [some[: len(row) - 1] for some in places], DECLARED) is None


def test_one_image_at_each_place_has_no_phases(make_header):
    headers = [make_header(height, TriggerTime=1.0) for height in range(3)]
    assert find_phases(headers, [[0], [1], [2]], DECLARED) is None


def test_the_surest_mark_decides(timed):
    headers, places = timed(("TriggerTime", 40.0, 10.0), ("TriggerTime", 40.0, 10.0))
    known = [{"TemporalPositionIdentifier": 1.0}, {"TemporalPositionIdentifier": 2.0}] * 2
    for header, more in zip(headers, known, strict=True):
        mark = header.mark
        object.__setattr__(header, "mark", lambda name, m=mark, k=more: k.get(name, m(name)))
    assert find_phases(headers, places, DECLARED).names == ("time 1", "time 2")
