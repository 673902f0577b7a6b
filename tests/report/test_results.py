from medclf.report.results import table_scores, tell_results
from medclf.report.words import name_of, number, span


def test_every_score_stands_in_the_table_beside_validation(composed):
    contents = composed("binary")
    table = table_scores(contents.test, contents.validation)
    rows = {row.name: row for row in table.groups[0].rows}
    figures, beside = contents.test.scores.figures, contents.validation.scores.figures
    assert set(rows) == {name_of(name) for name in figures}
    for name, figure in figures.items():
        row = rows[name_of(name)]
        assert (row.drawn.text, row.drawn.note) == (number(figure.value), span(figure))
        assert row.cells[0].text == number(beside[name].value)
    assert table.groups[0].rows[0].name == "AUC"
    assert (table.score, table.headings) == ("On test", ("On validation",))


def test_validation_is_not_shown_beside_itself(composed):
    validation = composed("binary").validation
    table = tell_results(validation, validation).table
    assert (table.score, table.headings) == ("Value", ())


def test_a_loss_beyond_the_axis_is_told_in_digits_only(composed):
    rows = {row.name: row for row in table_scores(composed("many").test).groups[0].rows}
    assert float(rows["Log loss"].drawn.text) > 1
    assert rows["Log loss"].mark.value == ""
    assert rows["AUC"].mark.value


def test_the_words_name_the_positive_class_and_its_threshold(composed):
    judged = composed("binary").test
    words = tell_results(judged).words
    assert "“nodule” is the positive class" in words
    assert number(judged.decision.thresholds[0]) in words
    assert "from “mild” to “severe”" in tell_results(composed("ranked").test).words
