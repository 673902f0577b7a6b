import numpy as np
import pytest
import torch

from medclf.core.record import Record
from medclf.errors import CohortError
from medclf.learn.facts import (
    choose_domains,
    choose_facts,
    count_doubts,
    doubt_facts,
    encode_facts,
    learn_facts,
)
from medclf.learn.settings import Facts


def exam(number, **facts):
    return Record(str(number), {}, str(number), facts=facts)


EXAMS = [
    exam(n, age=40.0 + n, sex="F" if n % 2 else "M", site="here", note=f"free text {n}")
    for n in range(20)
]


def test_facts_are_numbers_and_words_that_differ():
    chosen = choose_facts(EXAMS, ())
    assert chosen.columns == ("age", "sex=F", "sex=M")
    assert chosen.mean == (49.5,)
    assert choose_facts(EXAMS, ("age",)).columns == ("age",)
    with pytest.raises(CohortError, match="the column 'weight' wanted, found age, sex, site, note"):
        choose_facts(EXAMS, ("weight",))


def test_facts_are_standardised_and_missing_stays_missing():
    chosen = choose_facts(EXAMS, ())
    found = encode_facts([*EXAMS, exam("x", age=None, sex="other"), exam("y")], chosen)
    assert found.shape == (22, 3)
    assert found[:20, 0].mean().abs() < 1e-6
    assert found[:20, 0].std(correction=0) == pytest.approx(1)
    assert torch.equal(found[:2, 1:], torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    assert found[20:].isnan().all()
    assert encode_facts(EXAMS, choose_facts([exam(1)], ())) is None


def test_strange_and_missing_facts_are_told():
    chosen = choose_facts(EXAMS, ())
    assert doubt_facts(EXAMS[0], chosen) == ()
    told = doubt_facts(exam("x", sex="other"), chosen)
    assert told == ("not known: age", "sex is 'other', which training never saw")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"age": "unk", "sex": "F"}, "age is 'unk', which is no number and not looked at"),
        ({"age": 540.0, "sex": "F"}, "age is 540, far from 49.5 ± 5.766 of training"),
        ({"age": 50.0, "sex": 1.0}, "sex is 1, where training had words; it is not looked at"),
    ],
)
def test_facts_coded_differently_are_told(facts, told):
    assert doubt_facts(exam("x", **facts), choose_facts(EXAMS, ())) == (told,)


def test_measures_are_learnt_anew_and_words_stay():
    chosen = choose_facts(EXAMS, ())
    again = learn_facts(EXAMS[:10], chosen)
    assert again.words == chosen.words
    assert again.mean == (pytest.approx(44.5),)
    assert np.isfinite(again.deviation).all()


def test_every_data_set_is_a_domain_and_of_scanners_the_common_ones():
    sets = [exam(n, dataset=f"set {n % 20:02}") for n in range(62)]
    assert choose_domains(sets).words == tuple(f"dataset=set {n:02}" for n in range(20))
    scanners = [exam(n, scanner="ABC"[n % 3] if n < 30 else "rare") for n in range(32)]
    assert choose_domains(scanners).words == ("scanner=A", "scanner=B", "scanner=C")


def test_a_column_named_without_a_word_gets_the_words_of_training_exams():
    assert learn_facts(EXAMS, Facts(words=("sex",))).words == ("sex=F", "sex=M")
    both = learn_facts(EXAMS, Facts(numbers=("age",), words=("sex=F",)))
    assert both.columns == ("age", "sex=F")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Facts(numbers=("sex",)), "numbers that differ .* column 'sex' .* found 'M'"),
        (Facts(words=("site",)), "two words .* column 'site' .* found 'here'"),
        (Facts(numbers=("weight",)), "the column 'weight' wanted"),
        (Facts(words=("weight=90",)), "the column 'weight' wanted"),
    ],
)
def test_a_column_that_tells_nothing_is_refused(asked, told):
    with pytest.raises(CohortError, match=told):
        learn_facts(EXAMS, asked)


def test_numbers_that_are_alike_keep_the_measures_of_the_recipe():
    with pytest.raises(CohortError, match="found 40"):
        learn_facts(EXAMS[:1] * 9, Facts(numbers=("age",)))
    kept = Facts(numbers=("age",), mean=(50.0,), deviation=(10.0,))
    assert learn_facts(EXAMS[:1] * 9, kept) == kept


def test_a_few_odd_cells_of_a_column_of_numbers_are_read_as_missing():
    exams = [exam(n, age=f"{40 + n % 30}", sex="FM"[n % 2]) for n in range(59)]
    exams.append(exam("old", age="90+", sex="F"))
    chosen = choose_facts(exams, ())
    assert chosen.columns == ("age", "sex=F", "sex=M")
    assert encode_facts(exams, chosen)[-1].isnan().tolist() == [True, False, False]
    assert doubt_facts(exams[-1], chosen) == ("age is '90+', which is no number and not looked at",)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_facts_of_any_magnitude_are_standardised(scale):
    exams = [exam(n, level=scale * (100 + n)) for n in range(20)]
    found = encode_facts(exams, choose_facts(exams, ()))
    assert found.std(correction=0) == pytest.approx(1, rel=1e-4)
    assert found.mean().abs() < 1e-4
    assert choose_facts([exam(n, level=0.1) for n in range(7)], ()).columns == ()


def test_doubts_are_counted_for_each_column():
    settings = Facts(("age",), (55.0,), (10.0,), ("sex=F", "sex=M"))
    exams = [exam(1, age=50.0, sex="F"), exam(2, age=130.0), exam(3, age="old", sex="male")]
    assert count_doubts(exams, settings) == [
        "age: of 3 exams 1 with what training never saw, as 'old', 1 far from those of training",
        "sex: of 3 exams 1 without, 1 with what training never saw, as 'male'",
    ]
    assert not count_doubts(exams[:1], settings)
    assert not count_doubts(exams, Facts())
