"""One mutant before the tests, in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]

_MEMORY = 4 * 1024**3
_PASS_SECONDS = 0.01
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin")


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from other text than that of its file."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name = name
        self._path = path
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self._path))

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 - our own module, with one change


def survives(name: str, source: str | None, tests: Sequence[str], seconds: float) -> bool:
    """Whether all *tests* pass with the module *name* as *source* has it.

    The tests run in a copy of this process, which has pytest and the libraries ready, and none
    of our modules.

    Args:
        name: Dotted name of the module.
        source: Its text; None for the text of its file.
        tests: What pytest is to run, in this order.
        seconds: After which a mutant counts as noticed: it hangs.
    """
    child = os.fork()
    if child == 0:
        status = 2
        try:
            status = _run(name, source, tests)
        finally:
            os._exit(status)
    due = time.monotonic() + seconds
    while time.monotonic() < due:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(_PASS_SECONDS)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run(name: str, source: str | None, tests: Sequence[str]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    if source is not None:
        path = PROJECT / (name.replace(".", "/") + ".py")
        sys.meta_path.insert(0, _Mutated(name, path, compile(source, str(path), "exec")))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        return int(pytest.main([*_OPTIONS, "-m", "not slow", "--rootdir", str(PROJECT), *tests]))
