from dataclasses import replace

from medclf.report.subgroups import tell_subgroups
from medclf.report.words import number


def test_groups_stand_below_all_exams(composed):
    judged = composed("binary").test
    everyone, sex = tell_subgroups(judged).table.groups
    assert [row.name for row in everyone.rows] == ["All exams"]
    assert everyone.rows[0].drawn.text == number(judged.scores.figures["auc"].value)
    assert sex.name == "Sex"
    for row, group in zip(sex.rows, judged.scores.subgroups["sex"], strict=True):
        assert (row.name, row.cells[0].text) == (group.name, str(group.exams))
        assert row.drawn.text == number(group.figures["auc"].value)
        assert row.mark.mean


def test_a_group_too_small_says_so(composed, judge):
    p = composed("binary").test.predictions
    rare = ("X",) * 4 + p.facts["sex"][4:]
    judged = judge(replace(p, facts={"scanner_type": rare}))
    _, groups = tell_subgroups(judged).table.groups
    assert groups.name == "Scanner type"
    row = {row.name: row for row in groups.rows}["X"]
    assert row.note.startswith("too few exams")
    assert (row.cells[0].text, row.mark.value) == ("4", "")


def test_facts_of_which_no_group_can_be_measured_are_named_and_not_laid_out(composed, judge):
    p = composed("binary").test.predictions
    rare = tuple("ABCDEFGH"[i % 8] if i < 16 else None for i in range(len(p)))
    told = tell_subgroups(judge(replace(p, facts={**p.facts, "ward_code": rare})))
    assert [group.name for group in told.table.groups] == ["", "Sex"]
    assert told.words.endswith("Too few exams to measure any group by ward code.")
    alone = tell_subgroups(judge(replace(p, facts={"ward": rare})))
    assert alone.table is None
    assert alone.words == "Too few exams to measure any group by ward."


def test_without_facts_there_is_nothing_to_tell(composed, judge):
    p = composed("binary").test.predictions
    assert tell_subgroups(judge(replace(p, facts={}))) is None
