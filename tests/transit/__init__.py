"""A stand-in for the Transit engine of Vault or OpenBao, over HTTP on loopback: only what the line asks of it.

Rules kept here:
- It answers as Transit does, refusals included: 400 to what does not open and to an unknown key, 403 to a wrong
  token, 404 to a list of nothing, 400 to deleting a key that was not marked for it.
- Like Transit it makes a missing key on encrypt, unless told that the policy has no `create`.
- A test can make it slow, busy or broken.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "s.transitCanaryToken"


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(*errors)
        self.status, self.errors = status, list(errors)


class StandIn:
    """One Transit engine with its keys."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.keys: dict[str, bytes] = {}
        self.deletable: set[str] = set()
        self.fails: int | None = None  # the status everything gets
        self.waits = 0.0  # seconds before each answer
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering. May be repeated."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, token: str | None, body: dict[str, Any]) -> dict[str, Any] | None:
        """What Transit says to one request. Raises `Refused`."""
        self.asked.append(f"{method} {path}")
        time.sleep(self.waits)
        if self.fails:
            raise Refused(self.fails, "told to fail")
        if token != self.token:
            raise Refused(403, "permission denied")
        if method == "LIST" and path == "/v1/transit/keys":
            if not self.keys:
                raise Refused(404)
            return {"keys": sorted(self.keys)}
        parts = re.fullmatch(r"/v1/transit/(keys|encrypt|decrypt)/([\w.-]+)(/config)?", path)
        if parts is None:
            raise Refused(404, "no handler for route")
        return self._of_key(method, parts[1] + (parts[3] or ""), parts[2], body)

    def _of_key(self, method: str, act: str, name: str, body: dict[str, Any]) -> dict[str, Any] | None:
        match method, act:
            case "POST", "keys":
                if body.get("type") != "aes256-gcm96":
                    raise Refused(400, "unexpected type")
                self.keys.setdefault(name, os.urandom(32))
            case "POST", "keys/config":
                if body.get("deletion_allowed") and name in self.keys:
                    self.deletable.add(name)
            case "DELETE", "keys":
                if name not in self.deletable:
                    raise Refused(400, "deletion is not allowed for this key")
                self.deletable.remove(name)
                del self.keys[name]
            case "POST", "encrypt":
                return {"ciphertext": self._encrypt(name, body)}
            case "POST", "decrypt":
                return {"plaintext": self._decrypt(name, body)}
            case _:
                raise Refused(405, "unsupported operation")
        return None

    def _encrypt(self, name: str, body: dict[str, Any]) -> str:
        key, nonce = self.keys.setdefault(name, os.urandom(32)), os.urandom(12)
        sealed = AESGCM(key).encrypt(nonce, base64.b64decode(body["plaintext"]), _data(body))
        return "vault:v1:" + base64.b64encode(nonce + sealed).decode()

    def _decrypt(self, name: str, body: dict[str, Any]) -> str:
        if name not in self.keys:
            raise Refused(400, "encryption key not found")
        version, _, text = body["ciphertext"].removeprefix("vault:v").partition(":")
        raw = base64.b64decode(text)
        if version != "1" or len(raw) < 28:
            raise Refused(400, "invalid ciphertext")
        try:
            opened = AESGCM(self.keys[name]).decrypt(raw[:12], raw[12:], _data(body))
        except InvalidTag:
            raise Refused(400, "cipher: message authentication failed") from None
        return base64.b64encode(opened).decode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                try:
                    data = standin.answer(self.command, self.path, self.headers.get("X-Vault-Token"), body)
                    status, said = (204, b"") if data is None else (200, json.dumps({"data": data}).encode())
                except Refused as refused:
                    status, said = refused.status, json.dumps({"errors": refused.errors}).encode()
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PUT = do_DELETE = do_LIST = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing."""

        return Handler


def _data(body: dict[str, Any]) -> bytes | None:
    return base64.b64decode(body["associated_data"]) if "associated_data" in body else None


def transit_provider(standin: StandIn, token: str = TOKEN, ticks: Callable[[], float] = lambda: 0.0) -> Any:
    """The provider over this stand-in. Needs `hvac`, which is why it is imported by name."""
    module = importlib.import_module("storage.transit")
    return module.TransitProvider(module.Transit(standin.url, lambda: token, ticks))
