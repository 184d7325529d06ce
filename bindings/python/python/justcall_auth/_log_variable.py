"""The variable `JUSTCALL_LOG`, which is read once: when the package is imported.

An import during a call would hold a lock, and a child of `fork()` at that moment would wait for it forever.
"""

import sys

from ._native import log_setting
from ._typing import Final


def _is_debug() -> bool:
    # `$(cat FILE)` and editors sometimes leave a line break.
    value = (log_setting() or "").rstrip("\r\n")
    if value not in ("", "debug"):
        import logging

        # Without the value, which may be a secret that was set by mistake.
        logging.getLogger("justcall_auth").warning(
            "the value of JUSTCALL_LOG is ignored, because it is not `debug`: set it to `debug`, or remove it"
        )
    return value == "debug"


WRITES_CALLS: Final = _is_debug()
"""Whether the record of each call is written on standard error."""


def write(record: str) -> None:
    """Writes a record on standard error, in the format of `logging.basicConfig`, if the process has one."""
    if sys.stderr is not None:
        sys.stderr.write(f"DEBUG:justcall_auth:{record}\n")
