"""Our table of attributes and our list of safe private elements, held against the standard's own.

    python bench/profile_standard.py part15.xml
    python bench/profile_standard.py e1_1.json e3_10_1.json

Each file is a form of DICOM PS3.15: the standard's DocBook, a page of its HTML, or JSON that was
made of it with one object per row (`rows`, of which each names tag, actions and options). Every
row of table E.1-1 is compared with `profile.csv`, and every row of table E.3.10-1 that holds plain
values with `safe_private.csv`. Prints the differences, and digests of both sides: the test of the
table pins the digest, so it needs no copy of the standard.
"""

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

from medclf.curate.deidentify.private import load_safe
from medclf.curate.deidentify.profile import load_profile

Facts = dict[str, str]
"""What becomes of each attribute, or the kind of each safe element, in one line by its tag."""

COLUMNS = {
    "private": ("Rtn. Safe Priv. Opt.", "retain_safe_private"),
    "uids": ("Rtn. UIDs Opt.", "retain_uids"),
    "device": ("Rtn. Dev. Id. Opt.", "retain_device_identity"),
    "institution": ("Rtn. Inst. Id. Opt.", "retain_institution_identity"),
    "patient": ("Rtn. Pat. Chars. Opt.", "retain_patient_characteristics"),
    "full_dates": ("Rtn. Long. Full Dates Opt.", "retain_longitudinal_full_dates"),
    "shifted_dates": ("Rtn. Long. Modif. Dates Opt.", "retain_longitudinal_modified_dates"),
    "descriptors": ("Clean Desc. Opt.", "clean_descriptors"),
    "structured": ("Clean Struct. Cont. Opt.", "clean_structured_content"),
    "graphics": ("Clean Graph. Opt.", "clean_graphics"),
}
"""Our columns, as the standard heads them and as JSON names them."""

PLAIN = ("AT", "CS", "DS", "FD", "FL", "IS", "LO", "LT", "SH", "SL", "SS", "ST", "UL", "US")
"""Kinds of values that can be looked through, so that safe elements of these are kept."""

Row = Mapping[str, str]


class Tables(HTMLParser):
    """Reads the tables of a page, HTML or DocBook, as rows of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")

    def handle_data(self, data: str) -> None:
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of every table, by the words above their columns."""
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        for row in json.loads(text)["rows"]:
            names = {head: row.get("options", {}).get(name, "") for head, name in COLUMNS.values()}
            names |= {"Tag": row["tag"], "Basic Prof.": row.get("basic_profile", "")}
            names |= {"Data Element": row["tag"], "VR": row.get("vr", "")}
            yield names | {"Private Creator": row.get("private_creator", "")}
        return
    page = Tables()
    page.feed(text)
    for table in page.tables:
        head = [tidy(cell) for cell in table[0]] if table else []
        for cells in table[1:]:
            yield dict(zip(head, map(tidy, cells), strict=False))


def tidy(cell: str) -> str:
    return " ".join(cell.replace("\u200b", "").split())


def read_standard(paths: list[Path]) -> tuple[Facts, Facts]:
    """Read the rows of table E.1-1, and of table E.3.10-1 those with plain values."""
    profile, safe = {}, {}
    for path in paths:
        for row in read_rows(path):
            tag = re.sub(r"[(),\s]", "", row.get("Tag", "")).upper()
            if row.get("Basic Prof."):
                actions = {name: row.get(head, "") for name, (head, _) in COLUMNS.items()}
                key = "PRIVATE" if "ODD" in tag else tag
                profile[key] = describe(row["Basic Prof."], actions)
            elif row.get("Private Creator") and row.get("VR") in PLAIN:
                element = re.sub(r"[(),\s]", "", row["Data Element"]).upper()
                safe[f"{row['Private Creator']} {element}"] = row["VR"]
    return profile, safe


def read_ours() -> tuple[Facts, Facts]:
    """Put our two tables in the same form."""
    rules = load_profile().values()
    profile = {rule.tag: describe(rule.basic, rule.options) for rule in rules}
    safe = {
        f"{creator} {group:04X}XX{element:02X}": vr
        for (creator, group), elements in load_safe().items()
        for element, vr in elements.items()
    }
    return profile, safe


def describe(basic: str, actions: Mapping[str, str]) -> str:
    told = (f"{name}={actions[name]}" for name in COLUMNS if actions.get(name))
    return " ".join((basic, *told))


def digest(facts: Facts) -> str:
    """Hash the facts, whatever their order."""
    lines = "\n".join(f"{key} {facts[key]}" for key in sorted(facts))
    return sha256(lines.encode()).hexdigest()


def compare(name: str, ours: Facts, theirs: Facts) -> None:
    """Print how many rows there are, each that differs, and both digests."""
    apart = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
    print(f"{name}: {len(theirs)} rows of the standard's, {len(ours)} of ours, {len(apart)} differ")
    for key in apart:
        print(f"  {key}: the standard {theirs.get(key, '-')}, ours {ours.get(key, '-')}")
    print(f"  digest of the standard's {digest(theirs)}\n  digest of ours           {digest(ours)}")


def main() -> None:
    """Compare what the given files hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    theirs = read_standard(parser.parse_args().files)
    names = ("attributes, table E.1-1", "safe private elements, table E.3.10-1")
    for name, our, their in zip(names, read_ours(), theirs, strict=True):
        if their:
            compare(name, our, their)


if __name__ == "__main__":
    main()
