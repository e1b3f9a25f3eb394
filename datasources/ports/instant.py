"""Instants."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An RFC 3339 instant; one without an offset is a bad reply, since nobody can say when it was."""
