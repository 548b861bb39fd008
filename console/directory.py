"""The public directory by the API of Open Referral UK: anybody may read it, and nothing else is to be had here.

Rules kept here:
- GET only, no session, no cookie, open to every origin: the standard asks for it, and all of it is public.
- It asks no database: whoever floods it takes nothing from those who ask for help.
- What is asked wrongly is refused with 422 and says what is wrong with it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse

from console.front import Front
from console.page import LOCAL
from knowledge.entry import Published
from knowledge.referral.directory import OPENAPI, PROFILE, VERSION, Directory, Wanted

BASE = "/open-referral"
router = APIRouter(prefix=BASE)

MOST = 100  # services on a page

Number = Annotated[int, Query(ge=1, le=1_000_000)]
Size = Annotated[int, Query(ge=1, le=MOST)]
Key = Annotated[str, Path(max_length=80)]
Word = Annotated[str | None, Query(max_length=200)]
Age = Annotated[float | None, Query(ge=0, le=150, allow_inf_nan=False)]
Clock = Annotated[str | None, Query(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]
Day = Annotated[str | None, Query(pattern=r"(?i)^(mo|tu|we|th|fr|sa|su)([a-z]*day)?$", max_length=9)]


def wanted(
    search: Word = None,
    taxonomy_term_id: Word = None,
    taxonomy_id: Word = None,
    minimum_age: Age = None,
    maximum_age: Age = None,
    day: Day = None,
    start_time: Clock = None,
    end_time: Clock = None,
) -> Wanted:
    """A dependency: what a caller asks of services."""
    opens, closes = start_time and start_time[:5], end_time and end_time[:5]
    return Wanted(
        search, taxonomy_term_id, taxonomy_id, minimum_age, maximum_age, day and day[:2].upper(), opens, closes
    )


Asked = Annotated[Wanted, Depends(wanted)]


class Kept:
    """The directory as last made: made again when another release is live, or on another day."""

    def __init__(self) -> None:
        self._of: tuple[tuple[Published, ...], date] = ((), date.min)
        self._made = Directory(*self._of)

    def directory(self, published: tuple[Published, ...], today: date) -> Directory:
        """The directory of what is live."""
        if self._of[0] is not published or self._of[1] != today:
            self._made = Directory(published, today)
            self._of = (published, today)
        return self._made


def live(request: Request) -> Directory:
    """A dependency: the directory of what is live, today."""
    front: Front = request.app.state.front
    kept: Kept = request.app.state.directory
    published = front.directory()
    if published is None:
        raise HTTPException(503, "The line is just starting: ask again in a few seconds.", {"Retry-After": "5"})
    return kept.directory(published, front.line.now().astimezone(LOCAL).date())


Live = Annotated[Directory, Depends(live)]


@router.get("/")
async def about() -> dict[str, str]:
    """Which standard this is."""
    return {"version": VERSION, "profile": PROFILE, "openapi_url": OPENAPI}


@router.get("/services")
async def services(directory: Live, asked: Asked, page: Number = 1, per_page: Size = MOST) -> JSONResponse:
    """The services, by page."""
    return JSONResponse(directory.services(asked, page, per_page))


@router.get("/services/{key}")
async def service(directory: Live, key: Key) -> JSONResponse:
    """One service, whole."""
    return _one(directory.service(key))


@router.get("/taxonomies")
async def taxonomies(directory: Live, page: Number = 1, per_page: Size = MOST) -> JSONResponse:
    """The taxonomies, by page."""
    return JSONResponse(directory.taxonomies(page, per_page))


@router.get("/taxonomies/{key}")
async def taxonomy(directory: Live, key: Key) -> JSONResponse:
    """One taxonomy."""
    return _one(directory.taxonomy(key))


@router.get("/taxonomy_terms")
async def taxonomy_terms(directory: Live, page: Number = 1, per_page: Size = MOST) -> JSONResponse:
    """The terms, by page."""
    return JSONResponse(directory.taxonomy_terms(page, per_page))


@router.get("/taxonomy_terms/{key}")
async def taxonomy_term(directory: Live, key: Key) -> JSONResponse:
    """One term."""
    return _one(directory.taxonomy_term(key))


@router.get("/service_at_locations")
async def service_at_locations(directory: Live, asked: Asked, page: Number = 1, per_page: Size = MOST) -> JSONResponse:
    """Where services are reached, by page."""
    return JSONResponse(directory.service_at_locations(asked, page, per_page))


@router.get("/service_at_locations/{key}")
async def service_at_location(directory: Live, key: Key) -> JSONResponse:
    """Where one service is reached, with the service."""
    return _one(directory.service_at_location(key))


def _one(found: dict[str, Any] | None) -> JSONResponse:
    return JSONResponse({"detail": "There is nothing with this id."}, 404) if found is None else JSONResponse(found)
