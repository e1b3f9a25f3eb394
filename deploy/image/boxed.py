"""Become a process inside an image: `boxed.py ROOT UID GID COMMAND...`, in new namespaces.

The root cannot be written, /tmp can, and there is no network but loopback.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_TMP = "/tmp"  # noqa: S108 - of the image, and private to this process


def main(root: str, uid: str, gid: str, *command: str) -> None:
    """Never returns."""
    with socket.socket() as anything:
        fcntl.ioctl(anything, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
    for words in (
        ("--bind", root, root),
        ("-o", "remount,bind,ro", root),
        ("-t", "tmpfs", "-o", "size=64m", "tmpfs", root + _TMP),
    ):
        subprocess.run(["mount", *words], check=True)
    os.chroot(root)
    os.chdir(_TMP)
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
