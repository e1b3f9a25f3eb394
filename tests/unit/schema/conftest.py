from __future__ import annotations

import pytest

from tests.unit.schema.house import furnished


@pytest.fixture
def house():
    return furnished()
