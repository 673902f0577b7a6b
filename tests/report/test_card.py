from dataclasses import replace

from medclf.evaluate.threshold import Decision
from medclf.report.card import ALWAYS, INTENDED, tell_card


def test_the_card_says_what_it_rests_on(composed):
    contents = composed("binary")
    facts = dict(tell_card(contents).facts)
    assert facts["Intended for"] == "A test."
    assert facts["Measured on"] == "120 exams of 60 patients"
    value = f"{contents.test.scores.figures['auc'].value:.3f}".lstrip("0")
    assert facts["Figures"].startswith(f"AUC {value} (")
    assert "“nodule” from a probability of" in facts["Decides by"]
    assert tell_card(contents).limits[-len(ALWAYS) :] == ALWAYS


def test_the_card_says_how_each_kind_decides(composed):
    facts = dict(tell_card(composed("exclusive")).facts)
    assert facts["Decides by"] == "the likeliest class"
    facts = dict(tell_card(composed("coexisting")).facts)
    assert facts["Decides by"].startswith("effusion .")
    contents = composed("binary")
    keen = replace(contents.test, decision=Decision((0.25,), "balanced", sensitivity=0.95))
    words = dict(tell_card(replace(contents, test=keen)).facts)["Decides by"]
    assert words.endswith("for balanced accuracy, to keep a sensitivity of .950 there")
    contents = composed("many")
    weighed = replace(contents.test, decision=Decision((0.03,) * 30, "balanced"))
    words = dict(tell_card(replace(contents, test=weighed)).facts)["Decides by"]
    assert words == "a threshold for each of 30 classes, chosen on validation for balanced accuracy"


def test_without_figures_the_card_still_says_what_it_is_for(composed):
    contents = replace(composed("binary"), test=None, validation=None, intended="", counts=())
    assert tell_card(contents).facts == (("Intended for", INTENDED),)
