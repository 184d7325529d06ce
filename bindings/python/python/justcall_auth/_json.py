"""Decodes the JSON of a response."""

import json
from typing import Any


def decode(body: bytes) -> Any:
    """Returns the body, decoded as `json.loads` does it, with one decoder for all bodies."""
    try:
        # Nearly every body is UTF-8. A body in another encoding is not valid JSON if it is decoded as UTF-8.
        text = body.decode()
        value, end = _DECODER.raw_decode(text)
        if not text[end:].strip(" \t\n\r"):
            return value
    except (ValueError, RecursionError):
        pass
    return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))


def fault(failure: Exception) -> str:
    """Returns what is wrong with a body, for an exception of `decode`."""
    if isinstance(failure, json.JSONDecodeError):
        return f"{failure.msg} at line {failure.lineno}, column {failure.colno}"
    if isinstance(failure, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(failure, RecursionError):
        return "it is nested too deeply"
    return "it contains a number that JSON does not allow, or that has too many digits"


def _refuse(constant: str) -> None:
    """Raises `ValueError` for `NaN` and `Infinity`, which Python accepts but JSON does not."""
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
