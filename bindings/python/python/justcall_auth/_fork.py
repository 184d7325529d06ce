"""What a process does before it forks."""

import os

_MODULES = (
    "json",
    "copyreg",
    *(
        f"justcall_auth.{name}"
        for name in ("_callback", "_event", "_exchange", "_json", "_pages", "_webhook")
    ),
)
"""The modules that are imported when a call first needs them."""


def _finish_imports() -> None:
    """Imports these modules, and waits if another thread imports one.

    The child of a fork does not have that thread, so its own import would wait forever.
    """
    for name in _MODULES:
        __import__(name)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_finish_imports)
