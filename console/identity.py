"""Signing in with a force's or trust's own sign-in, and saying which one is one's own.

Rules kept here:
- An address to go on to afterwards (`next`) is not taken from anybody: everybody begins at their role's first page.
- Whatever goes wrong on the way back is answered by one and the same page; only a provider that does not answer has
  another, which says whom to ring.
- Linking begins with a form of ours, never with a link: another site could open that in somebody's name.
"""

from __future__ import annotations

import hmac
import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from access.enrolment import CodeRefused
from access.identity import FLOW_LIFE, CannotLink, Flow, FlowRefused, begin_flow, end_flow, linked, may_link
from access.oidc import Identity, NotBelieved, Secrets
from access.permissions import Action
from access.provider import NotRedeemed, Provider, ProviderAway
from access.tables import Role
from console.fields import own_fields_only
from console.front import Front
from console.mini_app import not_let_in, step_up, waiting_entry
from console.page import HOME, Pages
from console.reader import Reader, reader
from console.session import away_name, clear_away, set_away, set_cookie
from conversations import identify
from conversations.work import Work

log = logging.getLogger(__name__)
router = APIRouter()
Linking = Annotated[Reader, Depends(reader(Action.LINK_IDENTITY))]


@router.get("/sign-in/with/{name}")
async def go(request: Request, name: str) -> Response:
    """On to the provider."""
    return await _go(request, name, Flow())


@router.get("/mini-app/with/{name}")
async def go_from_mini_app(request: Request, name: str) -> Response:
    """On to the provider, to come back as whom Telegram named and nobody else."""
    entry_hash = await waiting_entry(request)
    return await _go(request, name, Flow(entry_hash=entry_hash)) if entry_hash else not_let_in(request)


@router.get("/sign-in/with/{name}/return")
async def back(request: Request, name: str, code: str = "", state: str = "", iss: str | None = None) -> Response:
    """Back from the provider: let in, linked, or refused."""
    front: Front = request.app.state.front
    provider, token = front.providers.get(name), request.cookies.get(away_name(front), "")
    secrets = Secrets.of(token)
    if provider is None or not _same(state, secrets.state):
        return not_let_in(request)
    try:
        flow = await front.run(lambda work: end_flow(work.session, token, name, work.now))
        if not code or (iss is not None and not provider.is_issuer(iss)):
            raise FlowRefused
        identity = await provider.identity(code, secrets, _return_address(front, name), front.line.now())
    except ProviderAway as error:
        response = _away(request, provider, error)
    except (FlowRefused, NotRedeemed):
        response = not_let_in(request)
    except NotBelieved as error:
        log.warning("sign-in not believed: provider=%s because=%s", name, error)
        await front.run(lambda work: identify.refused(work, name))
        response = not_let_in(request)
    else:
        response = await _arrive(request, name, flow, identity)
    clear_away(front, response)
    return response


@router.post("/sign-in/role", dependencies=[Depends(own_fields_only)])
async def choose(
    request: Request, code: Annotated[str, Form(max_length=100)], role: Annotated[Role, Form()]
) -> Response:
    """Begin in one of one's roles."""
    front: Front = request.app.state.front
    token = front.line.token() + front.line.token()
    try:
        await front.run(lambda work: identify.choose(work, code, role, token))
    except CodeRefused:
        return not_let_in(request)
    return _begun(front, role, token)


@router.get("/identity/{role}")
async def own(request: Request, me: Linking) -> Response:
    """Which sign-ins are linked, and linking another."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def load(work: Work) -> dict[str, Any]:
        return {"linked": linked(work.session, me.id), "may_link": can_link(work, me)}

    return pages.show(request, "identity.html", await front.run(load) | {"role": me.role})


@router.post("/identity/{role}/with/{name}")
async def begin_linking(request: Request, name: str, me: Linking) -> Response:
    """A page with a link to the provider: browsers hold forms (`form-action`) to our own site, and so do we."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    provider = front.providers.get(name)
    if provider is None or not await front.run(lambda work: can_link(work, me)):
        return not_let_in(request)
    try:
        address, token = await _leave(front, provider, Flow(session_hash=me.token_hash))
    except ProviderAway as error:
        return _away(request, provider, error)
    response = pages.show(request, "identity-go.html", {"role": me.role, "title": provider.title, "address": address})
    set_away(front, response, token, FLOW_LIFE)
    return response


@router.post("/identity/{role}/without/{name}")
async def unlink(request: Request, name: str, me: Linking) -> Response:
    """It is no longer theirs."""
    front: Front = request.app.state.front
    await front.run(lambda work: identify.unlink(work, me.id, name))
    return RedirectResponse(f"/identity/{me.role.value}", 303)


async def _go(request: Request, name: str, flow: Flow) -> Response:
    front: Front = request.app.state.front
    provider = front.providers.get(name)
    if provider is None:
        return not_let_in(request)
    try:
        address, token = await _leave(front, provider, flow)
    except ProviderAway as error:
        return _away(request, provider, error)
    response = RedirectResponse(address, 303)
    set_away(front, response, token, FLOW_LIFE)
    return response


async def _leave(front: Front, provider: Provider, flow: Flow) -> tuple[str, str]:
    """Where to go, and the token of the way there. Raises `ProviderAway`."""
    token = front.line.token() + front.line.token()
    address = await provider.address(Secrets.of(token), _return_address(front, provider.name), front.line.now())
    await front.run(lambda work: begin_flow(work.session, token, provider.name, flow, work.now))
    return address, token


async def _arrive(request: Request, name: str, flow: Flow, identity: Identity) -> Response:
    """Whom the provider vouched for."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    session_hash, entry_hash = flow.session_hash, flow.entry_hash
    token = front.line.token() + front.line.token()
    if entry_hash is not None:
        return await step_up(request, token, lambda work: identify.step_up(work, name, identity, entry_hash, token))
    if session_hash is not None:
        holder = await front.run(lambda work: identify.link(work, session_hash, name, identity))
        return RedirectResponse(f"/identity/{holder.role}", 303) if holder else not_let_in(request)
    roles = await front.run(lambda work: identify.let_in(work, name, identity, token))
    if not roles:
        return not_let_in(request)
    if len(roles) > 1:
        return pages.show(request, "identity-role.html", {"code": token, "roles": roles})
    return _begun(front, roles[0], token)


def _begun(front: Front, role: Role, token: str) -> Response:
    response = RedirectResponse(HOME[role], 303)
    set_cookie(front, response, role, token)
    return response


def _return_address(front: Front, name: str) -> str:
    return front.line.doors.link(f"/sign-in/with/{name}/return")


def can_link(work: Work, me: Reader) -> bool:
    """Whether this session is one in which somebody says how they sign in from now on."""
    try:
        may_link(work.session, me.token_hash, work.now)
    except CannotLink:
        return False
    return True


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def _away(request: Request, provider: Provider, error: ProviderAway) -> Response:
    log.warning("a provider of sign-ins is away: provider=%s because=%s", provider.name, error)
    pages: Pages = request.app.state.pages
    return pages.show(request, "identity-away.html", {"title": provider.title}, 503)
