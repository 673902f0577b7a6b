"""What readers remarked of images, noted as these are prepared, for those who see only the values.

A store is made once and read by no reader after that, so remarks are noted beside the stores in a
file of JSON lines: under what an image is made of, whatever it is called and however prepared.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.prepare.digest import FileDigest, digest_parts, write_row
from medclf.prepare.order import Read

KEY_LETTERS = 32


@dataclass(frozen=True, eq=False)
class Notes:
    """The remarks of images, and the file that keeps them.

    Args:
        place: The file; it need not be there.
        files: The digest of each file that the images are made of.
        known: What was noted, by what an image is made of.
    """

    place: Path
    files: Mapping[Path, FileDigest]
    known: dict[str, tuple[Remark, ...]] = field(default_factory=dict)

    def noting(self, read: Read) -> Read:
        """Read as `read` does, and note what it remarks; several threads may."""

        def reading(source: Source) -> Image:
            image = read(source)
            found = image.remarks[len(source.remarks) :]  # Finding it told the others.
            if found and (key := self._key(source)) not in self.known:
                self.known[key] = found
                line = json.dumps([key, [asdict(remark) for remark in found]]) + "\n"
                with self.place.open("ab", buffering=0) as file:
                    file.write(line.encode())
            return image

        return reading

    def of(self, source: Source) -> tuple[Remark, ...]:
        """Tell what is remarked of an image: how it was found, and how it was read at any time."""
        noted = self.known.get(self._key(source), ()) if self.known else ()
        return (*source.remarks, *noted)

    def _key(self, source: Source) -> str:
        whole = replace(source, point=None, mask=None)
        line = write_row(whole, digest_parts(whole, self.files))
        return hashlib.sha256(line).hexdigest()[:KEY_LETTERS]


def open_notes(place: Path, files: Mapping[Path, FileDigest]) -> Notes:
    """Read what was noted before; lines that a crash cut short are passed over."""
    known: dict[str, tuple[Remark, ...]] = {}
    if place.exists():
        for line in place.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                key, remarks = json.loads(line)
                known[key] = tuple(Remark(**remark) for remark in remarks)
            except (ValueError, TypeError):
                continue
    return Notes(place, files, known)
