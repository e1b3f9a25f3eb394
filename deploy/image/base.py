"""Make the root of a base image from the Python that runs this, for where none can be pulled.

It has what the official one has and our Dockerfile uses: Python with pip in /usr/local, a shell,
the libraries that both need, certificates. Nothing is downloaded but pip, if that is missing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_LEFT_OUT = shutil.ignore_patterns(
    "EXTERNALLY-MANAGED",
    "__pycache__",
    "config-*",
    "dist-packages",
    "idlelib",
    "site-packages",
    "test",
    "tkinter",
)
_WANTED_BY_WHEELS = (
    *("libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
    *("libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"),
)
_LIBRARY = re.compile(r"(/\S+) \(0x")


def make_base(root: Path) -> None:
    """Fill *root*, which is empty, with the files of a base image."""
    for name in ("bin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    _put_python(root)
    shell = Path("/bin/sh").resolve()
    shutil.copy2(shell, root / "bin/sh")
    _put_libraries(root, [shell, *_binaries_of_python()])
    _put_settings(root)


def _put_python(root: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    local = root / "usr/local"
    library = local / "lib" / version
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=_LEFT_OUT)
    (local / "bin").mkdir()
    shutil.copy2(_interpreter(), local / "bin" / version)
    for name in ("python", "python3"):
        (local / "bin" / name).symlink_to(version)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    # Debian's own Python looks into dist-packages, every other one into site-packages.
    subprocess.run([*pip, "--target", str(library / "site-packages"), "pip"], check=True)
    (library / "dist-packages").symlink_to("site-packages")
    (root / "usr/lib/python3").mkdir()
    (root / "usr/lib/python3/dist-packages").symlink_to(f"/usr/local/lib/{version}/site-packages")


def _interpreter() -> Path:
    return Path(sys.executable).resolve()


def _binaries_of_python() -> list[Path]:
    return [_interpreter(), *Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")]


def _put_libraries(root: Path, binaries: list[Path]) -> None:
    found: set[str] = set()
    for binary in binaries:
        listed = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)
        found.update(_LIBRARY.findall(listed.stdout))
    beside = {Path(library).parent for library in found}
    found.update(
        str(folder / name)
        for folder in beside
        for name in _WANTED_BY_WHEELS
        if (folder / name).exists()
    )
    for library in found:
        target = root / library.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(library).resolve(), target)


def _put_settings(root: Path) -> None:
    certificates = root / str(_CERTIFICATES).removeprefix("/")
    certificates.parent.mkdir(parents=True)
    shutil.copy2(_CERTIFICATES, certificates)
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n", encoding="ascii")
    (root / "etc/group").write_text("root:x:0:\n", encoding="ascii")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n", encoding="ascii")
