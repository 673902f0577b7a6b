from dataclasses import replace
from pathlib import Path

import pytest

from medclf.core.task import Task
from medclf.errors import CohortError, RunError, SettingError
from medclf.learn import run as learn_run
from medclf.learn.begin import begin_run, expect_fit, expect_free
from medclf.learn.recipe import Recipe
from medclf.learn.run import open_run, sole_use
from medclf.learn.settings import Decide, Fit, Net
from medclf.learn.transfer import Transfer
from medclf.look.augment import Augment
from medclf.prepare.exam import Prepare

RECIPE = Recipe(Prepare(size=(16, 16), channels=1))
FACTS = {"data": {}, "notes": []}


@pytest.mark.parametrize(
    ("part", "error", "told"),
    [
        ({"net": Net("sprind")}, SettingError, "did you mean 'sprint'"),
        ({"net": Net("sprint", {"depth": 3})}, SettingError, "no option 'depth'"),
        ({"fit": Fit(folds=45)}, CohortError, "45 folds"),
        ({"augment": Augment(mirror=(2,))}, SettingError, "mirror names an axis that 2D"),
        ({"transfer": Transfer("layer4")}, SettingError, "a stage of stem, .*not 'layer4'"),
        ({"net": Net("sprint", {"width": "16"})}, SettingError, "a whole number, not '16'"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_found_out_without_a_pixel(
    make_exams, part, error, told
):
    cohort, _ = make_exams()
    expect_fit(RECIPE, cohort)
    with pytest.raises(error, match=told):
        expect_fit(replace(RECIPE, **part), cohort)


def test_an_aim_that_is_not_for_so_many_classes_is_found_out_before_training(make_exams):
    cohort, _ = make_exams()
    several = replace(cohort, task=Task(("a", "b", "c")))
    for how in ({"threshold": "f1"}, {"sensitivity": 0.95}):
        with pytest.raises(SettingError, match="for two classes"):
            expect_fit(replace(RECIPE, decide=Decide(**how)), several)
        expect_fit(replace(RECIPE, decide=Decide(**how)), cohort)
    with pytest.raises(SettingError, match=r"decide.sensitivity must be in \[0, 0.99\], not 95"):
        Decide(sensitivity=95)


def test_a_cohort_without_validation_is_found_out(make_exams):
    cohort, _ = make_exams()
    records = tuple(r for r in cohort.records if r.split != "val")
    with pytest.raises(CohortError, match="validate"):
        expect_fit(RECIPE, replace(cohort, records=records))


def test_a_folder_is_free_if_it_is_absent_or_empty_but_for_the_lock(tmp_path):
    expect_free(tmp_path / "not" / "there")
    with sole_use(tmp_path):
        pass
    expect_free(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_is_not_free_is_refused_with_what_it_holds(make_exams, tmp_path):
    cohort, _ = make_exams()
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"found file; name another with --out$"):
        expect_free(tmp_path)
    with pytest.raises(RunError, match="a folder for a new run wanted"):
        expect_free(tmp_path / "file")
    with (
        begin_run(tmp_path / "run", RECIPE, cohort, FACTS) as run,
        pytest.raises(RunError, match="another training is at work"),
    ):
        expect_free(run.folder)
    with pytest.raises(RunError, match=r"found a run; .* --resume"):
        expect_free(tmp_path / "run")


def fail(folder: Path, cohort, saved: str = "") -> None:
    with begin_run(folder, RECIPE, cohort, FACTS):
        if saved:
            (folder / saved).parent.mkdir(exist_ok=True)
            (folder / saved).touch()
        (folder / "log.jsonl").touch()
        raise ZeroDivisionError


def test_a_run_that_fails_before_an_epoch_is_saved_leaves_nothing(make_exams, tmp_path):
    cohort, _ = make_exams()
    (tmp_path / "kept").mkdir()
    for folder in (tmp_path / "kept" / "new" / "run", tmp_path / "kept"):
        with pytest.raises(ZeroDivisionError):
            fail(folder, cohort)
        assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]


@pytest.mark.parametrize("saved", ["checkpoint/member-0.safetensors", "weights.safetensors"])
def test_a_run_that_fails_later_stays_to_be_resumed(make_exams, tmp_path, saved):
    cohort, _ = make_exams()
    with pytest.raises(ZeroDivisionError):
        fail(tmp_path / "run", cohort, saved)
    assert not open_run(tmp_path / "run").done
    assert (tmp_path / "run" / saved).exists()


def test_an_interrupted_run_stays(make_exams, tmp_path):
    cohort, _ = make_exams()
    with pytest.raises(KeyboardInterrupt), begin_run(tmp_path / "run", RECIPE, cohort, FACTS):
        raise KeyboardInterrupt
    assert not open_run(tmp_path / "run").done


@pytest.mark.parametrize("cut", ["exams.csv", "recipe.toml", "run.json"])
def test_a_start_that_was_killed_is_begun_anew(make_exams, tmp_path, monkeypatch, cut):
    cohort, _ = make_exams()
    write = learn_run.write_whole

    def die(path: Path, text: str) -> None:
        if path.name == cut:
            (path.parent / f".{path.name}.99.part").touch()
            raise KeyboardInterrupt
        write(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(learn_run, "write_whole", die)
        with pytest.raises(KeyboardInterrupt), begin_run(tmp_path / "r", RECIPE, cohort, FACTS):
            """Never reached."""
    with pytest.raises(RunError, match=r"no run\.json"):
        open_run(tmp_path / "r")
    (tmp_path / "r" / "mine").touch()
    with pytest.raises(RunError, match="found mine"):
        expect_free(tmp_path / "r")
    (tmp_path / "r" / "mine").unlink()
    expect_free(tmp_path / "r")
    with begin_run(tmp_path / "r", RECIPE, cohort, FACTS) as run:
        assert open_run(run.folder).recipe == RECIPE
    names = {path.name for path in run.folder.iterdir()}
    assert names == {".lock", "exams.csv", "recipe.toml", "run.json"}


def test_files_that_only_look_like_a_start_are_kept(make_exams, tmp_path):
    """A person's own table and recipe: no mark of ours stands beside them."""
    (tmp_path / "exams.csv").write_text("precious")
    (tmp_path / "recipe.toml").write_text("precious")
    with pytest.raises(RunError, match=r"found exams\.csv"):
        expect_free(tmp_path)
    assert (tmp_path / "exams.csv").read_text() == "precious"
