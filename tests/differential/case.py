"""One document of one world, executed in several stories by both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import parse, validate
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode

from engine import ErrorBehavior, NotCompilable
from tests.differential.chance import Chance, mixed
from tests.differential.comparison import differences
from tests.differential.documents import Writer
from tests.differential.ours import Ours
from tests.differential.outcome import Outcome, Question, Stage, Subject
from tests.differential.story import Nature, Story
from tests.differential.subjects import Engine, reference
from tests.differential.town import Town
from tests.differential.worlds import World

AnyWorld = World | Town | Ours

_DOCUMENTS = 25
"""Documents for each world."""
_STORIES = 5
"""Stories for each document."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that did not come to the same.

    Attributes:
        seed: Of the document.
        what: In words.
    """

    seed: int
    document: str
    variables: dict[str, Any]
    nature: Nature
    on_error: ErrorBehavior
    what: list[str]

    def __str__(self) -> str:
        wrong = "\n".join(self.what)
        return (
            f"seed {self.seed}, {self.on_error}, {self.nature}\n{self.document}\n"
            f"variables: {self.variables}\n{wrong}\nreplay: {replay(self.seed)}"
        )


def replay(seed: int) -> str:
    """The command that executes it again."""
    return f".venv/bin/python -m tests.differential --seed {seed}"


@lru_cache(maxsize=4)
def _world(number: int) -> AnyWorld:
    """Two in four are by chance, one is of Strawberry, one is our own."""
    match number % 4:
        case 2:
            return Ours()
        case 3:
            return Town()
        case _:
            return World(number)


class Trial:
    """Executes documents in a row.

    Args:
        subject: What is compared with graphql-core.

    Attributes:
        counts: Cases, documents, and those that were left out, each with the reason.
    """

    def __init__(self, subject: Subject | None = None) -> None:
        self._stage = Stage()
        self._subject = subject or Engine()
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        self._stage.close()

    def differences(self, seed: int) -> Iterator[Difference]:
        """What is unequal in the document that *seed* gives."""
        world = _world(seed // _DOCUMENTS)
        chance = Chance("document", seed)
        writer = Writer(chance, world.schema)
        text, name = writer.document()
        document = parse(text)
        errors = validate(world.schema, document, max_errors=1)
        if errors:
            self.counts[f"invalid: {errors[0].message[:60]}"] += 1
            return
        self.counts["documents"] += 1
        operation = document.definitions[-1 if name else 0]
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode) and node.name.value == "Asked":
                operation = node
        for number in range(_STORIES):
            variables = writer.variables(chance)
            coerced = get_variable_values(
                world.schema, operation.variable_definitions or (), variables
            )
            if isinstance(coerced, list):
                self.counts[f"variables: {coerced[0].message[:60]}"] += 1
                continue
            nature = Nature.of(chance)
            everything: list[Outcome] = []
            for on_error in (ErrorBehavior.NULL, ErrorBehavior.PROPAGATE, ErrorBehavior.HALT):
                question = Question(world.schema, document, name, variables, on_error)
                what = self._case(world, question, nature, mixed(seed, number), everything)
                if what:
                    yield Difference(seed, text, variables, nature, on_error, what)

    def _case(
        self,
        world: AnyWorld,
        question: Question,
        nature: Nature,
        seed: int,
        everything: list[Outcome],
    ) -> list[str]:
        expected = self._told(reference, world, question, nature, seed)
        if question.on_error is ErrorBehavior.NULL:
            everything.append(expected)
        got = self._told(self._subject, world, question, nature, seed)
        if got.ended.startswith(f"it raises {NotCompilable.__name__}"):
            self.counts[got.ended] += 1
            return []
        if got.left:  # perhaps by graphql-core, some time ago
            got = self._told(self._subject, world, question, nature, seed, alone=True)
        self._count(expected, got)
        return differences(
            question.on_error,
            expected,
            got,
            lambda: everything[0],
            at_once=not (nature.waits or world.asynchronous),
        )

    def _told(
        self,
        subject: Subject,
        world: AnyWorld,
        question: Question,
        nature: Nature,
        seed: int,
        *,
        alone: bool = False,
    ) -> Outcome:
        story = Story(seed, nature, world.schema, asynchronous=world.asynchronous)
        story.root = world.story_root(story, question.root_type)
        return self._stage.watch(subject, question, story, alone=alone)

    def _count(self, expected: Outcome, got: Outcome) -> None:
        self.counts["cases"] += 1
        self.counts["with errors"] += bool(expected.errors)
        self.counts["awaited"] += expected.awaited
        self.counts["exact"] += not (expected.loose or got.loose)
        self.counts["never ending"] += bool(expected.ended)
