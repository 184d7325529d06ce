"""Mounts a credentials directory as systemd does: credentials_directory.py FOLDER PAIR_FILE new|beneath|over.

Run it in the mount namespace of the service. The files are complete before the file system gets its place.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT = 429, 430, 431, 432
"""The system calls, with the numbers that they have on every architecture."""

CREATE = 6
"""The command of `fsconfig` that makes the file system."""

HERE, EMPTY_PATH, BENEATH = -100, 0x4, 0x200
"""The working directory, and the flags of `move_mount`."""

DETACH = 2
"""The flag of `umount2` for a file system that is in use."""

LIBC = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    """Returns the result of a system call. Raises `OSError` if it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def call(number: int, *arguments: int | bytes | None) -> int:
    """Makes a system call."""
    numbers = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return checked(LIBC.syscall(ctypes.c_long(number), *numbers))


def main(folder: str, pair_file: str, how: str) -> None:
    """Mounts the directory, above or beneath the one that is there."""
    context = call(FSOPEN, b"tmpfs", 0)
    call(FSCONFIG, context, CREATE, None, None, 0)
    mount = call(FSMOUNT, context, 0, 0)
    halves = Path(pair_file).read_text(encoding="utf-8").split(":")
    for name, half in zip(("api_key", "api_secret"), halves):
        file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o400, dir_fd=mount)
        os.write(file, half.encode())
        os.close(file)
    place = os.fsencode(folder)
    call(MOVE_MOUNT, mount, b"", HERE, place, EMPTY_PATH | (BENEATH if how == "beneath" else 0))
    if how == "beneath":
        checked(LIBC.umount2(place, DETACH))


if __name__ == "__main__":
    main(*sys.argv[1:])
