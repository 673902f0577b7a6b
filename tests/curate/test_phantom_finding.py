import numpy as np
import pytest
from scipy.integrate import quad

from medclf.curate.phantom.body import build_body
from medclf.curate.phantom.finding import KINDS, Finding, place_finding
from medclf.curate.phantom.person import draw_person
from medclf.curate.phantom.projection import AERATED, SOFT_PER_MM, project
from medclf.curate.phantom.screen import Screen
from medclf.curate.phantom.shapes import turning


@pytest.fixture(scope="module")
def body():
    rng = np.random.default_rng(3)
    return build_body(draw_person(60, "M", rng), rng, step=2)


def test_shadow_of_a_nodule_is_the_integral_of_its_density():
    place = np.array([10.0, 0, -50])
    nodule = Finding("nodule", 0, place, np.array([0.0, 0, 1]), 0.6, build=1.0, seed=0)
    screen = Screen(100, 1.0)
    thickness = nodule.within(None, [], screen)
    radius = nodule.size_mm / 2
    z, x = screen.axes
    for row, column in ((39, 0), (42, 3), (33, -2)):
        apart = float(np.hypot(z[row, 0] - 10, x[0, column] + 50))
        half = np.sqrt(max(radius**2 - apart**2, 0))
        inside = lambda y, d=apart: np.sqrt(max(1 - (y**2 + d**2) / radius**2, 0))  # noqa: E731
        expected = nodule.density * quad(inside, -half, half)[0]
        assert thickness[row, column] == pytest.approx(expected, abs=1e-6)


def test_nodule_adds_its_attenuation_in_the_place_of_air(body):
    nodule = place_finding(body, "nodule", 0.9, np.random.default_rng(0))
    screen = Screen(190, 2.0)
    shadows = [project(body, f, screen, 1, np.random.default_rng(7)) for f in (nodule, None)]
    added = shadows[0] - shadows[1]
    peak = SOFT_PER_MM * (1 - AERATED) * nodule.density * np.pi / 4 * nodule.size_mm
    assert added.max() == pytest.approx(peak, rel=0.02)
    row, column = np.unravel_index(added.argmax(), added.shape)
    z, x = screen.axes
    assert abs(z[row, 0] - nodule.place[0]) <= 1.01
    assert abs(x[0, column] - nodule.place[2]) <= 1.01


@pytest.mark.parametrize("kind", KINDS)
def test_findings_lie_in_clear_lung(body, kind):
    rng = np.random.default_rng(0)
    findings = [place_finding(body, kind, 0.5, rng) for _ in range(40)]
    assert body.clear(np.array([f.place for f in findings])).all()
    assert {f.lung for f in findings} == {0, 1}
    assert all((f.place[2] > 0) == (f.lung == 1) for f in findings)


@pytest.mark.parametrize("kind", KINDS)
def test_severity_makes_a_finding_plainer(body, kind):
    screen = Screen(95, 4.0)
    plain = project(body, None, screen, 1, np.random.default_rng(7))
    added = []
    for severity in (0.1, 0.35, 0.6, 1.0):
        finding = place_finding(body, kind, severity, np.random.default_rng(2))
        shadow = project(body, finding, screen, 1, np.random.default_rng(7))
        added.append(np.sum((shadow - plain) ** 2))
    assert np.all(np.diff(added) > 0)
    assert added[0] < added[-1] / 30


def test_consolidation_stays_in_the_air_of_its_lung(body):
    screen = Screen(95, 4.0)
    finding = place_finding(body, "consolidation", 1.0, np.random.default_rng(2))
    added = project(body, finding, screen, 1, np.random.default_rng(7)) - project(
        body, None, screen, 1, np.random.default_rng(7)
    )
    z, x = screen.axes
    outline = body.lungs[finding.lung].stretch(z, x).thickness
    assert np.all(added[outline == 0] == 0)
    assert added.min() >= -1e-9


def test_finding_turns_with_the_body(body):
    turn = turning(0.05, 0.1, 0.02)
    finding = place_finding(body, "nodule", 0.5, np.random.default_rng(1))
    assert body.moved(turn).airy(finding.moved(turn).place[None]).all()
    assert finding.moved(turn).size_mm == finding.size_mm
