"""What a reader found or changed on the way from files to an image, for a person to know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """One thing that was found.

    Args:
        kind: One word for programs, as "duplicate" or "tilt".
        message: One line for a person: what was found, and what was done.
        grave: Whether a person should look before the image is used.
    """

    kind: str
    message: str
    grave: bool = False
