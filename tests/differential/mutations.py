"""Ways to break the engine: the comparison must notice each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One wrong line.

    Attributes:
        name: What is wrong, in words.
        file: Where.
        old: The line as it is.
        new: As it must not be.
    """

    name: str
    file: str
    old: str
    new: str


MUTATIONS = (
    Mutation(
        "an error stops where it must not",
        "engine/execution.py",
        "            if not position.nullable:\n                raise located\n",
        "",
    ),
    Mutation(
        "a late error takes only its parent along",
        "engine/execution.py",
        "while above is not None and not above[2].nullable:",
        "while above is not None and above is not path[0]:",
    ),
    Mutation(
        "a late error takes nothing along",
        "engine/execution.py",
        "            self._put_null(above)\n",
        "",
    ),
    Mutation(
        "paths are the wrong way round",
        "engine/paths.py",
        "    keys.reverse()\n",
        "",
    ),
    Mutation(
        "resolvers are told no type in their path",
        "engine/paths.py",
        "path[1], path[2].typename)",
        "path[1], None)",
    ),
    Mutation(
        "what null has made useless goes on",
        "engine/waves.py",
        "            if id(future) not in wanted:  # two fields may have given one future\n",
        "            if future is None:\n",
    ),
    Mutation(
        "the rest of a list that has failed is forgotten",
        "engine/completion.py",
        "            execution.abandon_items(iterator)\n",
        "",
    ),
    Mutation(
        "an error that is returned is a value",
        "engine/completion.py",
        "        if isinstance(value, Exception):\n            raise Returned(value)\n",
        "",
    ),
    Mutation(
        "nothing is a value",
        "engine/leaves.py",
        "        if value is None or value is Undefined:\n",
        "        if value is None:\n",
    ),
    Mutation(
        "numbers have no bounds",
        "engine/leaves.py",
        "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
        "{0}.__class__ is int",
    ),
    Mutation(
        "what is like a string is one",
        "engine/leaves.py",
        '"String": (GraphQLString, "{0}.__class__ is str"),',
        '"String": (GraphQLString, "isinstance({0}, (str, int))"),',
    ),
    Mutation(
        "a plan is good for all conditions",
        "engine/operation.py",
        "                self.variables.add(argument.value.name.value)\n",
        "                pass\n",
    ),
    Mutation(
        "arguments are kept though they have variables",
        "engine/arguments.py",
        "    if isinstance(value, VariableNode):\n        return True\n",
        "    if isinstance(value, VariableNode):\n        return False\n",
    ),
    Mutation(
        "a type is not asked whether an object is one of its own",
        "engine/completion.py",
        "    return complete if kind.is_type_of is None else complete_asked\n",
        "    return complete\n",
    ),
    Mutation(
        "no type that answers later is it",
        "engine/votes.py",
        "        result.settle(next(agreed, None))\n",
        "        result.settle(None)\n",
    ),
    Mutation(
        "who shares a key waits forever",
        "engine/execution.py",
        "            items.append(item)\n",
        "            pass\n",
    ),
    Mutation(
        "a mutation goes on after its end",
        "engine/plan.py",
        "if execution.data is None or not self._take(execution, step):",
        "if not self._take(execution, step):",
    ),
    Mutation(
        "an iterator that fails is nobody's fault",
        "engine/items.py",
        "            except StopAsyncIteration:\n",
        "            except Exception:\n",
    ),
)
