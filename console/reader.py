"""What rooms of several roles share: who comes, in the role that the address names. And how the catalogue is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request, Response

from access.permissions import Action, roles_for
from access.tables import Role
from console.front import Front
from console.page import LOCAL, Pages
from console.session import admit
from conversations.work import Work
from knowledge.entry import Confirmation
from knowledge.flags import Flag
from knowledge.places import PLACES
from knowledge.showing import TRUST
from knowledge.topics import TOPICS

CHOICES = {
    "topics": {slug: topic.title for slug, topic in TOPICS.items()},
    "kinds": {"service": "Service", "guidance": "Guidance", "power": "Police power"},
    "trust": {one.value: TRUST[one] for one in Confirmation},
    "places": {slug: place.title for slug, place in PLACES.items()},
    "flags": {flag.value: flag.value.replace("-", " ").capitalize() for flag in Flag},
    "reviews": {"due": "within 30 days, or past", "past": "past"},
}
"""What a field of the catalogue can hold, with how people read it."""


@dataclass(frozen=True)
class Reader:
    """Somebody signed in, in one role."""

    id: str
    role: Role
    token_hash: str  # of this session

    @property
    def base(self) -> str:
        """Where this role's pages of the catalogue begin."""
        return f"/catalogue/{self.role.value}"

    def may(self, action: Action | str) -> bool:
        """Whether this role may do that, at all or to some consultation: for what a page shows. It is asked again."""
        return self.role in roles_for(Action(action))


def reader(action: Action) -> Callable[[Request, Role], Awaitable[Reader]]:
    """A dependency: the person signed in, in the role of the address. Raises `NotSignedIn`, or `NotYours` where that
    role may not do this."""

    async def who(request: Request, role: Role) -> Reader:
        found = await admit(request, action, role)
        return Reader(found.person_id, role, found.token_hash)

    return who


async def show(
    request: Request, me: Reader, template: str, load: Callable[[Work], dict[str, Any]], status: int = 200
) -> Response:
    """One page of the catalogue, with what `load` gives."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    values = await front.run(load)
    return pages.show(request, template, values | {"me": me, "role": me.role, "choices": CHOICES}, status)


def local_today(work: Work) -> date:
    """The day where people are."""
    return work.now.astimezone(LOCAL).date()
