"""One plan may be executed by several threads at once, each with a loop of its own."""

import contextlib
import dataclasses
import sys
import threading

from graphql import parse, validate
from graphql.execution.values import get_variable_values

from engine import ErrorBehavior, NotCompilable, compile_operation
from tests.differential.chance import Chance
from tests.differential.documents import Writer
from tests.differential.outcome import Question, Stage
from tests.differential.story import Nature, Story
from tests.differential.subjects import reference
from tests.differential.worlds import World

_THREADS = 4
_ROUNDS = 15


def a_plan(seed):
    """A document of some length, its plan, and how it is asked."""
    world = World(seed)
    writer = Writer(Chance("threads", seed), world.schema)
    text, name = writer.document()
    document = parse(text)
    variables = writer.variables(Chance("variables", seed))
    operation = document.definitions[1 if "query Other" in text else 0]
    coerced = get_variable_values(world.schema, operation.variable_definitions or (), variables)
    if validate(world.schema, document) or isinstance(coerced, list):
        return None
    try:
        compiled = compile_operation(world.schema, document, name)
        plan = compiled.plan(coerced, ErrorBehavior.NULL)
    except NotCompilable:
        return None
    question = Question(world.schema, document, name, variables, ErrorBehavior.NULL)
    return world, question, lambda _, story: plan.execute(story.root, story, coerced)


def outcomes(subject, world, question):
    """What comes of several stories, waiting and at once."""
    found = []
    with contextlib.closing(Stage()) as stage:
        for seed in range(_ROUNDS):
            nature = dataclasses.replace(Nature.of(Chance(seed)), bursts=0.0, iterates=0.0)
            story = Story(seed, nature, world.schema, asynchronous=True)
            story.root = world.story_root(story, question.root_type)
            outcome = stage.watch(subject, question, story)
            found.append((outcome.data, sorted(map(repr, outcome.errors)), outcome.ended))
    return found


def test_threads_share_a_plan():
    """Each gets its own answer, whatever the others do."""
    pace = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        plans = [plan for plan in map(a_plan, (0, 1, 4, 5)) if plan is not None]
        assert len(plans) > 2
        for world, question, subject in plans:
            expected = outcomes(reference, world, question)
            got = [[] for _ in range(_THREADS)]

            def ask(found, subject=subject, world=world, question=question):
                found += outcomes(subject, world, question)

            threads = [threading.Thread(target=ask, args=(found,)) for found in got]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert all(found == expected for found in got)
    finally:
        sys.setswitchinterval(pace)
