"""Which httpx the suite runs on, and what its garbage collector need not look at.

`HTTPX=httpx2` puts the living fork in the place of httpx, for our code and its tests alike: we
must be able to move to it (docs/decisions/0003-httpx-as-api-own-transport.md).
"""

import gc
import importlib
import os
import sys

if os.environ.get("HTTPX"):
    name = os.environ["HTTPX"]
    module = importlib.import_module(name)
    sys.modules["httpx"] = module
    for path in [path for path in sys.modules if path.startswith(f"{name}.")]:
        sys.modules[f"httpx{path.removeprefix(name)}"] = sys.modules[path]


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end; to look through them takes a third of a second."""
    gc.collect()
    gc.freeze()
