"""The task that labels in words state."""

import pytest

from medclf.curate.task import infer_task, is_negative
from medclf.errors import CohortError, SettingError


@pytest.mark.parametrize(
    "word",
    ["Normal", "NEGATIVE", "benign", "no_finding", "No Finding", "healthy", "control", "0", "no",
     "absent", "non-covid", "without pneumonia", "none", "False"],
)  # fmt: skip
def test_usual_names_of_an_absence(word):
    assert is_negative(word)


@pytest.mark.parametrize("word", ["nodule", "abnormal", "1", "noma", "nv", "positive", "10", ""])
def test_names_of_a_finding(word):
    assert not is_negative(word)


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (["abscess", "normal"], ("normal", "abscess")),
        (["PNEUMONIA", "NORMAL"], ("NORMAL", "PNEUMONIA")),
        (["1", "0"], ("0", "1")),
        (["benign", "malignant"], ("benign", "malignant")),
        (["covid", "no_covid"], ("no_covid", "covid")),
        (["b", "a"], ("a", "b")),
        (["benign", "adenoma"], ("benign", "adenoma")),
        (["normal", "benign"], ("benign", "normal")),
    ],
)
def test_of_two_classes_the_finding_is_positive(words, classes):
    task, numbers, notes = infer_task(words)
    assert task.kind == "exclusive"
    assert task.classes == classes
    assert [task.classes[n] for n in numbers] == words
    assert f"--classes {classes[1]},{classes[0]}" in notes[0]


def test_order_given_by_the_person_wins():
    task, numbers, _ = infer_task(["normal", "ill"], classes=("ill", "normal"))
    assert task.classes == ("ill", "normal")
    assert numbers == [1, 0]


def test_a_named_class_may_be_absent_but_no_other_may_be_found():
    task, numbers, _ = infer_task(["b", None], classes=("a", "b"))
    assert (task.classes, numbers) == (("a", "b"), [1, None])
    with pytest.raises(CohortError, match=r"found also 'c' \(1\)"):
        infer_task(["a", "c"], classes=("a", "b"))


def test_several_classes_are_sorted_by_name_and_numbers_by_value():
    assert infer_task(["nv", "Mel", "bkl"])[0].classes == ("bkl", "Mel", "nv")
    task, _, notes = infer_task([str(n) for n in (10, 9, 2, 0)])
    assert task.classes == ("0", "2", "9", "10")
    assert task.kind == "exclusive"
    assert "--kind ranked" in notes[0]
    assert infer_task(["3", "1", "2"], kind="ranked")[0].classes == ("1", "2", "3")


@pytest.mark.parametrize(
    "words",
    [
        ("grade 0", "grade 1", "grade 2", "grade 10"),
        ("Stage I", "stage II", "Stage III", "Stage IV"),
        ("KL-0", "KL-1", "KL-2", "KL-3", "KL-4"),
        ("BI-RADS 2", "BIRADS 3", "BI-RADS 4a", "BI-RADS 4b", "BI-RADS 5"),
    ],
)
def test_grades_rank(words):
    stemmed = [word.replace("BIRADS", "BI-RADS") for word in words]
    task, numbers, notes = infer_task(stemmed[::-1])
    assert task.kind == "ranked"
    assert task.classes == tuple(stemmed)
    assert numbers == list(range(len(words)))[::-1]
    assert "ranked" in notes[0]


def test_grades_do_not_rank_against_the_persons_word():
    task, *_ = infer_task(["grade 10", "grade 2", "grade 1"], kind="exclusive")
    assert (task.kind, task.classes) == ("exclusive", ("grade 1", "grade 2", "grade 10"))


@pytest.mark.parametrize("words", [("grade 1", "grade 2", "unknown"), ("stage 1", "kl 2", "kl 3")])
def test_words_that_are_not_all_grades_do_not_rank(words):
    assert infer_task(words)[0].kind == "exclusive"


def test_an_order_that_nothing_tells_is_asked_for():
    words = ["mild", "severe", "moderate"]
    with pytest.raises(CohortError, match="--classes"):
        infer_task(words, kind="ranked")
    given = ("mild", "moderate", "severe")
    task, numbers, _ = infer_task(words, kind="ranked", classes=given)
    assert (task.kind, task.classes, numbers) == ("ranked", given, [0, 2, 1])


def test_findings_coexist():
    labels = ["Effusion|Mass", "No Finding", "Mass", None]
    task, numbers, notes = infer_task(labels)
    assert (task.kind, task.classes) == ("coexisting", ("Effusion", "Mass"))
    assert numbers == [(1, 1), (0, 0), (0, 1), None]
    assert any("'No Finding' is read as: no finding" in note for note in notes)
    columns = [("b",), (), ("a", "b")]
    task, numbers, _ = infer_task(columns, kind="coexisting", classes=("b", "a"))
    assert (task.classes, numbers) == (("b", "a"), [(1, 0), (0, 0), (1, 1)])


def test_one_column_per_class_may_exclude():
    one_hot = [("mel",), ("nv",), ("nv",)]
    task, numbers, _ = infer_task(one_hot, kind="exclusive", classes=("mel", "nv"))
    assert (task.kind, numbers) == ("exclusive", [0, 1, 1])
    with pytest.raises(CohortError, match="2 found: mel, nv"):
        infer_task([("mel", "nv")], kind="exclusive", classes=("mel", "nv"))
    with pytest.raises(CohortError, match="without any"):
        infer_task([()], kind="exclusive", classes=("mel", "nv"))


def test_a_finding_beside_its_absence_is_refused():
    with pytest.raises(CohortError, match=r"No Finding\|Mass"):
        infer_task(["No Finding|Mass", "Mass"])


@pytest.mark.parametrize("words", [["Normal ", "normal", "ill"], ["A  b", "a b", "c"]])
def test_spellings_are_never_merged_silently(words):
    with pytest.raises(CohortError, match=r"spaces or case.*--tidy-labels") as caught:
        infer_task(words)
    assert repr(words[0]) in str(caught.value)
    task, numbers, notes = infer_task(words, tidy=True)
    assert len(task.classes) == 2
    assert numbers[0] == numbers[1]
    assert notes[0].startswith("Labels tidied")


def test_the_commonest_spelling_or_the_given_one_stays():
    words = ["NORMAL", "normal", "normal ", "normal", "ill"]
    assert infer_task(words, tidy=True)[0].classes == ("normal", "ill")
    task, numbers, _ = infer_task(words, classes=("Ill", "Normal"), tidy=True)
    assert (task.classes, numbers) == (("Ill", "Normal"), [1, 1, 1, 1, 0])


def test_spaces_around_a_sole_spelling_go_with_a_note():
    task, _, notes = infer_task([" yes", " no"])
    assert task.classes == ("no", "yes")
    assert "' yes' to 'yes'" in notes[0]


@pytest.mark.parametrize("words", [["0.5", "1.25", "3"], ["0.1", "1e-3"]])
def test_measurements_are_refused(words):
    with pytest.raises(CohortError, match="measurements"):
        infer_task(words)


@pytest.mark.parametrize("words", [["normal"] * 3, [None, None], []])
def test_two_classes_are_needed(words):
    with pytest.raises(CohortError, match="two classes or more wanted, found only"):
        infer_task(words)


def test_settings_are_checked():
    with pytest.raises(SettingError, match="kind is exclusive, coexisting, ranked, not 'sorted'"):
        infer_task(["a", "b"], kind="sorted")
    with pytest.raises(SettingError, match="class names must differ"):
        infer_task(["a", "a"], classes=("a", "a"))
