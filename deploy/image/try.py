"""Build the image with buildah on a base made from this machine, and see whether it keeps its word.

Started as the number that the Dockerfile names, on a root file system that cannot be written, the
server must come up, satisfy the image's own health check, and stop when told to. Needs root, for
mounts. Leaves nothing behind.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from base import make_base

_PROJECT = Path(__file__).resolve().parents[2]
_BOXED = Path(__file__).with_name("boxed.py")
_BASE = "localhost/python-of-this-machine"
_IMAGE = "localhost/graphql-bff"
_PATIENCE = 60.0
_COMPILERS = ("cc", "gcc", "c++", "ld")
_SETTINGS = {
    "BFF_AUTH__ISSUER": "https://issuer.test",
    "BFF_AUTH__AUDIENCE": "bff",
    "BFF_AUTH__JWT_SECRET": "made up, and long enough for HS256",
    **{
        f"BFF_UPSTREAMS__{name}__URL": "http://127.0.0.1:9"
        for name in ("USERS", "ORDERS", "PRODUCTS", "PAYMENTS", "NOTIFICATIONS")
    },
}


class Broken(Exception):
    """The image does not keep its word."""


class _Health(TypedDict):
    Test: list[str]


class Config(TypedDict):
    """What an image says of itself."""

    User: str
    Env: list[str]
    Entrypoint: list[str]
    Cmd: list[str]
    Healthcheck: _Health


class Builder:
    """buildah with a storage of its own, in a folder that goes away."""

    def __init__(self, storage: Path) -> None:
        self._command = ["buildah", "--storage-driver", "vfs"]
        self._command += ["--root", str(storage / "root"), "--runroot", str(storage / "run")]

    def __call__(self, *words: str) -> str:
        """Run it; complaints go to the terminal, the result comes back."""
        done = subprocess.run(
            [*self._command, *words], stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.strip()

    def build(self, context: Path, image: str, *words: str) -> None:
        """Build *image* from the Dockerfile in *context*."""
        options = ("--quiet", "--isolation", "chroot", "--format", "docker", "--tag", image)
        self("build", *options, *words, str(context))

    def config(self, image: str) -> Config:
        """What *image* says of itself."""
        found: Config = json.loads(self("inspect", "--type", "image", image))["Docker"]["config"]
        return found


class Box:
    """The server of an image at work.

    Args:
        root: Where the image is mounted.
        config: What it says of itself.
    """

    def __init__(self, root: str, config: Config) -> None:
        self._user, self._group = config["User"].split(":")
        self._environment = {**dict(pair.split("=", 1) for pair in config["Env"]), **_SETTINGS}
        self._health = config["Healthcheck"]["Test"][1:]
        outside = ["/usr/bin/unshare", "--mount", "--net", sys.executable, str(_BOXED), root]
        command = [*outside, self._user, self._group, *config["Entrypoint"], *config["Cmd"]]
        self._server = subprocess.Popen(command, env=self._environment)

    def run(self, *command: str) -> int:
        """Run *command* beside the server, as the same user; its exit status."""
        beside = ["/usr/bin/nsenter", "--target", str(self._server.pid), "--mount", "--net"]
        beside += ["--root", "--wd=/", "--setuid", self._user, "--setgid", self._group, "--"]
        wrapped = [*beside, *command]
        return subprocess.run(
            wrapped, env=self._environment, capture_output=True, check=False
        ).returncode

    def wait_until_healthy(self) -> float:
        """Ask the health check until it is content; how long that took (seconds).

        Raises:
            Broken: The server ended, or it takes too long.
        """
        begun = time.monotonic()
        while self.run(*self._health) != 0:
            if self._server.poll() is not None:
                raise Broken(f"the server ended with {self._server.returncode}")
            if time.monotonic() - begun > _PATIENCE:
                raise Broken(f"not healthy within {_PATIENCE:g} s")
            time.sleep(0.2)
        return time.monotonic() - begun

    def stop(self) -> int:
        """Tell the server to stop; its exit status."""
        self._server.terminate()
        try:
            return self._server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._server.kill()
            raise Broken("does not stop when told to") from None


def examine(box: Box) -> None:
    """Look at a healthy server from inside.

    Raises:
        Broken: Something is there that must not be, or can be done that must not.
    """
    if box.run("python", "-c", "open('/app/written', 'w')") == 0:
        raise Broken("the root file system can be written")
    if box.run("python", "-c", "import os; raise SystemExit(os.getuid() == 0)") != 0:
        raise Broken("it runs as root")
    for compiler in _COMPILERS:
        if box.run("sh", "-c", f"command -v {compiler}") == 0:
            raise Broken(f"it contains {compiler}")


def main() -> None:
    """Build, start, examine, stop."""
    with tempfile.TemporaryDirectory(prefix="bff-image-") as folder:
        begun = time.monotonic()
        builder = Builder(Path(folder, "storage"))
        base = Path(folder, "base")
        make_base(base / "root")
        (base / "Dockerfile").write_text("FROM scratch\nCOPY root /\n", encoding="ascii")
        builder.build(base, _BASE)
        builder.build(_PROJECT, _IMAGE, "--pull-never", "--build-arg", f"PYTHON_IMAGE={_BASE}")
        print(f"built in {time.monotonic() - begun:.0f} s", flush=True)
        container = builder("from", "--pull-never", _IMAGE)
        try:
            box = Box(builder("mount", container), builder.config(_IMAGE))
            try:
                print(f"healthy after {box.wait_until_healthy():.1f} s", flush=True)
                examine(box)
            finally:
                status = box.stop()
            if status != 0:
                raise Broken(f"the server stopped with {status}")
        finally:
            builder("rm", container)
    print("the image keeps its word: not root, nothing written, healthy, stops when told to")


if __name__ == "__main__":
    try:
        main()
    except (Broken, subprocess.CalledProcessError) as exc:
        sys.exit(f"{exc}")
