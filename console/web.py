"""create_app(): the pages put together; signed in unless listed; errors become pages; security headers on all.

Rules kept here:
- Every route asks for a session of its own role, but for the ways in (`entry`, `identity`, `mini_app`) and the public
  `directory`.
- What one may not see does not exist (404); what cannot be done says so; anything else is an incident number.
- With the database gone every page still shows the emergency words and the duty phone number.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from access.signin import NotSignedIn
from console import (
    account,
    answering,
    board,
    chat,
    curating,
    desk,
    directory,
    entry,
    glass,
    identity,
    knowledge,
    live,
    mini_app,
    passkeys,
    people,
    private_notes,
    recalling,
    reports,
    restrict,
    review,
    rota,
    shifts,
    snippets,
    trail,
)
from console.front import Front
from console.page import Pages
from conversations.errors import LineError, NotYours
from conversations.states import NotPossible
from knowledge.library import CatalogueError, NoSuchVersion
from storage.database import is_unavailable

log = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({"same-origin", "none"})
HEADER_LIMIT = 8 * 1024  # bytes of the address and all headers
COOKIE_LIMIT = 4 * 1024
BODY_LIMIT = 64 * 1024  # bytes of a form
LONG_BODIES = {f"/people/{role}{path}": people.LONGEST_BODY for role in people.ROLES for path in people.IMPORTS}
LONG_BODIES |= {f"/rota/{role}{path}": rota.LONGEST_BODY for role in rota.ROLES for path in rota.IMPORTS}

# What stands in an address before a reference is looked at first: /desk/reviews is nobody's consultation.
ROOMS = (
    answering, identity, entry, account, chat, desk, private_notes, board, live, knowledge, curating, recalling,
    restrict, glass, trail, people, review, snippets, mini_app, passkeys, reports, rota, shifts,
)  # fmt: skip


def create_app(front: Front) -> FastAPI:
    """The pages as an application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.front = front
    app.state.pages = Pages(front)
    app.state.listening = Counter[str]()  # open streams, by person
    app.state.directory = directory.Kept()
    for room in ROOMS:
        app.include_router(room.router)
    app.include_router(directory.router)
    app.mount("/assets", StaticFiles(directory=front.assets, check_dir=False), name="assets")
    app.middleware("http")(_guard)
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(LineError, _refused)
    app.add_exception_handler(NotPossible, _refused)
    app.add_exception_handler(CatalogueError, _refused)
    app.add_exception_handler(RequestValidationError, _unclear)
    app.add_exception_handler(Exception, _broken)
    return app


async def _guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse forged requests and large bodies; answer faults as pages; put the security headers on."""
    request.state.nonce = secrets.token_urlsafe(16)
    refused = _refused_by_headers(request)
    if refused:
        log.warning("request refused status=%s", refused)
        response = Response("Refused.", refused, media_type="text/plain", headers={"Connection": "close"})
    elif int(request.headers.get("content-length") or 0) > LONG_BODIES.get(request.url.path, BODY_LIMIT):
        response = Response("Too long.", 413, media_type="text/plain")
    else:
        try:
            response = await go_on(request)
        except Exception as error:  # noqa: BLE001 - whatever happens, the reader gets a page that helps
            response = await _broken(request, error)
    _headers(request, response)
    return response


def _refused_by_headers(request: Request) -> int | None:
    """The status for what is refused before anything of it is read."""
    named = {name for name, _ in request.scope["headers"]}
    if {b"content-length", b"transfer-encoding"} <= named:  # two lengths: each reader could believe another
        return 400
    if sum(len(value) for name, value in request.scope["headers"] if name == b"cookie") > COOKIE_LIMIT:
        return 400
    address = len(request.scope["path"]) + len(request.scope["query_string"])
    if address + sum(len(name) + len(value) for name, value in request.scope["headers"]) > HEADER_LIMIT:
        return 431
    if request.method not in SAFE_METHODS and not _from_ourselves(request):
        return 403
    return None


def _from_ourselves(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in SAME_SITE
    origin = request.headers.get("origin")
    return origin is not None and origin.split("://")[-1] == request.headers.get("host")


def _headers(request: Request, response: Response) -> None:
    nonce = request.state.nonce
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.url.path.startswith(f"{directory.BASE}/"):  # public, and of use to other sites' pages
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if request.app.state.front.line.doors.public_url.startswith("https"):
        response.headers["Strict-Transport-Security"] = "max-age=63072000"
    if not request.url.path.startswith("/assets/"):
        response.headers["Cache-Control"] = "no-store"


async def _not_signed_in(request: Request, _: Exception) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/"})
    return RedirectResponse("/", 303)


async def _refused(request: Request, error: Exception) -> Response:
    pages: Pages = request.app.state.pages
    status = 404 if isinstance(error, (NotYours, NoSuchVersion)) else 409
    if isinstance(error, NotYours):
        log.warning("not theirs route=%s", getattr(request.scope.get("route"), "path", "?"))
    sentence = str(error) if isinstance(error, (LineError, CatalogueError)) else "That cannot be done now."
    return pages.show(request, "refused.html", {"sentence": sentence}, status)


async def _unclear(request: Request, error: Exception) -> Response:
    """Fields that are missing, unknown or out of range: what was sent is not repeated. Programs that read the public
    directory are told which."""
    if isinstance(error, RequestValidationError) and request.url.path.startswith(f"{directory.BASE}/"):
        return await request_validation_exception_handler(request, error)
    pages: Pages = request.app.state.pages
    sentence = "That could not be read. Nothing was changed."
    return pages.show(request, "refused.html", {"sentence": sentence}, 422)


async def _broken(request: Request, error: Exception) -> Response:
    pages: Pages = request.app.state.pages
    if isinstance(error, NotSignedIn):
        return await _not_signed_in(request, error)
    if isinstance(error, (LineError, NotPossible, CatalogueError)):
        return await _refused(request, error)
    if is_unavailable(error):
        return pages.show(request, "unavailable.html", {}, 503)
    incident = secrets.token_hex(4)
    log.error("page failed: %s incident=%s", type(error).__name__, incident)
    return pages.show(request, "broken.html", {"incident": incident}, 500)
