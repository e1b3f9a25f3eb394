"""Small changes to a module, each of which a good test suite should notice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
_OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change.

    Attributes:
        line: Where the change is (1 for the first).
        where: The function or class around it, such as `Breaker.fail`.
        before: The changed lines as they were, on one line.
        after: The changed lines as they are, on one line.
        source: The whole module.
    """

    line: int
    where: str
    before: str
    after: str
    source: str


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of the module *source*, in the order of its lines."""
    tree = ast.parse(source)
    found = [
        _mutant(source, node, where, replacement)
        for node, where in _walk(tree, "")
        for replacement in _replacements(node)
        if ast.dump(replacement) != ast.dump(node)
    ]
    return sorted(set(found), key=lambda mutant: (mutant.line, mutant.before, mutant.after))


def _walk(node: ast.AST, where: str) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """What may be changed below *node*: no annotations, decorators, docstrings or messages."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "bases", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_alone(child):
                continue
            below = where
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                below = f"{where}.{child.name}".lstrip(".")
            if isinstance(child, ast.expr | ast.stmt):
                yield child, below
            yield from _walk(child, below)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom() | ast.Import() | ast.JoinedStr() | ast.FunctionDef(name="__str__"):
            return True  # texts: pinned as a whole where they matter
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring, or the dots of an interface
        case (
            ast.Assign(targets=[ast.Name(id="__slots__" | "__all__")])
            | ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar")))
        ):
            return True
        case ast.ClassDef(bases=bases):
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
        case _:
            return False


def _replacements(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    for rule in _RULES:
        yield from rule(node)


def _comparison(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                changed = deepcopy(node)
                changed.ops[index] = other()
                yield changed


def _logic(node: ast.AST) -> Iterator[ast.AST]:
    """The other connective, each side left out, no negation, the other branch."""
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
        for index in range(len(node.values)):
            rest = [value for at, value in enumerate(node.values) if at != index]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    if isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    for test in (
        *([node.test] if isinstance(node, ast.If | ast.While | ast.IfExp) else []),
        *(node.ifs if isinstance(node, ast.comprehension) else []),
    ):
        if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            changed = deepcopy(node)
            negated = ast.UnaryOp(ast.Not(), test)
            if isinstance(changed, ast.If | ast.While | ast.IfExp):
                changed.test = negated
                yield changed


def _arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        changed = deepcopy(node)
        changed.op = _ARITHMETIC[type(node.op)]()
        yield changed


def _constant(node: ast.AST) -> Iterator[ast.AST]:
    """Off by one, switched, emptied."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        if value > 0:
            yield ast.Constant(value - 1 if value >= 1 else 0.0)
    elif isinstance(value, str) and " " not in value:  # words for people may change
        yield ast.Constant(f"{value}?")


def _statement(node: ast.AST) -> Iterator[ast.AST]:
    """Left out; for `return` and `raise`, given another end."""
    match node:
        case ast.Expr() | ast.AugAssign() | ast.Delete() | ast.Raise() | ast.Continue():
            yield ast.Pass()
        case ast.Break() | ast.Return(value=None):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield ast.Pass()
        case ast.Return(value=ast.Constant(value=None)):
            pass
        case ast.Return():
            yield ast.Return(ast.Constant(None))
        case _:
            pass


def _call(node: ast.AST) -> Iterator[ast.AST]:
    """Two arguments swapped, a keyword left out, the opposite function."""
    if not isinstance(node, ast.Call):
        return
    if len(node.args) > 1 and not any(isinstance(arg, ast.Starred) for arg in node.args):
        changed = deepcopy(node)
        changed.args[0], changed.args[1] = changed.args[1], changed.args[0]
        if not _is_symmetric(node):
            yield changed
    for index in range(len(node.keywords)):
        changed = deepcopy(node)
        del changed.keywords[index]
        yield changed
    if isinstance(node.func, ast.Name) and node.func.id in _OPPOSITES:
        changed = deepcopy(node)
        changed.func = ast.Name(_OPPOSITES[node.func.id])
        yield changed


def _is_symmetric(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in {"min", "max"}


def _handler(node: ast.AST) -> Iterator[ast.AST]:
    """A handler less, or one kind of error less in it."""
    if not isinstance(node, ast.Try):
        return
    for index, handler in enumerate(node.handlers):
        if len(node.handlers) > 1 or node.finalbody:
            changed = deepcopy(node)
            del changed.handlers[index]
            yield changed
        if isinstance(handler.type, ast.Tuple):
            for at in range(len(handler.type.elts)):
                changed = deepcopy(node)
                kinds = changed.handlers[index].type
                assert isinstance(kinds, ast.Tuple)
                del kinds.elts[at]
                yield changed


_RULES: tuple[Callable[[ast.AST], Iterator[ast.AST]], ...] = (
    _comparison,
    _logic,
    _arithmetic,
    _constant,
    _statement,
    _call,
    _handler,
)


def _mutant(source: str, node: ast.expr | ast.stmt, where: str, replacement: ast.AST) -> Mutant:
    """Only the text of *node* changes, so that what is shown is what was written."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    whole = source.encode()
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    text = ast.unparse(ast.fix_missing_locations(replacement))
    if isinstance(replacement, ast.expr) and not isinstance(replacement, ast.Constant | ast.Name):
        text = f"({text})"
    indented = text.replace("\n", "\n" + " " * node.col_offset)
    changed = whole[:begin] + indented.encode() + whole[end:]
    from_line, to_line = starts[node.lineno - 1], starts[node.end_lineno]
    return Mutant(
        line=node.lineno,
        where=where or "module",
        before=_on_one_line(whole[from_line:to_line]),
        after=_on_one_line(changed[from_line : to_line + len(changed) - len(whole)]),
        source=changed.decode(),
    )


def _on_one_line(text: bytes) -> str:
    return " ".join(text.decode().split())
