"""The public directory for anybody's program: Open Referral UK's read-only API, under /open-referral.

Rules kept here:
- No session, GET only, nothing but the public part of the live catalogue; any site may read it.
- What is asked wrongly is answered with 422 and what to do, as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from console.front import Front
from conversations.work import Work
from knowledge import open_referral
from knowledge.entry import Published
from knowledge.library import live

router = APIRouter(prefix="/open-referral")
MOST = 100
ANYBODY = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
PerPage = Annotated[int, Query(ge=1, le=MOST)]
Short = Annotated[str, Query(max_length=100)]
Day = Annotated[str, Query(pattern=r"^(MO|TU|WE|TH|FR|SA|SU)$")]
Clock = Annotated[str, Query(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


@router.get("/")
async def about(request: Request) -> JSONResponse:
    """Which standard this is."""
    found = {
        "version": "HSDS-UK-3.0",
        "profile": "https://docs.openreferraluk.org",
        "openapi_url": "https://openreferraluk.org/specifications/3.0/openapi.json",
    }
    return _answer(found)


@router.get("/services")
async def services(
    request: Request,
    page: PageNumber = 1,
    per_page: PerPage = 50,
    search: Short = "",
    taxonomy_term_id: Short = "",
    taxonomy_id: Short = "",
    day: Day | None = None,
    start_time: Clock | None = None,
    end_time: Clock | None = None,
) -> JSONResponse:
    """The services, a page at a time, narrowed by words, topic and opening times."""
    found = [open_referral.service(one) for one in await _public(request)]
    chosen = [
        one
        for one in found
        if search.lower() in f"{one['name']} {one.get('description', '')}".lower()
        and _about(one, taxonomy_term_id, taxonomy_id)
        and _open(one, day, start_time, end_time)
    ]
    return _answer(open_referral.page(chosen, page, per_page))


@router.get("/services/{service_id}")
async def one_service(request: Request, service_id: str) -> JSONResponse:
    """One service."""
    found = (open_referral.service(one) for one in await _public(request))
    return _one(found, service_id)


@router.get("/taxonomies")
async def taxonomies(request: Request, page: PageNumber = 1, per_page: PerPage = 50) -> JSONResponse:
    """The one taxonomy."""
    return _answer(open_referral.page([open_referral.taxonomy()], page, per_page))


@router.get("/taxonomies/{taxonomy_id}")
async def one_taxonomy(request: Request, taxonomy_id: str) -> JSONResponse:
    """The taxonomy of this id."""
    return _one([open_referral.taxonomy()], taxonomy_id)


@router.get("/taxonomy_terms")
async def taxonomy_terms(
    request: Request, page: PageNumber = 1, per_page: PerPage = 50, taxonomy_id: Short = "", search: Short = ""
) -> JSONResponse:
    """The topics."""
    wanted = [
        one
        for one in open_referral.terms()
        if taxonomy_id in ("", one["taxonomy_id"]) and search.lower() in str(one["name"]).lower()
    ]
    return _answer(open_referral.page(wanted, page, per_page))


@router.get("/taxonomy_terms/{term_id}")
async def one_term(request: Request, term_id: str) -> JSONResponse:
    """One topic."""
    return _one(open_referral.terms(), term_id)


@router.get("/service_at_locations")
async def service_at_locations(
    request: Request, page: PageNumber = 1, per_page: PerPage = 50, taxonomy_term_id: Short = ""
) -> JSONResponse:
    """Where services are: online and on the telephone, since addresses are not published."""
    found = [one for one in await _public(request) if _about(open_referral.service(one), taxonomy_term_id, "")]
    return _answer(open_referral.page([open_referral.at_location(one) for one in found], page, per_page))


@router.get("/service_at_locations/{link_id}")
async def one_at_location(request: Request, link_id: str) -> JSONResponse:
    """One of them."""
    return _one([open_referral.at_location(one) for one in await _public(request)], link_id)


async def _public(request: Request) -> Sequence[Published]:
    front: Front = request.app.state.front

    def load(work: Work) -> list[Published]:
        return open_referral.public(live(work.session))

    return await front.run(load)


def _about(found: dict[str, Any], term_id: str, taxonomy_id: str) -> bool:
    terms = [one["taxonomy_term"] for one in found.get("attributes", ())]
    return (not term_id or any(one["id"] == term_id for one in terms)) and (
        not taxonomy_id or any(one["taxonomy_id"] == taxonomy_id for one in terms)
    )


def _open(found: dict[str, Any], day: str | None, start: str | None, end: str | None) -> bool:
    if day is None and start is None and end is None:
        return True
    return any(
        (day is None or day in one["byday"].split(","))
        and (start is None or one["opens_at"] <= start)
        and (end is None or one["closes_at"] >= end)
        for one in found.get("schedules", ())
    )


def _one(found: Any, wanted: str) -> JSONResponse:
    for one in found:
        if one["id"] == wanted:
            return _answer(one)
    return JSONResponse({"detail": "There is nothing of this id."}, 404, ANYBODY)


def _answer(found: dict[str, Any]) -> JSONResponse:
    return JSONResponse(found, headers=ANYBODY)
