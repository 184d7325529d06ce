"""The findings of the local check of a pair."""

from ._value import Value


class Finding(Value):
    """A finding of the local check. Its texts are safe to log: they never contain the value.

    Immutable, hashable and picklable. Two findings are equal if all their parts are.
    """

    __module__ = "justcall_auth"
    __match_args__ = ("code", "severity", "message", "remedy")

    code: str
    """The name of the finding, the same in every language, such as `trailing_whitespace`."""

    severity: str
    """`error`: it cannot work. `warning`: rarely intended. `note`: relevant if the service rejects it."""

    message: str
    """What is wrong, in which place, and with which half of the pair."""

    remedy: str
    """What to do about it."""

    def __init__(self, code: str, severity: str, message: str, remedy: str) -> None:
        self._set(code=code, severity=severity, message=message, remedy=remedy)
