"""A device with passkeys, and the browser it is in, in software: the outer wall. It signs what a test makes of it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, ELIGIBLE, BACKED_UP, NEW = 0x01, 0x04, 0x08, 0x10, 0x40  # Web Authentication 6.1, "flags"


def to_text(data: bytes) -> str:
    """As the standard writes bytes."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    """And back."""
    return urlsafe_b64decode(text + "==")


@dataclass
class Device:
    """It holds one passkey. What a test changes here is what it then says and signs."""

    origin: str = "http://localhost:8000"
    host: str = "localhost"
    id: bytes = b"one passkey of this device"
    count: int = 0
    step: int = 1  # what each signature adds to the count; 0: it does not count
    flags: int = UP | UV
    client: dict[str, Any] = field(default_factory=dict)  # said instead, or as well, in the client data
    holder: bytes | None = None  # the user handle it was given
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Make the passkey."""
        self.holder = to_bytes(asked["user"]["id"])
        client = self._client("webauthn.create", asked["challenge"])
        credential = bytes(16) + len(self.id).to_bytes(2) + self.id + self.public()
        data = self._data(self.flags | NEW) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(client, attestationObject=to_text(attestation), transports=["internal", "made-up"])

    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Sign in with it."""
        self.count += self.step
        client = self._client("webauthn.get", asked["challenge"])
        data = self._data(self.flags)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        more = {"userHandle": to_text(self.holder)} if self.holder is not None else {}
        return self._answer(client, authenticatorData=to_text(data), signature=to_text(signature), **more)

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | self.client).encode()

    def _data(self, flags: int) -> bytes:
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def public(self) -> bytes:
        """Its public key, as it says it."""
        numbers = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})

    def _answer(self, client: bytes, **response: Any) -> dict[str, Any]:
        said = {"id": to_text(self.id), "rawId": to_text(self.id), "type": "public-key"}
        here = {"authenticatorAttachment": "platform"}
        return said | here | {"response": {"clientDataJSON": to_text(client)} | response}


def altered(answer: dict[str, Any], part: str, change: Callable[[bytes], bytes]) -> dict[str, Any]:
    """The answer with one part of it changed after it was signed."""
    response = answer["response"]
    return answer | {"response": response | {part: to_text(change(to_bytes(response[part])))}}
