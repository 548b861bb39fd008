"""What a force's or trust's sign-in says about somebody, and whether to believe it (OpenID Connect Core 1.0).

Rules kept here:
- Believed is only what the provider signed with one of its own public keys, for us, now, in answer to this sign-in.
  `none` and every kind of HMAC are refused by not being listed.
- Who somebody is there is `iss` and `sub`, never an e-mail address: addresses are handed on to new people.
- What one browser's sign-in needs (state, nonce, PKCE verifier) is derived from the random token in its cookie, of
  which the database keeps a hash: a copy of the database finishes nobody's sign-in.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

ALGORITHMS = ("RS256", "PS256", "ES256")
SKEW = 60  # seconds that the provider's clock may differ from ours
LONGEST_TOKEN = 16 * 1024
LONGEST_SUBJECT = 255  # OpenID Connect Core 2


class NotBelieved(Exception):
    """The provider's answer does not prove who somebody is."""


class UnknownKey(NotBelieved):
    """It is signed with a key that we do not have (yet)."""


@dataclass(frozen=True)
class Identity:
    """Who somebody is at a provider."""

    issuer: str
    subject: str

    @property
    def whole(self) -> str:
        """What is hashed: an issuer is an address and holds no line break."""
        return f"{self.issuer}\n{self.subject}"


@dataclass(frozen=True)
class Secrets:
    """What one sign-in sends to the provider and wants back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, token: str) -> Secrets:
        """Derived one way: the state, which travels in addresses, gives away neither the token nor the others."""
        return cls(*(_derived(token, label) for label in ("state", "nonce", "verifier")))


def _derived(token: str, label: str) -> str:
    made = hmac.new(token.encode("utf-8", "surrogatepass"), label.encode(), sha256).digest()
    return urlsafe_b64encode(made).rstrip(b"=").decode()


@dataclass(frozen=True)
class Expected:
    """What an ID token has to say."""

    issuer: str
    client_id: str
    nonce: str
    now: datetime


def keys_of(document: dict[str, Any]) -> KeySet:
    """The provider's keys for signing; what is no such key is left out. Raises `NotBelieved` where none is left."""
    found: list[RSAKey | ECKey] = []
    for one in document.get("keys") or []:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig":
            continue
        try:
            if one.get("kty") == "RSA":
                found.append(RSAKey.import_key(one))
            elif one.get("kty") == "EC":
                found.append(ECKey.import_key(one))
        except (JoseError, ValueError, TypeError):
            continue
    if not found:
        raise NotBelieved("the provider shows no key for signing")
    return KeySet([*found])


def believed(token: str, keys: KeySet, expected: Expected) -> Identity:
    """Who an ID token speaks of (Core 3.1.3.7). Raises `UnknownKey` or `NotBelieved`."""
    # 1. Signed by the provider, in a way that only it can sign.
    if len(token) > LONGEST_TOKEN:
        raise NotBelieved("longer than any ID token")
    try:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except InvalidKeyIdError:
        raise UnknownKey("signed with an unknown key") from None
    except (JoseError, ValueError, TypeError) as error:
        raise NotBelieved(f"its signature: {type(error).__name__}") from None

    # 2. By this issuer, for us, in answer to this sign-in, and valid now.
    registry = jwt.JWTClaimsRegistry(
        now=int(expected.now.timestamp()),
        leeway=SKEW,
        iss={"essential": True, "value": expected.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": expected.client_id},
        nonce={"essential": True, "value": expected.nonce},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        registry.validate(claims)
    except JoseError as error:
        raise NotBelieved(str(error)) from None

    # 3. Not made for another client that shares it with us; and exactly what is checked above is a string.
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else expected.client_id) != expected.client_id:
        raise NotBelieved("made for another client")
    if claims["nonce"] != expected.nonce or len(claims["sub"]) > LONGEST_SUBJECT:
        raise NotBelieved("nonce or sub is none")
    return Identity(claims["iss"], claims["sub"])
