"""Our own graph, with services that answer, fail and are stale as the story says."""

from __future__ import annotations

import dataclasses
from typing import Any

from graphql import GraphQLObjectType

from datasources.errors import AttemptTimedOut, CircuitOpen, NotFound, ServerFault, Unreachable
from datasources.sourced import Origin, Reason, Sourced
from tests.differential.chance import Chance
from tests.differential.story import Story
from tests.unit.schema.house import CORE, NOON, House, furnished

_FAILURES = (
    Unreachable,
    CircuitOpen,
    NotFound,
    lambda service: ServerFault(service, 500),
    lambda service: AttemptTimedOut(service, 3.0),
)


class Ours:
    """Takes the place of a `World`."""

    asynchronous = True

    def __init__(self) -> None:
        self.schema = CORE

    def story_root(self, story: Story, _kind: GraphQLObjectType) -> object:
        """There is none; the services are behind the context."""
        story.loose = True  # many of its resolvers fail in a coroutine, before they have waited
        house = _House(**vars(furnished()), story=story)
        chance = Chance(story.seed, "viewer")
        viewer: Any = chance.pick(("u1", "u1", "u1", "u2", None))
        scopes = chance.pick(((), ("operations",)))
        story.context = house.context(viewer=viewer, scopes=scopes)
        story.at_end = story.context.end
        return None


@dataclasses.dataclass
class _House(House):
    story: Any = None

    async def ask(self, service: str, operation: str, *arguments: object) -> None:
        story: Story = self.story
        chance = Chance(story.seed, service, operation, repr(arguments))
        if service == "products":
            story.loose = True  # who is asked for together depends on the passes of the loop
        else:
            story.asked(service, operation, repr(arguments))
        await story.pause(chance)
        if chance.happens(story.nature.fails * 2):
            raise chance.pick(_FAILURES)(service)

    def found(self, service: str, value: Any) -> Sourced[Any]:
        if Chance(self.story.seed, "stale", service).happens(self.story.nature.odd * 2):
            return Sourced(value, service, NOON, Origin.STALE, 61.5, Reason.TIMEOUT)
        return Sourced(value, service, NOON)
