"""Documents, parsed and validated once per text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    ASTValidationRule,
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    Token,
    TokenKind,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from bff.graphql.bounded import Bounded
from bff.graphql.compilation import Compilation
from bff.graphql.field_deadlines import DeadlinesArePositive, deadlines_of
from bff.graphql.limits import Limits, sizes
from bff.graphql.refusal import Refusal, coded
from schema.cache_control import NOT_KEPT, CachePolicies, CachePolicy

MOST_ERRORS = 5
"""Reported for one document; a sixth says that there are more."""

_LONGEST_NUMBER = 64
_LONGEST_MESSAGE = 400

_BYTES_PER_TOKEN = 2_200
"""Of a parsed document with its locations 200 to 550, of a plan 1,600 were measured (CPython 3.11);
hardly any operation has more plans than one, and none has more than four."""

_BYTES_PER_ENTRY = 2_048


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the operations of a document.

    Attributes:
        reads: Whether it asks for more than what the schema says about itself.
        node: As graphql-core knows it.
        deadlines: What gives its fields less time than it has itself; hardly any has one.
        policy: For how long its answer may be kept, and for whom.
        compilation: Its plans.
    """

    kind: OperationType
    reads: bool
    node: OperationDefinitionNode
    deadlines: Sequence[DirectiveNode] = ()
    policy: CachePolicy = NOT_KEPT
    compilation: Compilation = field(default_factory=Compilation, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A document that may be executed.

    Attributes:
        node: What graphql-core executes.
        operations: By name; None is the name of the one that has none.
    """

    node: DocumentNode
    operations: Mapping[str | None, Operation]

    def operation(self, name: str | None) -> Operation:
        """The one to execute.

        Raises:
            Refusal: There is none of that name, or several and no name.
        """
        if name is None:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            raise Refusal(400, "The document has several operations: give an operationName.")
        try:
            return self.operations[name]
        except KeyError:
            raise Refusal(400, "The document has no operation of that name.") from None


class InvalidDocument(Exception):
    """The document may not be executed.

    Attributes:
        errors: As they are shown to the client.
        mutates: Whether one of its operations is a mutation, as far as it can be read at all.
    """

    def __init__(self, errors: Sequence[Mapping[str, object]], *, mutates: bool = False) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors
        self.mutates = mutates


class Documents:
    """Remembers what came of each text, good or bad, within a number of bytes.

    Bad documents have a room of their own, an eighth of the size, so that somebody who sends
    nonsense does not push out what everybody uses.

    Args:
        schema: What documents are validated against.
        limits: Which documents are refused.
        introspection: Whether `__schema` and `__type` may be asked for; when not, errors suggest
            no names either.
        fresh: For how long what a service says counts as fresh (seconds); None for no bound.
        most_bytes: What all remembered documents may take together, as estimated here.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        introspection: bool = True,
        fresh: Mapping[str, float] | None = None,
        most_bytes: int = 33_554_432,
    ) -> None:
        self._schema = schema
        self._policies = CachePolicies(schema, fresh or {})
        self._limits = limits
        self._hide_suggestions = not introspection
        self._rules: tuple[type[ASTValidationRule], ...] = (
            *specified_rules,
            MaybeNullValidationRule,
            OneOfInputValidationRule,
            DeadlinesArePositive,
        )
        if not introspection:
            self._rules = (*self._rules, NoSchemaIntrospectionCustomRule)
        self._good = Bounded[str, Document](most_bytes)
        self._bad = Bounded[str, tuple[Sequence[Mapping[str, object]], bool]](most_bytes // 8)

    @property
    def bytes_kept(self) -> int:
        """What is remembered now, as estimated."""
        return self._good.size + self._bad.size

    def __len__(self) -> int:
        return len(self._good) + len(self._bad)

    def get(self, text: str) -> Document:
        """The document of *text*.

        Raises:
            InvalidDocument: It cannot be parsed, is not valid, or is beyond a limit.
        """
        found = self._good.get(text)
        if found is not None:
            return found
        known = self._bad.get(text)
        if known is not None:
            errors, mutates = known
            raise InvalidDocument(errors, mutates=mutates)
        try:
            document, tokens = self._read(text)
        except InvalidDocument as invalid:
            shown = sum(len(str(error)) for error in invalid.errors)
            cost = _BYTES_PER_ENTRY + 4 * len(text) + shown
            self._bad.put(text, (invalid.errors, invalid.mutates), cost)
            raise
        cost = _BYTES_PER_ENTRY + 4 * len(text) + _BYTES_PER_TOKEN * tokens
        self._good.put(text, document, cost)
        return document

    def _read(self, text: str) -> tuple[Document, int]:
        """Raises `InvalidDocument`. The cheap checks come first: each bounds the next."""
        node = self._parse(text)
        try:
            return self._check(node)
        except InvalidDocument as invalid:
            invalid.mutates = any(
                isinstance(definition, OperationDefinitionNode)
                and definition.operation is OperationType.MUTATION
                for definition in node.definitions
            )
            raise

    def _parse(self, text: str) -> DocumentNode:
        limits = self._limits
        if len(text) > limits.document_bytes or len(text.encode()) > limits.document_bytes:
            raise _too_complex(f"The document is longer than {limits.document_bytes} bytes.")
        try:
            return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
        except GraphQLSyntaxError as error:
            aborted = error.message.endswith("Parsing aborted.")
            code = "QUERY_TOO_COMPLEX" if aborted else "BAD_USER_INPUT"
            raise InvalidDocument([request_error(error, code)]) from None

    def _check(self, node: DocumentNode) -> tuple[Document, int]:
        tokens = _count_tokens(node)
        measured = sizes(node)
        for _, size in measured:
            problem = self._limits.exceeded_by(size)
            if problem is not None:
                raise _too_complex(problem)
        errors = validate(
            self._schema,
            node,
            self._rules,
            max_errors=MOST_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )
        if errors:
            too_complex = len(errors) == 1 and isinstance(errors[0], ValidationAbortedError)
            code = "QUERY_TOO_COMPLEX" if too_complex else "BAD_USER_INPUT"
            raise InvalidDocument([request_error(error, code) for error in errors])
        deadlines = deadlines_of(node)
        policies = self._policies.of(node)
        operations: dict[str | None, Operation] = {}
        for definition, size in measured:
            name = definition.name.value if definition.name else None
            operations[name] = Operation(
                definition.operation, size.reads, definition, deadlines[name], policies[name]
            )
        return Document(node, operations), tokens


def _count_tokens(node: DocumentNode) -> int:
    """Number of tokens, comments among them.

    Raises:
        InvalidDocument: A number has more digits than any that is meant; converting it would be
            slow, or fail with an error that speaks of Python.
    """
    count = 0
    token: Token | None = node.loc.start_token if node.loc else None
    while token is not None:
        count += 1
        if token.kind in _NUMBERS and token.end - token.start > _LONGEST_NUMBER:
            raise InvalidDocument(
                [
                    coded(f"A number has more than {_LONGEST_NUMBER} digits.", "BAD_USER_INPUT")
                    | {"locations": [{"line": token.line, "column": token.column}]}
                ]
            )
        token = token.next
    return count


_NUMBERS = frozenset({TokenKind.INT, TokenKind.FLOAT})


def _too_complex(message: str) -> InvalidDocument:
    return InvalidDocument([coded(message, "QUERY_TOO_COMPLEX")])


def request_error(error: GraphQLError, code: str = "BAD_USER_INPUT") -> dict[str, object]:
    """How an error of the request itself is shown.

    It quotes the request, but not at length; and it is not the error itself, which would keep the
    whole document alive.
    """
    message = error.message
    if len(message) > _LONGEST_MESSAGE:
        message = message[:_LONGEST_MESSAGE] + "…"
    shown: dict[str, object] = {"message": message}
    if error.locations:
        shown["locations"] = [
            {"line": location.line, "column": location.column} for location in error.locations
        ]
    shown["extensions"] = {"code": code}
    return shown
