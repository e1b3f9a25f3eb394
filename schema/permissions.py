"""Who may ask what."""

from __future__ import annotations

from typing import NoReturn

from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission, PermissionExtension

from schema.context import Info
from schema.errors import Forbidden, Unauthenticated


class IsAuthenticated(BasePermission):
    """Lets anybody pass who has proven who he is."""

    def has_permission(self, source: object, info: Info, **arguments: object) -> bool:
        return info.context.viewer is not None

    def on_unauthorized(self) -> NoReturn:
        raise Unauthenticated


class HasScope(BasePermission):
    """Lets those pass whose token names a scope.

    Args:
        scope: Such as "bff.operator".
    """

    def __init__(self, scope: str) -> None:
        self._scope = scope

    def has_permission(self, source: object, info: Info, **arguments: object) -> bool:
        return self._scope in info.context.signed_in.scopes

    def on_unauthorized(self) -> NoReturn:
        raise Forbidden(self._scope)


def allowed(*permissions: BasePermission) -> list[FieldExtension]:
    """Extensions of a field for those whom all of *permissions* let pass.

    They run before the resolver, so nothing is asked for anybody else.
    """
    return [PermissionExtension(list(permissions), use_directives=False)]


SIGNED_IN = allowed(IsAuthenticated())
"""For every root field that has no narrower rule."""

OPERATOR_SCOPE = "bff.operator"
"""What a token must name to show how the services are doing."""

OPERATORS = allowed(IsAuthenticated(), HasScope(OPERATOR_SCOPE))
"""For what only operators may see."""
