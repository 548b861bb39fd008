"""A form may carry its route's own fields and no others: what somebody adds by hand is refused, not ignored."""

from __future__ import annotations

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from conversations.tables_review import Standard
from knowledge.form import NAMES

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MOST_FIELDS = 200
READ_BY_HAND = {  # what these routes read from the form by themselves
    "/review/{role}/{ref}": {one.value for one in Standard},
    "/people/{role}/import/look": {"file"},
    "/catalogue/{role}/propose": {"entry", "advice", "confirmed"} | NAMES,
}


def fields_of(route: object) -> set[str]:
    """The names that the form of a route may carry."""
    dependant = getattr(route, "dependant", None)
    if dependant is None:
        return set()
    names: set[str] = set(READ_BY_HAND.get(getattr(route, "path", ""), ()))
    for param in dependant.body_params:
        kind = param.field_info.annotation
        model = isinstance(kind, type) and issubclass(kind, BaseModel)
        names |= set(kind.model_fields) if model else {param.alias}
    return names


async def own_fields_only(request: Request) -> None:
    """Raises `RequestValidationError` for a field that is not the route's."""
    if not request.headers.get("content-type", "").startswith(FORMS):
        return
    if not set(await request.form(max_fields=MOST_FIELDS)) <= fields_of(request.scope.get("route")):
        raise RequestValidationError([])
