"""Runs the command `justcall-auth` that was installed with this package, as `python -m justcall_auth`.

The command replaces the interpreter, so its exit status, signals and standard streams are those of
`justcall-auth` itself.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "justcall-auth"


def _candidates() -> Iterator[Path]:
    """Yields the places in which installers put the command, the most certain first."""
    for file in importlib.metadata.files(_NAME) or ():
        if file.name == _NAME:
            yield Path(file.locate())
    # `pip install --target` moves the command after it has written the list of files.
    yield Path(__file__).parent.parent / "bin" / _NAME
    yield Path(sysconfig.get_path("scripts")) / _NAME


def _find() -> str | None:
    return next((str(path) for path in _candidates() if os.access(path, os.X_OK)), None)


def main() -> NoReturn:
    """Replaces this process by the command, with the same arguments."""
    command = _find()
    if command is None:
        sys.exit(
            "This installation of justcall-auth has no command, because it was built from source.\n"
            "Install a wheel, or build the command: cargo install --path crates/justcall-auth-cli"
        )
    os.execv(command, [_NAME, *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
