"""A stand-in for the sign-in of a force or trust, with keys of its own: honest, until a test spoils what it says.

It listens on loopback, keeps to OpenID Connect where it answers us, and refuses what a provider has to refuse: a code
twice, a code of another client, a wrong PKCE verifier."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.certificate import Certificate

CLIENT, SECRET = "lanyard at example", "s3cret/with+signs:"
Key = RSAKey | ECKey


@cache
def key(kid: str, kind: str = "RSA") -> Key:
    """A key, made once for all tests."""
    parameters = {"kid": kid, "use": "sig"}
    return RSAKey.generate_key(2048, dict(parameters)) if kind == "RSA" else ECKey.generate_key("P-256", parameters)  # type: ignore[arg-type]


@dataclass
class Asked:
    """What somebody's browser brought to the sign-in page."""

    back: str
    nonce: str
    challenge: str
    subject: str
    email: str


@dataclass
class IdentityProvider:
    """The stand-in. `forge` makes the ID token from honest claims; a test puts its own in."""

    clock: Callable[[], datetime]
    issuer: str = ""
    keys: list[Key] = field(default_factory=lambda: [key("first")])
    codes: dict[str, Asked] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)  # paths that answer with nothing of use
    ways: tuple[str, ...] = ("client_secret_basic",)
    document: dict[str, Any] = field(default_factory=dict)  # said otherwise in discovery
    forge: Callable[[dict[str, Any]], str | None] | None = None

    def sign_in(self, address: str, subject: str = "sub-1", email: str = "pc1234@force.example") -> str:
        """Somebody signs in there; gives the address their browser is sent back to."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", CLIENT, "openid")
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.calls)}-{len(self.codes)}"
        self.codes[code] = Asked(asked["redirect_uri"], asked["nonce"], asked["code_challenge"], subject, email)
        query = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?{query}"

    def claims(self, asked: Asked) -> dict[str, Any]:
        """What an honest token says."""
        now = int(self.clock().timestamp())
        said = {"iss": self.issuer, "sub": asked.subject, "aud": CLIENT, "nonce": asked.nonce, "email": asked.email}
        return said | {"iat": now, "exp": now + 300}

    def signed(self, claims: dict[str, Any], by: Key | None = None, **header: Any) -> str:
        """A token as the provider signs it."""
        signer = by or self.keys[0]
        return jwt.encode(
            {"alg": "RS256", "kid": signer.kid} | header,
            claims,
            signer,
            algorithms=[
                "RS256",
                "PS256",
                "ES256",
                "RS512",
            ],
        )

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Status and JSON of one request."""
        self.calls.append(path)
        if path in self.broken:
            return 503, "<p>Back soon.</p>"
        if path == "/.well-known/openid-configuration":
            return 200, self._discovery() | self.document
        if path == "/keys":
            return 200, {"keys": [one.as_dict(private=False) for one in self.keys]}
        return self._redeem(form, authorization)

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": list(self.ways),
        }

    def _redeem(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        basic = base64.b64encode(f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}".encode()).decode()
        posted = (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        if not (authorization == f"Basic {basic}" if "client_secret_basic" in self.ways else posted):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked.challenge != challenge or asked.back != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        token = (self.forge or self.signed)(self.claims(asked))
        return 200, {"access_token": "at", "token_type": "Bearer"} | ({"id_token": token} if token else {})


@contextmanager
def identity_provider(clock: Callable[[], datetime]) -> Iterator[IdentityProvider]:
    """A stand-in that listens."""
    made = IdentityProvider(clock)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, said = made.answer(self.path, form, self.headers.get("authorization", ""))
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_PROVIDER = """
import sys
from oidc_provider_mock import app
from werkzeug.serving import run_simple
port, *files = sys.argv[1:]
run_simple("127.0.0.1", int(port), app(require_nonce=True), threaded=True, ssl_context=tuple(files) or None)
"""


@contextmanager
def real_provider(certificate: Certificate | None = None) -> Iterator[str]:
    """oidc-provider-mock, a provider made by others, as a process of its own; gives its issuer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    files = [str(certificate.chain), str(certificate.key)] if certificate else []
    process = subprocess.Popen([sys.executable, "-c", _PROVIDER, str(port), *files], stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
