"""The graphs of the bench are made of the product's parts, and answer."""

from __future__ import annotations

import msgspec
import pytest

from bench.graph import blog, services
from bench.graph.posts import Author, Post, Posts
from bff.graphql.documents import Documents
from bff.graphql.execution import Execution, core_schema
from bff.graphql.limits import Limits
from datasources.clock import SystemClock
from datasources.resilience.pipeline import Reply
from datasources.scope import Scope, entered
from datasources.sourced import Sourced
from schema.context import Viewer
from schema.loaders import LoaderSets

NOW = SystemClock().now()


class Service:
    """Answers every call with a body that is the same, and remembers its paths."""

    def __init__(self, bodies):
        self.bodies = bodies
        self.asked = []

    async def __call__(self, call):
        self.asked.append((call.path, dict(call.params)))
        parts = call.decode(200, self.bodies[call.path])
        return Reply({key: Sourced(value, "posts", NOW) for key, value in parts.items()})


async def run(schema, query, context):
    document = Documents(core_schema(schema), Limits()).get(query)
    with entered(Scope(deadline=SystemClock().monotonic() + 60.0, request_id="r", principal="1")):
        result = await Execution(schema).run(document, None, None, context)
    context.end()
    assert result.errors is None
    return result.data


def usual():
    loaders = LoaderSets(None, None)
    return {"viewer": Viewer(id="1"), "ports": None, "loader_sets": loaders, "status": None}


async def test_posts_and_their_users_take_two_calls():
    """Each author is asked for once, and all of them in one call."""
    posts = [
        Post(id=n, user_id=user, title=f"t{n}", body="") for n, user in ((1, 1), (2, 2), (3, 1))
    ]
    users = [Author(id=n, name=f"User {n}", username="u", email="u@x") for n in (1, 2)]
    encode = msgspec.json.encode
    service = Service({"/posts": encode(posts), "/users": encode(users)})
    port = Posts(service)
    context = blog.BlogContext(**usual(), posts=port, authors=blog.Authors(port))
    data = await run(blog.build_schema(), "{ posts { title user { name } } }", context)
    assert [(post["title"], post["user"]["name"]) for post in data["posts"]] == [
        ("t1", "User 1"),
        ("t2", "User 2"),
        ("t3", "User 1"),
    ]
    assert service.asked == [("/posts", {"limit": "100"}), ("/users", {"id": "1,2"})]


async def test_the_greeting_asks_nobody():
    """It shows what a query costs that needs no service."""
    service = Service({})
    port = Posts(service)
    context = blog.BlogContext(**usual(), posts=port, authors=blog.Authors(port))
    assert await run(blog.build_schema(), "{ greet }", context) == {"greet": "Hello World!"}
    assert service.asked == []


@pytest.mark.parametrize("count", [1, 20])
async def test_a_generated_graph_asks_each_service_once(count):
    """As many services as fields, whichever number it was made for."""
    user = b'{"id":"1","name":"Ada","email":"a@x"}'
    asked = {name: Service({"/users/1": user}) for name in services.names(count)}
    query = f"{{ {' '.join(f'{name} {{ id name }}' for name in asked)} }}"
    context = services.ServicesContext(**usual(), asked=asked)
    data = await run(services.build_schema(count), query, context)
    assert data == {name: {"id": "1", "name": "Ada"} for name in asked}
    assert [len(service.asked) for service in asked.values()] == [1] * count
