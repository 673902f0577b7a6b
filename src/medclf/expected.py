"""What a cohort is said to be of is asked of a run that tells kinds of images apart.

The run is any whose classes are kinds: modalities, views, parts of the body. Each image of the
cohort is judged by itself. One is a stranger where the run gives the expected kind a probability
below the level that its validation exams set, or where the run takes no such images at all, as a
photograph in colour where it learnt from grey images.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.curate.stranger import Level, Stranger, Strangers, find_level
from medclf.curate.survey import Progress
from medclf.errors import ReadError, RunError, SettingError
from medclf.evaluate.ranking import indicators
from medclf.evaluate.score import Numbers
from medclf.evaluate.table import read_predictions
from medclf.learn.facts import encode_facts
from medclf.prepare.place import asks_place
from medclf.prepare.store import open_store
from medclf.verbs import TrainedRun, load


@dataclass(frozen=True)
class Expected:
    """A run, and the one of its classes that images are expected to be of.

    Args:
        run: That tells kinds of images.
        kind: Number of the class.
        level: Below which an image is a stranger.
    """

    run: TrainedRun
    kind: int
    level: Level

    def find_strangers(self, cohort: Cohort, progress: Progress | None = None) -> Strangers:
        """Judge every image of a cohort.

        Args:
            progress: Called with the images prepared and their total.

        Raises:
            ReadError: the run can judge none of them.
        """
        alone = _each_image(cohort)
        records = [replace(record, name=name) for name, record in alone.items()]
        recipe = self.run.trained.recipe
        try:
            store = open_store(records, recipe.prepare, progress=progress, skip_unreadable=True)
        except ReadError as problem:
            raise ReadError(
                f"{cohort.origin}: images that {self.run.run.folder} can judge wanted: {problem}"
            ) from problem
        judged = [alone[name] for name in store.names]
        facts = encode_facts(judged, recipe.facts)
        shares, _ = self.run.trained.probabilities(store, np.arange(len(judged)), facts)
        found = self._pick(judged, shares)
        found += [Stranger(*_names(alone[name]), reason=why) for name, why in store.failures]
        return Strangers(
            expected=self.run.run.task.classes[self.kind],
            by=str(self.run.run.folder),
            level=self.level,
            judged=len(records),
            found=tuple(sorted(found, key=lambda one: one.share)),
        )

    def _pick(self, records: Sequence[Record], shares: Numbers) -> list[Stranger]:
        """Take those below the level, and what they look like most."""
        own, others = shares[:, self.kind], shares.copy()
        others[:, self.kind] = -1
        most, classes = others.argmax(1), self.run.run.task.classes
        return [
            Stranger(
                *_names(records[i]),
                share=float(own[i]),
                alike=classes[most[i]],
                alike_share=float(others[i, most[i]]),
            )
            for i in np.flatnonzero(own < self.level.value).tolist()
        ]


def expect(folder: str | Path, kind: str) -> Expected:
    """Ask a run whether images are of one of its classes.

    Args:
        folder: The run.
        kind: Name of the class.

    Raises:
        RunError: there is no run, it was joined from others, asks where in the body a point lies,
            or does not tell this class.
        SettingError: it has no such class.
    """
    run = load(folder)
    if not isinstance(run, TrainedRun):
        raise RunError(f"{folder}: a run that was trained wanted, found one joined from others")
    if asks_place(run.trained.recipe.facts.numbers):
        raise RunError(f"{folder}: a run of whole images wanted, found one of places in the body")
    classes = run.run.task.classes
    if kind not in classes:
        raise SettingError(f"{folder}: the class {kind!r} wanted, found {', '.join(classes)}")
    table = read_predictions(run.run.folder / "predictions.csv", run.run.task)
    number = classes.index(kind)
    table = table.select(table.splits == "val")
    own = indicators(table.target, len(classes))[:, number]
    if not own.any():
        raise RunError(f"{folder}: validation exams of {kind} wanted, to know how sure, found none")
    level = find_level(table.probabilities[:, number], own)
    if not level.tells:
        raise RunError(
            f"{folder}: a run that tells {kind} from all else wanted, found one that flags "
            f"{100 * level.caught:.0f} % of {level.others:,} validation exams of other classes"
        )
    return Expected(run, number, level)


def _each_image(cohort: Cohort) -> dict[str, Record]:
    """Make each image an exam, by a name of its own; the records keep the name of their exam."""
    return {
        record.name if len(record.images) == 1 else f"{record.name}#{name}": replace(
            record, images={name: source}
        )
        for record in cohort.records
        for name, source in record.images.items()
    }


def _names(record: Record) -> tuple[str, str]:
    """Name the exam of one image, and the image."""
    (image,) = record.images
    return record.name, image
