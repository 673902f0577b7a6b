"""Scores are printed as they are, whatever classes and paths are called."""

from medclf.cli.scores import show_scores


def test_notes_are_no_markup(capsys):
    notes = ["no exam has the class 'birads [old]'", "left out: scans[/]1.png"]
    show_scores({"n_exams": 2, "n_patients": 2, "notes": notes})
    assert capsys.readouterr().out.splitlines()[-2:] == notes
