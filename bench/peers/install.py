"""Install the peers and build what is in C, with the ordinary clients."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from field import PYTHON
from programs import BASE, HERE, environment

_FOLDERS = (".", "servers/hive", "servers/tailcall", "servers/grafbase")
_TAILCALL_WANTS = (2, 39)
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def build() -> None:
    """The services and the callers."""
    _demand("gcc")
    for name in ("mock", "load"):
        source, program = HERE / name / f"{name}.c", HERE / name / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            _run("gcc", "-O2", "-Wall", "-o", str(program), str(source))


def install(*, hive: bool = True) -> None:
    """All that is pinned, 600 MiB of it; what is there already stays.

    Args:
        hive: Compose Hive's supergraph too: the ports of the services are in it.
    """
    _demand("node", "npm")
    build()
    quiet = environment({"npm_config_loglevel": "error"})
    for name in _FOLDERS:
        folder = HERE / name
        lock, mark = folder / "package-lock.json", folder / "node_modules/.installed"
        if mark.exists() and mark.stat().st_mtime >= lock.stat().st_mtime:
            continue
        # Grafbase's binary is static, and good for machines that its package does not name.
        force = ["--force"] if name.endswith("grafbase") else []
        _run("npm", "ci", *force, "--no-audit", "--no-fund", folder=folder, variables=quiet)
        mark.touch()
    if hive:
        _compose()
    if not Path(PYTHON).exists():
        _run(sys.executable, "-m", "venv", ".venv")
        _run(PYTHON, "-m", "pip", "-q", "install", "-r", "requirements.txt")
    _libc_for_tailcall()


def _demand(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        sys.exit(f"Needed, and not here: {', '.join(missing)}.")


def _compose() -> None:
    folder = HERE / "servers/hive"
    made, asked = folder / "supergraph.graphql", folder / "mesh.config.mjs"
    fresh = made.exists() and made.stat().st_mtime >= asked.stat().st_mtime
    if fresh and f":{BASE + 1}" in made.read_text("utf-8"):
        return
    _run("node", "make-openapi.mjs", folder=folder)
    compose = ("node_modules/.bin/mesh-compose", "-c", "mesh.config.mjs")
    _run(*compose, "-o", "supergraph.graphql", folder=folder)


def _libc_for_tailcall() -> None:
    """Where the system's is too old, Debian's newer one in a folder of our own, through apt."""
    told = os.confstr("CS_GNU_LIBC_VERSION") or ""
    version = tuple(int(part) for part in told.rpartition(" ")[2].split(".") if part)
    target = HERE / "vendor/glibc"
    if version >= _TAILCALL_WANTS or target.exists():
        return
    if not _SOURCES.exists():
        print("Tailcall wants glibc 2.39, and this is no Debian to take it from: it is left out.")
        return
    vendor = target.parent
    for name in ("lists/partial", "cache/archives/partial"):
        (vendor / "apt" / name).mkdir(parents=True, exist_ok=True)
    mirror = re.search(r"^URIs: (\S+)", _SOURCES.read_text("utf-8"), re.MULTILINE)
    newer = f"deb [signed-by={_KEYS}] {mirror[1] if mirror else ''} trixie main\n"
    (vendor / "apt/sources.list").write_text(newer, "utf-8")
    options = (
        *("-q", "-o", f"Dir::Etc::sourcelist={vendor}/apt/sources.list"),
        *("-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::State::lists={vendor}/apt/lists"),
        *("-o", f"Dir::Cache={vendor}/apt/cache"),
    )
    _run("apt-get", *options, "update")
    _run("apt-get", *options, "download", "libc6", "libgcc-s1", folder=vendor)
    for package in vendor.glob("*.deb"):
        _run("dpkg-deb", "-x", str(package), str(target))
    shutil.rmtree(vendor / "apt")


def _run(*command: str, folder: Path = HERE, variables: Mapping[str, str] | None = None) -> None:
    print("+", " ".join(command), flush=True)
    subprocess.run(command, cwd=folder, check=True, env=variables or environment())
