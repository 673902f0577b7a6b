"""Sites held out: who is tested, who is left out, and what is refused."""

from pathlib import Path

import pytest

from medclf.curate.cohort import Columns, read_cohort
from medclf.curate.split import split_cohort
from medclf.errors import CohortError, SettingError

SITES = ("north", "south", "east")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """90 exams of 45 patients at three sites; patient p0 is seen in the north and in the south."""
    rows = ["path,label,patient,site,ward"]
    for n in range(90):
        (tmp_path / f"{n:02}.png").touch()
        patient, site = n // 2, "south" if n == 1 else SITES[n // 2 % 3]
        rows.append(f"{n:02}.png,{'ab'[n // 2 % 5 == 0]},p{patient},{site},{n // 2 % 4}")
    table = tmp_path / "exams.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    return table


def test_the_test_split_is_the_sites_held_out(table):
    cohort = read_cohort(table, Columns(hold_out="site=north"))
    splits = {(record.facts["site"], record.split) for record in cohort.records}
    assert splits == {("north", "test"), ("south", "train"), ("east", "train")}
    split = split_cohort(cohort, seed=0)
    assert {r.name for r in split.records if r.split == "test"} == {
        r.name for r in cohort.records if r.facts["site"] == "north"
    }
    assert {r.facts["site"] for r in split.records if r.split == "val"} == {"south", "east"}


def test_no_patient_who_is_tested_is_learnt_from(table):
    cohort = read_cohort(table, Columns(hold_out="site=north"))
    assert len(cohort.records) == 89
    assert [r.name for r in cohort.records if r.patient == "p0"] == ["00.png"]
    assert "Left out: 1 exam from elsewhere of patients who are tested there." in cohort.notes
    learnt = {r.patient for r in cohort.records if r.split == "train"}
    assert not learnt & {r.patient for r in cohort.records if r.split == "test"}


def test_several_sites_and_numbers_are_held_out(table):
    cohort = read_cohort(table, Columns(hold_out=" ward = 1, 3 "))
    assert {r.facts["ward"] for r in cohort.records if r.split == "test"} == {1.0, 3.0}
    assert {r.facts["ward"] for r in cohort.records if r.split == "train"} == {0.0, 2.0}


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ("north", SettingError, "--hold-out COLUMN=VALUE"),
        ("site=,", SettingError, "--hold-out COLUMN=VALUE"),
        ("clinic=north", CohortError, "no fact 'clinic' is known .* found site, ward"),
        ("site=west", CohortError, r"'west' to hold out, found south \(31\), east \(30\)"),
        ("site=north,south,east", CohortError, "nothing is left"),
    ],
)
def test_what_cannot_be_held_out_is_refused(table, said, kind, message):
    with pytest.raises(kind, match=message):
        read_cohort(table, Columns(hold_out=said))


def test_a_split_of_the_data_is_not_overruled_unless_said(table):
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = [
        f"{lines[0]},split",
        *(f"{line},{'test' if i < 20 else 'train'}" for i, line in enumerate(lines[1:])),
    ]
    table.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(CohortError, match="--hold-out goes with --split none"):
        read_cohort(table, Columns(hold_out="site=north"))
    cohort = read_cohort(table, Columns(hold_out="site=north", split="none"))
    assert {r.facts["site"] for r in cohort.records if r.split == "test"} == {"north"}


def test_exams_of_one_site_are_bound(table):
    cohort = read_cohort(table, Columns(group="site"))
    assert [record.group for record in cohort.records] == [r.facts["site"] for r in cohort.records]
    assert "Exams of one site are dealt together: 3 values." in cohort.notes
    with pytest.raises(CohortError, match="no fact 'clinic'"):
        read_cohort(table, Columns(group="clinic"))
