"""Areas, one inside another: who covers a place, and who is nearest to it. Pure.

Rule kept here: a service covers a place only if one of its areas holds that place whole; "nearly" is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DISTRICTS_LCC = (
    "fylde wyre lancaster preston chorley south-ribble west-lancashire ribble-valley burnley hyndburn pendle rossendale"
)


@dataclass(frozen=True)
class Place:
    """An area and all the wider ones that hold it, nearest first."""

    slug: str
    title: str
    within: tuple[str, ...]


def _places() -> dict[str, Place]:
    england = ("england", "england-wales", "great-britain", "uk")
    lancashire = ("lancashire-14", "lancashire-south-cumbria", "north-west", *england)
    groups = {
        "fylde-coast": "blackpool fylde wyre",
        "central-lancashire": "preston chorley south-ribble",
        "east-lancashire": "burnley hyndburn pendle rossendale ribble-valley blackburn-with-darwen",
        "lancaster-south-cumbria": "lancaster",
        "lcc": DISTRICTS_LCC,
    }
    found = {
        "uk": Place("uk", "United Kingdom", ()),
        "great-britain": Place("great-britain", "Great Britain", ("uk",)),
        "england-wales": Place("england-wales", "England and Wales", england[2:]),
        "england": Place("england", "England", england[1:]),
        "north-west": Place("north-west", "North West", england),
        "lancashire-south-cumbria": Place("lancashire-south-cumbria", "Lancashire and South Cumbria", england),
        "lancashire-14": Place("lancashire-14", "Lancashire (all 14 districts)", lancashire[1:]),
        "lancaster-south-cumbria": Place("lancaster-south-cumbria", "Lancaster and South Cumbria", lancashire[1:]),
    }
    for group in ("lcc", "fylde-coast", "central-lancashire", "east-lancashire"):
        title = "Lancashire County Council's 12 districts" if group == "lcc" else group.replace("-", " ").title()
        found[group] = Place(group, title, lancashire)
    for district in ("blackpool", "blackburn-with-darwen", *DISTRICTS_LCC.split()):
        around = tuple(group for group, members in groups.items() if district in members.split())
        title = district.replace("-", " ").title().replace(" With ", " with ")
        found[district] = Place(district, title, (*around, *lancashire))
    return found


PLACES = _places()
"""Every place by its slug."""


class UnknownPlace(ValueError):
    """No such area is known."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"no area is called {slug!r}; known are: {', '.join(sorted(PLACES))}")


def require_place(slug: str) -> Place:
    """The place of this slug. Raises `UnknownPlace`, which names all that are known."""
    if slug not in PLACES:
        raise UnknownPlace(slug)
    return PLACES[slug]


def covers(areas: Iterable[str], place: str | None) -> bool:
    """Whether somebody who works in these areas covers all of a place. No place: whoever covers anything."""
    if place is None:
        return True
    holds = {place, *require_place(place).within}
    return any(area in holds for area in areas)


def distance(areas: Iterable[str], place: str | None) -> int:
    """How far up the narrowest of these areas stands above a place: 0 is the place itself. For sorting."""
    if place is None:
        return 0
    chain = (place, *require_place(place).within)
    return min((chain.index(area) for area in areas if area in chain), default=len(chain))
