"""`medclf plan`: the recipe that the data ask for, as TOML, with a reason for each choice."""

from medclf.cli.options import (
    Classes,
    Data,
    Exam,
    Images,
    Kind,
    Label,
    PathColumn,
    Patient,
    PatientPattern,
    Split,
    TidyLabels,
)
