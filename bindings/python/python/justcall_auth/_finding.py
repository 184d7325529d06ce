"""The findings of the local check of a pair."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A finding of the local check. Its texts are safe to log: they never contain the value.

    Immutable, hashable and picklable. Two findings are equal if all their parts are.
    """

    code: str
    """The name of the finding, the same in every language, such as `trailing_whitespace`."""

    severity: str
    """`error`: it cannot work. `warning`: rarely intended. `note`: relevant if the service rejects it."""

    message: str
    """What is wrong, in which place, and with which half of the pair."""

    remedy: str
    """What to do about it."""
