from dataclasses import replace
from pathlib import Path

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.learn.recipe import Recipe
from medclf.learn.take_method import set_method, tell_lack, what_is_there
from medclf.method.table import COPIED, METHODS
from medclf.prepare.exam import Prepare

RECIPE = Recipe(Prepare((28, 28), 1))


def cohort(**facts):
    """Twelve training exams whose facts change from one to the next."""
    records = [
        Record(str(n), {"image": Source(Path("a.png"))}, str(n), n % 2, "train", facts_of(facts, n))
        for n in range(12)
    ]
    return Cohort(tuple(records), Task(("a", "b"), "exclusive"), Path("exams.csv"))


def facts_of(columns, n):
    return {name: values[n % len(values)] for name, values in columns.items()}


def test_facts_are_those_of_the_patient_and_what_is_left_out_is_told():
    found = cohort(age=(40.0, 50.0), sex=("F", "M"), proven_by=("eye", "histology"))
    recipe, reasons = set_method(RECIPE, found, "image_and_facts")
    assert recipe.facts.columns == ("age", "sex=F", "sex=M")
    assert "no facts of the patient: proven_by" in reasons["facts.numbers"]


def test_columns_of_the_making_alone_serve_no_method_of_facts():
    has = what_is_there(cohort(scanner=("one", "two")), 2)
    assert not has["facts"]
    assert "as age or sex" in tell_lack("image_and_facts", has)
    assert tell_lack("whole_image", has) == ""


def test_a_placed_patch_reads_where_its_point_lies_and_how_far_aside():
    flat = set_method(RECIPE, cohort(), "placed_patch")[0].facts
    assert flat.numbers == ("place_y", "place_x", "place_aside")
    deep = set_method(replace(RECIPE, prepare=Prepare((8, 8, 8), 1)), cohort(), "placed_patch")[0]
    assert deep.facts.numbers == ("place_z", "place_y", "place_x", "place_aside")
    assert deep.facts.mean == (0.5, 0.5, 0.5, 0.25)


def test_methods_with_copies_are_methods():
    assert set(METHODS) >= COPIED


def test_only_methods_that_see_images_whole_average_shifted_copies():
    recipe = replace(RECIPE, fit=replace(RECIPE.fit, shift=0.04))
    assert set_method(recipe, cohort(), "patch")[0].fit.shift == 0.04
    joined, reasons = set_method(recipe, cohort(), "near_and_far")
    assert joined.fit.shift == 0
    assert "no shifted copies" in reasons["fit.shift"]
