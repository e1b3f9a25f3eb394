"""The tool that tests the tests."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.explained import all_explained
from tests.mutation.mutants import mutants_of
from tests.mutation.trial import PROJECT

SOURCE = '''
def f(a, b):
    """Words are left alone."""
    if a < b and not b:
        raise ValueError("as are these")
    return g(a, b, c=1)
'''


def changes(source):
    return {(mutant.before, mutant.after) for mutant in mutants_of(source)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if a < b and not b:", "if (a <= b) and not b:"),
        ("if a < b and not b:", "if (a >= b) and not b:"),
        ("if a < b and not b:", "if (a < b or not b):"),
        ("if a < b and not b:", "if (a < b):"),
        ("if a < b and not b:", "if (not b):"),
        ("if a < b and not b:", "if a < b and b:"),
        ('raise ValueError("as are these")', "pass"),
        ("return g(a, b, c=1)", "return None"),
        ("return g(a, b, c=1)", "return (g(b, a, c=1))"),
        ("return g(a, b, c=1)", "return (g(a, b))"),
        ("return g(a, b, c=1)", "return g(a, b, c=2)"),
        ("return g(a, b, c=1)", "return g(a, b, c=0)"),
    ],
)
def test_each_of_these_is_tried(before, after):
    """Bounds, connectives, statements, arguments, constants."""
    assert (before, after) in changes(SOURCE)


def test_nothing_else_is():
    """Twelve changes, none of them to words."""
    assert len(changes(SOURCE)) == 12


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("x = min(a, b)", "x = (max(a, b))"),
        ("x.y += 1", "x.y -= 1"),
        ("x.y = z", "pass"),
        ("x = a if b else c", "x = c"),
        ("x = 2.0 ** n", "x = (2.0 * n)"),
        ("for x in y:\n    break", "pass"),
    ],
)
def test_these_too(source, after):
    """What policies are made of."""
    assert after in {mutant.after for mutant in mutants_of(source)}


def test_a_mutant_is_a_program_that_differs_in_one_place():
    """It can be read, and is not what it was made of."""
    source = (PROJECT / "datasources/resilience/single_flight.py").read_text("utf-8")
    original = ast.dump(ast.parse(source))
    mutants = mutants_of(source)
    assert len(mutants) > 100
    for mutant in mutants[::5]:
        assert ast.dump(ast.parse(mutant.source)) != original


def test_each_explanation_is_of_a_mutant_that_there_is():
    """A line that was changed takes its explanation along."""
    rows = all_explained()
    for module in {row.module for row in rows}:
        path = PROJECT / f"datasources/resilience/{module}.py"
        mutants = mutants_of(path.read_text("utf-8"))
        for row in (row for row in rows if row.module == module):
            assert any(row.fits(module, mutant) for mutant in mutants), row
