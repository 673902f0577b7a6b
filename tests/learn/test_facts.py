import numpy as np
import pytest
import torch

from medclf.core.record import Record
from medclf.errors import CohortError
from medclf.learn.facts import choose_domains, choose_facts, doubt_facts, encode_facts, learn_facts


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
