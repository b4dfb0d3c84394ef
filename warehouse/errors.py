"""The one family of errors. Raised where the cause is known, with its remedy; caught once, at the edge.

What lives here: the exceptions that a user may meet. What does not: how they are shown (the command line does that).
"""

import errno


class FakesmrtError(Exception):
    """A failure that a person can mend.

    Attributes:
        cause: what went wrong, one sentence, with the file or value concerned.
        remedy: what to do next, one sentence, preferably a command.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        end = "" if self.remedy.endswith("?") else "."
        return f"{self.cause.rstrip('.')}. {self.remedy.rstrip('.')}{end}"


def explained(error: OSError) -> FakesmrtError:
    """A failure of the operating system with its remedy."""
    # Arrow puts its own words around the system's and loses the number.
    if error.errno == errno.ENOSPC or "No space left" in str(error):
        return FakesmrtError(
            "The disk is full", "Free some space and run the same command again; what was finished is kept"
        )
    return FakesmrtError(str(error), "Check the path and its permissions")


class InputUnreadable(FakesmrtError):
    """A file that a user named cannot be read or is not what it should be."""


class InvalidConfiguration(FakesmrtError):
    """A setting, recipe, licence or argument has no meaning here."""


class LockHeld(FakesmrtError):
    """Another process owns what this one needs; the message names it."""


class StoreUnavailable(FakesmrtError):
    """The object store of the home refuses, does not answer or is not there."""


class CorruptArtefact(FakesmrtError):
    """A file of the home does not hold what its manifest says."""


class CheckFailed(FakesmrtError):
    """A blocking check found that an invariant does not hold."""


class TrainingFailed(FakesmrtError):
    """Training stopped before its end: a lost child process, a loss that is not finite, an impossible budget."""
