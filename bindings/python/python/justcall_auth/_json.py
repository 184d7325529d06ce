"""Decodes the JSON of a response."""

import json
from json import JSONDecodeError
from typing import Any

__all__ = ["JSONDecodeError", "decode"]


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


def _refuse(constant: str) -> None:
    """Raises `ValueError` for `NaN` and `Infinity`, which Python accepts but JSON does not."""
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
