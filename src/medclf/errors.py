"""What medclf raises on purpose: each message says what was wanted, what was found, and where."""


class MedclfError(Exception):
    """A mistake that the user can mend. The command line prints its one line and exits with 1."""


class ReadError(MedclfError):
    """A file or an archive cannot be read as the image or the table that it should be."""


class CohortError(MedclfError):
    """Records contradict each other, or are too few to train or to measure with."""


class SettingError(MedclfError):
    """A setting, or an argument of a function, is unknown or out of its range."""


class RunError(MedclfError):
    """A run folder is in use, damaged, or not of the kind that was asked for."""


class FetchError(MedclfError):
    """A published file cannot be downloaded, or is not the file that was published."""
