"""Facts that may tell who a patient is: no table of predictions and no report shows them.

A fact tells it by its own name, as `mrn` or `birth_date` do, or by its values, where hardly two
patients share one: words, and whole numbers as hospitals give them to patients and examinations.
What was measured in decimals is each patient's own as well, and tells nobody who that is.
"""

import re
from collections.abc import Sequence

from medclf.core.record import Fact

DIRECT = {
    *("mrn", "accession", "accessionnumber", "surname", "forename", "birthdate", "birthday"),
    *("dob", "ssn", "phone", "telephone", "email", "address"),
}
"""Words in the name of a fact that tells who somebody is."""

OF_PERSONS = {
    *("patient", "patients", "person", "first", "last", "family", "given", "middle", "full", "s"),
}
"""Words that stand beside "name" where it is a person's, not that of a scanner or a site."""

NUMBERING = {"id", "ids", "uid", "uids"}
"""Words in the name of what numbers something: sites, or patients."""

FEW = 5
"""Patients, or values, up to which values that nobody shares mean nothing: sex, of two patients."""

MANY = 100
"""Patients from which small whole numbers are theirs if hardly two share one; ages are shared."""

LARGE = 10_000
"""From here on whole numbers are nothing that one counts in patients, but given to them."""


def tells_who(name: str, values: Sequence[Fact], patients: Sequence[str]) -> bool:
    """Tell whether a fact may say who patients are.

    Args:
        name: Of the fact.
        values: Of each exam.
        patients: Whose each exam is.

    Example:
        >>> people = [f"p{n // 2}" for n in range(20)]
        >>> tells_who("name", ("Doe",) * 20, people), tells_who("sex", ("F", "M") * 10, people)
        (True, False)
        >>> tells_who("mrn_old", [70001234.0 + n // 2 for n in range(20)], people)
        True
    """
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())) - {""}
    persons = words & {"name", "names"} and words - {"name", "names"} <= OF_PERSONS
    if words & DIRECT or persons or {"birth", "date"} <= words:
        return True
    pairs = {
        (patient, value)
        for patient, value in zip(patients, values, strict=True)
        if value is not None and value == value
    }
    people, different = len({who for who, _ in pairs}), {value for _, value in pairs}
    if min(people, len(different)) <= FEW:
        return False
    if words & NUMBERING or any(isinstance(value, str) for value in different):
        return len(different) > len(pairs) / 2
    numbers = [float(value) for value in different if not isinstance(value, str | None)]
    given = all(number.is_integer() for number in numbers)
    given = given and (people >= MANY or min(map(abs, numbers)) >= LARGE)
    return given and len(different) > 0.9 * len(pairs)
