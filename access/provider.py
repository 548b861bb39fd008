"""One provider of sign-ins, over HTTPS: a force's Entra ID, a trust's Keycloak, NHS CIS2.

Rules kept here:
- Only the configured issuer is believed; its other addresses come from its own discovery document, checked.
- What it says of itself, and its keys, are kept for an hour; an unknown key makes us ask once more, no oftener.
- It is asked with no transaction open and never for longer than `PATIENCE`; its access token is thrown away.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
from authlib.oauth2.client import OAuth2Client
from joserfc.jwk import KeySet

from access.oidc import Expected, Identity, NotBelieved, Secrets, UnknownKey, believed, keys_of

PATIENCE = 6.0  # seconds for all that one page asks of a provider
KEPT = timedelta(hours=1)
SECURE = re.compile(r"https://[^/\s]")
HERE = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


class ProviderAway(Exception):
    """The provider does not answer, or not as it should."""


class NotRedeemed(NotBelieved):
    """The provider took no such code from us: nobody's word for anything yet."""


@dataclass(frozen=True)
class Registration:
    """How a provider knows us."""

    name: str  # in our addresses
    title: str  # on the button
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class _Known:
    """What a provider says of itself, and when it said so."""

    document: dict[str, Any]
    keys: KeySet
    at: datetime


class Provider:
    """One provider. Any number of sign-ins may use it at once."""

    def __init__(self, registration: Registration) -> None:
        self._us = registration
        self._known: _Known | None = None

    @property
    def name(self) -> str:
        """In our addresses."""
        return self._us.name

    @property
    def title(self) -> str:
        """On the button."""
        return self._us.title

    async def address(self, secrets: Secrets, back: str, now: datetime) -> str:
        """Where the browser goes to sign in there (code flow, PKCE with S256). Raises `ProviderAway`."""
        async with _asking() as http:
            known = await self._learn(http, now)
        client = OAuth2Client(None, self._us.client_id, scope="openid", redirect_uri=back, code_challenge_method="S256")
        url, _ = client.create_authorization_url(
            known.document["authorization_endpoint"],
            state=secrets.state,
            nonce=secrets.nonce,
            code_verifier=secrets.verifier,
        )
        return str(url)

    async def identity(self, code: str, secrets: Secrets, back: str, now: datetime) -> Identity:
        """Who came back with this code. Raises `ProviderAway`, or `NotBelieved`."""
        expected = Expected(self._us.issuer, self._us.client_id, secrets.nonce, now)
        async with _asking() as http:
            known = await self._learn(http, now)
            token = await self._redeem(http, known.document, code, secrets.verifier, back)
            try:
                return believed(token, known.keys, expected)
            except UnknownKey:
                self._known = None
                return believed(token, (await self._learn(http, now)).keys, expected)

    def is_issuer(self, issuer: str) -> bool:
        """Whether an answer that names its issuer (RFC 9207) names this one."""
        return issuer == self._us.issuer

    async def _redeem(self, http: httpx.AsyncClient, document: dict[str, Any], code: str, proof: str, back: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": proof}
        us, secret = self._us.client_id, self._us.client_secret
        ways = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in ways:
            # RFC 6749 2.3.1: both are form-encoded before they are put together
            answer = await http.post(
                document["token_endpoint"], data=form, auth=httpx.BasicAuth(quote(us, safe=""), quote(secret, safe=""))
            )
        else:
            form |= {"client_id": us, "client_secret": secret}
            answer = await http.post(document["token_endpoint"], data=form)
        if answer.status_code in {400, 401, 403}:
            raise NotRedeemed("the code was not accepted")
        token = _object(answer).get("id_token")
        if not isinstance(token, str):
            raise NotBelieved("no ID token came")
        return token

    async def _learn(self, http: httpx.AsyncClient, now: datetime) -> _Known:
        if self._known is None or now - self._known.at > KEPT:
            document = _object(await http.get(f"{self._us.issuer.rstrip('/')}/.well-known/openid-configuration"))
            self._check(document)
            self._known = _Known(document, keys_of(_object(await http.get(document["jwks_uri"]))), now)
        return self._known

    def _check(self, document: dict[str, Any]) -> None:
        if document.get("issuer") != self._us.issuer:
            raise ProviderAway("discovery names another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            address = str(document.get(name))
            if not SECURE.match(address) and not (HERE.match(self._us.issuer) and HERE.match(address)):
                raise ProviderAway(f"{name} is no https address")


@asynccontextmanager
async def _asking() -> AsyncIterator[httpx.AsyncClient]:
    """A client for one exchange. Every way in which a provider can fail to answer comes out as `ProviderAway`."""
    try:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(timeout=PATIENCE / 2) as http:
            yield http
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise ProviderAway(type(error).__name__) from None


def _object(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object it answered with. Raises `ProviderAway`."""
    try:
        found = answer.json() if answer.status_code == 200 else None
    except ValueError:  # no JSON, or no text
        found = None
    if not isinstance(found, dict):
        raise ProviderAway(f"answered {answer.status_code} with nothing of use")
    return found
