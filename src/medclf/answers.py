"""New exams are predicted: files, folders of a volume, or the rows of a table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.prediction import Prediction
from medclf.core.record import Record
from medclf.curate.cohort import Columns, read_unlabelled
from medclf.curate.folder import TABLES
from medclf.curate.headers import read_headers
from medclf.curate.series import find_images
from medclf.errors import CohortError, ReadError, SettingError
from medclf.learn.align import columns_of
from medclf.learn.bag import doubt_images
from medclf.learn.contribute import tell_views
from medclf.learn.domain import domain_column, doubt_domains, known_domains, name_domain
from medclf.learn.facts import doubt_facts, encode_facts
from medclf.learn.recipe import Recipe
from medclf.learn.run import Run
from medclf.learn.trained import Held, Trained
from medclf.method.table import find_method
from medclf.prepare.exam import prepare_image
from medclf.prepare.marked import read_marked
from medclf.prepare.order import Read, once_in_turn
from medclf.prepare.place import add_places, asks_place
from medclf.prepare.site import sites_of
from medclf.read.image import read_image

AT_ONCE = 64  # images in memory


@dataclass(frozen=True)
class Seen:
    """An exam that could be read.

    Args:
        record: The exam.
        values: Its images, prepared: (C, *size) each.
        remarks: What a person should look at before use.
    """

    record: Record
    values: list[NDArray[Any]]
    remarks: list[str]


@dataclass(frozen=True)
class Answers:
    """Predicts exams a few at a time.

    Args:
        run: Whose members judge.
        trained: These members.
        site: Where the exams come from, where the run goes by the site, or by another domain, and
            no table tells it.
        skip_unreadable: Answer what cannot be read with the reason alone, rather than stop.
        note: Told what was inferred of a table, as which series of DICOM folders is read.
    """

    run: Run
    trained: Trained
    site: str = ""
    skip_unreadable: bool = False
    note: Callable[[str], None] | None = None

    def list_exams(
        self, files: Iterable[str | Path], series: str | None, images: str | Path | None = None
    ) -> list[Record | Prediction]:
        """List exams: one for each file or folder of a volume, or each exam of a table.

        The columns of a table are those of the table that the run learnt from, where they were
        named; its images lie in the folder or zip named, or else beside it. Those of the training
        are never looked for: names such as 0001.png come again. A folder in which no volume is
        found is answered already, where that may be; a file that a table names and that is missing
        is left to be found unreadable, if any other is there.
        So is an exam of a table that has no image.

        Raises:
            CohortError: files of a table are missing, and such are not skipped, or all are.
            ReadError: a file is not there, a table cannot be read, or an exam of it has no image
                and such are not skipped.
        """
        known = columns_of(self.run.facts["data"])
        pattern, usual = series or known.series, self.run.facts["data"].get("series")
        place = None if images is None else Path(images)
        named = Columns(known.path, exam=known.exam, view=known.view, images=place)
        columns = replace(named, series=pattern or usual, point=known.point, mask=known.mask)
        found: list[Record | Prediction] = []
        for path in map(Path, files):
            if path.is_file() and path.name.lower().endswith(TABLES):
                found += self._list_rows(path, columns, Columns(patient=known.patient))
            else:
                found.append(self._find(path, pattern, usual))
        return found

    def _list_rows(self, path: Path, columns: Columns, usual: Columns) -> list[Record | Prediction]:
        """List the exams of a table; those without an image are answered already, at the end."""
        table = read_unlabelled(path, columns, usual, absent=self.skip_unreadable)
        if self.note is not None:
            for note in table.notes:
                self.note(note)
        lacking = [(name, ReadError(f"{at}: no image of this exam")) for name, at in table.blind]
        if lacking and not self.skip_unreadable:
            raise lacking[0][1]
        return [*table.records, *(_refuse(name, problem) for name, problem in lacking)]

    def _find(self, path: Path, pattern: str | None, usual: str | None) -> Record | Prediction:
        try:
            record = Record(str(path), find_images(path, pattern, usual), str(path))
            asks = self.trained.recipe.facts.columns or self.trained.recipe.prepare.site
            return read_headers([record], patients=False)[0][0] if asks else record
        except (CohortError, ReadError) as problem:
            if not self.skip_unreadable:
                raise
            return _refuse(str(path), problem)

    def parts(self, listed: Sequence[Record | Prediction]) -> Iterable[list[Prediction]]:
        """Predict exams, so many at once that their images fit into memory.

        Raises:
            ReadError: one cannot be read, and such are not skipped.
        """
        records = [one for one in listed if isinstance(one, Record)]
        most = max(1, AT_ONCE // max((len(record.images) for record in records), default=1))
        for start in range(0, len(listed), most):
            part = listed[start : start + most]
            found = iter(self._answer([one for one in part if isinstance(one, Record)]))
            yield [next(found) if isinstance(one, Record) else one for one in part]

    def _answer(self, records: Sequence[Record]) -> list[Prediction]:
        """Answer exams: those that can be read are judged together, as if the others were not."""
        read = once_in_turn(read_image)
        told: dict[int, Prediction] = {}
        seen: dict[int, Seen] = {}
        for number, record in enumerate(records):
            try:
                seen[number] = self._prepare(record, read)
            except ReadError as problem:
                if not self.skip_unreadable:
                    raise
                told[number] = _refuse(record.name, problem)
        placed = self._place([records[number] for number in seen])
        for number, one in zip(list(seen), placed, strict=True):
            if isinstance(one, Prediction):
                told[number] = one
                del seen[number]
            else:
                seen[number] = replace(seen[number], record=one)
        if seen:
            told |= zip(seen, self._judge(list(seen.values())), strict=True)
        return [told[number] for number in range(len(records))]

    def _prepare(self, record: Record, read: Read) -> Seen:
        """Read and prepare the images of an exam."""
        recipe, prepare = self.trained.recipe, self.trained.recipe.prepare
        if len(record.images) > 1 and "one image" in find_method(recipe.method.name).needs:
            raise ReadError(
                f"{record.name}: one image wanted, as {recipe.method.name} sees it, "
                f"found {', '.join(record.images)}"
            )
        site = self.site
        if not site and prepare.site in record.facts:
            (site,) = sites_of([record], prepare)
        values, remarked = list[NDArray[Any]](), list[str]()
        for source in record.images.values():
            image, mark = read_marked(source, prepare, read)
            remarked += [f"{r.kind}: {r.message}" for r in image.remarks if r.grave]
            values.append(prepare_image(image, prepare, str(source), site, mark))
        return Seen(record, values, remarked)

    def _place(self, records: Sequence[Record]) -> list[Record | Prediction]:
        """Add where points lie, if asked; if one cannot be told, to each exam by itself."""
        asked = self.trained.recipe.facts.numbers
        if not asks_place(asked):
            return list(records)
        try:
            return list(add_places(records, asked=asked))
        except ReadError as problem:
            if not self.skip_unreadable:
                raise
            if len(records) == 1:
                return [_refuse(records[0].name, problem)]
        return [one for record in records for one in self._place([record])]

    def _judge(self, seen: Sequence[Seen]) -> list[Prediction]:
        """Judge exams that were read, and tell what is doubtful of each."""
        recipe, records = self.trained.recipe, [one.record for one in seen]
        if self.site:
            records = [name_domain(record, recipe, self.site) for record in records]
        table = np.full((len(seen), max(len(one.values) for one in seen)), -1)
        for row, one in zip(table, seen, strict=True):
            row[: len(one.values)] = np.arange(len(one.values)) + table.max() + 1
        rows = Held(np.stack([values for one in seen for values in one.values]), table)
        facts = encode_facts(records, recipe.facts)
        usual = self.run.facts["data"].get("views", ())
        taken = doubt_domains(self.trained, rows, facts)
        warnings = [
            (
                *doubt_facts(record, recipe.facts),
                *doubt_images(record, usual),
                *doubts,
                *one.remarks,
            )
            for one, record, doubts in zip(seen, records, taken, strict=True)
        ]
        names = [record.name for record in records]
        found, each = self.trained.predict(names, rows, facts, warnings)
        return tell_views(self.trained, records, found, each)


def _refuse(name: str, problem: Exception) -> Prediction:
    """Answer an exam that cannot be read."""
    return Prediction(name, (), (), (), (str(problem),))


def goes_by_site(recipe: Recipe) -> bool:
    """Tell whether a run goes by the site, or by another domain."""
    return bool(domain_column(recipe) or recipe.prepare.site)


def expect_site(trained: Trained, site: str, run: Run) -> None:
    """Check that a site, or another domain, is named only where the run goes by it.

    Raises:
        SettingError: it does not, or training saw no such domain.
    """
    recipe = trained.recipe
    if site and (column := domain_column(recipe)):
        if site not in (known := known_domains(recipe)):
            told = ", ".join(known)
            raise SettingError(f"{run.folder}: {column} is one of {told} in this run, not {site!r}")
    elif site and not goes_by_site(recipe):
        raise SettingError(f"{run.folder}: no site wanted, which this run does not go by")
