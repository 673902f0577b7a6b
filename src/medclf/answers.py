"""New exams are predicted: files, folders of a volume, or the rows of a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.prediction import Prediction
from medclf.core.record import Record
from medclf.curate.cohort import Columns, read_exams
from medclf.curate.folder import TABLES
from medclf.curate.series import find_images
from medclf.curate.split import read_headers
from medclf.errors import CohortError, ReadError, SettingError
from medclf.learn.align import columns_of
from medclf.learn.bag import doubt_images
from medclf.learn.contribute import tell_views
from medclf.learn.domain import domain_column, doubt_domains, known_domains, name_domain
from medclf.learn.facts import doubt_facts, encode_facts
from medclf.learn.run import Run
from medclf.learn.trained import Held, Trained
from medclf.method.table import find_method
from medclf.prepare.exam import prepare_image
from medclf.prepare.marked import read_marked
from medclf.prepare.order import once_in_turn
from medclf.prepare.place import add_places, asks_place
from medclf.prepare.site import sites_of
from medclf.read.image import read_image

AT_ONCE = 64  # images in memory


@dataclass(frozen=True)
class Answers:
    """Predicts exams a few at a time.

    Args:
        run: Whose members judge.
        trained: These members.
        site: Where the exams come from, where the run goes by the site, or by another domain, and
            no table tells it.
        skip_unreadable: Answer what cannot be read with the reason alone, rather than stop.
    """

    run: Run
    trained: Trained
    site: str = ""
    skip_unreadable: bool = False

    def list_exams(
        self, files: Iterable[str | Path], series: str | None, images: Path | None = None
    ) -> list[Record | Prediction]:
        """List exams: one for each file or folder of a volume, or each exam of a table.

        The columns of a table are those of the table that the run learnt from, where they were
        named; its images lie in the folder or zip named, or else beside it. Those of the training
        are never looked for: names such as 0001.png come again. A folder in which no volume is
        found is answered already, where that may be.

        Raises:
            ReadError: a file is not there, or a table cannot be read.
        """
        known = columns_of(self.run.facts["data"])
        pattern = series or known.series
        named = Columns(known.path, exam=known.exam, view=known.view, images=images)
        columns = replace(named, series=pattern, point=known.point, mask=known.mask)
        found: list[Record | Prediction] = []
        for path in map(Path, files):
            if path.is_file() and path.name.lower().endswith(TABLES):
                found += read_exams(path, columns, Columns(patient=known.patient))
            else:
                found.append(self._find(path, pattern))
        return found

    def _find(self, path: Path, pattern: str | None) -> Record | Prediction:
        try:
            record = Record(str(path), find_images(path, pattern), str(path))
            return read_headers([record], patients=False)[0][0]
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
            found = iter(self._try([one for one in part if isinstance(one, Record)]))
            yield [next(found) if isinstance(one, Record) else one for one in part]

    def _try(self, records: Sequence[Record]) -> list[Prediction]:
        """Predict exams together, or, where one of them cannot be read, each by itself."""
        try:
            return self._predict(records) if records else []
        except ReadError as problem:
            if not self.skip_unreadable:
                raise
            if len(records) == 1:
                return [_refuse(records[0].name, problem)]
        return [one for record in records for one in self._try([record])]

    def _predict(self, records: Sequence[Record]) -> list[Prediction]:
        recipe = self.trained.recipe
        for record in records:
            if len(record.images) > 1 and "one image" in find_method(recipe.method.name).needs:
                raise ReadError(
                    f"{record.name}: one image wanted, as {recipe.method.name} sees it, "
                    f"found {', '.join(record.images)}"
                )
        if asks_place(recipe.facts.numbers):
            records = add_places(records, asked=recipe.facts.numbers)
        if self.site:
            records = [name_domain(record, recipe, self.site) for record in records]
        rows, remarked = self._prepare(records)
        facts = encode_facts(records, recipe.facts)
        usual = self.run.facts["data"].get("views", ())
        taken = doubt_domains(self.trained, rows, facts)
        warnings = [
            (*doubt_facts(record, recipe.facts), *doubt_images(record, usual), *doubts, *remarks)
            for record, doubts, remarks in zip(records, taken, remarked, strict=True)
        ]
        found = self.trained.predict([record.name for record in records], rows, facts, warnings)
        return tell_views(self.trained, records, rows, facts, found)

    def _prepare(self, records: Sequence[Record]) -> tuple[Held, list[list[str]]]:
        """Read and prepare the images of some exams; give what a person should look at in each."""
        prepare, read = self.trained.recipe.prepare, once_in_turn(read_image)
        sites = [self.site] * len(records)
        if prepare.site and not self.site and any(prepare.site in r.facts for r in records):
            sites = sites_of(records, prepare)
        values: list[NDArray[Any]] = []
        remarked: list[list[str]] = [[] for _ in records]
        table = np.full((len(records), max(len(record.images) for record in records)), -1)
        for number, (record, site) in enumerate(zip(records, sites, strict=True)):
            for place, source in enumerate(record.images.values()):
                image, mark = read_marked(source, prepare, read)
                remarked[number] += [f"{r.kind}: {r.message}" for r in image.remarks if r.grave]
                table[number, place] = len(values)
                values.append(prepare_image(image, prepare, str(source), site, mark))
        return Held(np.stack(values), table), remarked


def _refuse(name: str, problem: Exception) -> Prediction:
    """Answer an exam that cannot be read."""
    return Prediction(name, (), (), (), (str(problem),))


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
    elif site and not recipe.prepare.site:
        raise SettingError(f"{run.folder}: no site wanted, which this run does not go by")
