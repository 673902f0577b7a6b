"""How well the class is foretold without looking at what an image shows, on three data sets.

    python bench/shortcuts.py $MEDCLF_DATA

COVID chest X-rays, collected from articles of many countries, are known to have shortcuts; HAM10000
and Kermany were made alike throughout. Prints rows of Markdown: AUC with its interval by patient.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

import medclf
from medclf.core.cohort import Cohort
from medclf.curate.shortcut import foretell_classes
from medclf.curate.survey import survey


def read_covid(folder: Path) -> Cohort:
    """Read one row per image, and of the finding whether it is COVID-19."""
    table = pd.read_csv(folder / "metadata.csv", encoding_errors="replace")
    table = table.dropna(subset=["kept_file", "finding"]).drop_duplicates("kept_file")
    table["finding"] = table.finding.str.contains("COVID-19").map({True: "COVID-19", False: "no"})
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "covid.csv"
        table.to_csv(path, index=False)
        return medclf.read_cohort(
            path,
            images=folder / "images.zip",
            path="kept_file",
            label="finding",
            patient="patientid",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    given = parser.parse_args().data
    cohorts = {
        "COVID": read_covid(given / "covid_chestxray"),
        "HAM10000": medclf.read_cohort(given / "ham10000", label="dx", patient="lesion_id"),
        "Kermany": medclf.read_cohort(
            given / "kermany_chest_xray/images.zip", patient_pattern=r"(person\d+|IM-\d+)"
        ),
    }
    print("| data | facts of | AUC | by itself | CPU-s |\n|---|---|---|---|---|")
    for name, cohort in cohorts.items():
        looks = survey(cohort)
        start = time.process_time()
        for found in foretell_classes(cohort, looks):
            auc = found.auc
            alone = ", ".join(f"{fact} {value:.2f}" for fact, value in found.alone.items())
            told = f"{auc.value:.2f} ({auc.low:.2f} to {auc.high:.2f}) | {alone or '–'}"
            print(
                f"| {name} | {found.kind} | {told} | {time.process_time() - start:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
