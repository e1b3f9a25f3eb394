"""What all groups of settings have in common."""

from __future__ import annotations

from pydantic import BaseModel


class Part(
    BaseModel,
    frozen=True,
    extra="forbid",
    hide_input_in_errors=True,
    use_attribute_docstrings=True,
    validate_default=True,
):
    """A group of settings; the docstring of each is its line in the reference.

    A check that looks at two of them belongs to the later one, so that its message has a name.
    """
