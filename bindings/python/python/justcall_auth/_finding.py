"""What the local check of a pair found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that the local check found. Its texts are safe to log: they never hold the value.

    Immutable, hashable, picklable; equal when every part is.
    """

    code: str
    """What was found, the same in every language, such as `trailing_whitespace`."""

    severity: str
    """`error`: it cannot work. `warning`: rarely meant. `note`: worth knowing when the service rejects it."""

    message: str
    """What is the matter, where, and with which half."""

    remedy: str
    """What to do about it."""
