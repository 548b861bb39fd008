"""What a browser says of a passkey, and whether to believe it (Web Authentication). Asks no database.

Rules kept here:
- Believed is only what was signed for our own address, in answer to this challenge, by a device that made sure who
  holds it (user verification).
- A challenge is derived from the random token in the browser's cookie, of which the database keeps a hash: a copy of
  the database finishes nobody's sign-in.
- No name leaves the house: devices copy what they are told to their makers' clouds.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorAttachment,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

Result = TypeVar("Result")

ANSWER_WITHIN = timedelta(minutes=5)
LONGEST_ANSWER = 16 * 1024  # characters
LONGEST_ID = 1023  # bytes: Web Authentication 4, "Credential ID"


class NotProven(Exception):
    """The browser's answer proves nothing."""


class Kind(Enum):
    """What holds a passkey, as far as its browser says. Names it to its person and decides nothing."""

    SYNCED = "synced"  # copied between its person's devices by their maker
    DEVICE = "device"  # stays in one phone or computer
    KEY = "key"  # a security key that is plugged in or held near


@dataclass(frozen=True)
class Site:
    """What passkeys are bound to: our own address."""

    origin: str  # exactly as browsers write it
    host: str  # the "relying party id"


@dataclass(frozen=True)
class Made:
    """A new passkey."""

    credential_id: bytes
    public_key: bytes
    count: int
    kind: Kind
    transports: str  # how it is reached: words of the standard, comma between


@dataclass(frozen=True)
class Claim:
    """Which passkey an answer says it comes from; not proven yet."""

    credential_id: bytes
    holder: bytes | None


def site_of(public_url: str) -> Site | None:
    """The site of this address; None where browsers keep no passkeys: for a bare number, or without https
    (`localhost` is allowed)."""
    parts = urlsplit(public_url.lower())
    host, scheme = parts.hostname or "", parts.scheme
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host) or _is_number(host):
        return None
    if scheme != "https" and host != "localhost":
        return None
    usual = parts.port is None or parts.port == {"https": 443, "http": 80}[scheme]
    return Site(f"{scheme}://{host}" if usual else f"{scheme}://{host}:{parts.port}", host)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def challenge_of(token: str) -> bytes:
    """What has to be signed in answer to this token."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"passkey", sha256).digest()


def to_add(site: Site, challenge: bytes, person_id: str, label: str, known: Iterable[bytes]) -> dict[str, Any]:
    """What the browser is asked, to make a passkey on none of the devices that hold one of these."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name="Lanyard",
        user_id=person_id.encode(),
        user_name=label,
        challenge=challenge,
        timeout=_milliseconds(ANSWER_WITHIN),
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return options_to_json_dict(options)


def to_sign_in(site: Site, challenge: bytes) -> dict[str, Any]:
    """What the browser is asked, to sign in with whichever passkey somebody chooses there."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=_milliseconds(ANSWER_WITHIN),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def made(site: Site, challenge: bytes, answer: str) -> Made:
    """The passkey that a browser made. Raises `NotProven`."""

    def check() -> Made:
        said = parse_registration_credential_json(_parsed(answer))
        _refuse_framed(said.response.client_data_json)
        proven = verify_registration_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
        if len(proven.credential_id) > LONGEST_ID:
            raise NotProven
        away = said.authenticator_attachment is AuthenticatorAttachment.CROSS_PLATFORM
        synced = proven.credential_device_type is CredentialDeviceType.MULTI_DEVICE
        kind = Kind.SYNCED if synced else Kind.KEY if away else Kind.DEVICE
        transports = sorted({one.value for one in said.response.transports or ()})
        return Made(proven.credential_id, proven.credential_public_key, proven.sign_count, kind, ",".join(transports))

    return _only_proven(check)


def claimed(answer: str) -> Claim:
    """Whose passkey an answer says it comes from. Raises `NotProven`."""

    def read() -> Claim:
        said = parse_authentication_credential_json(_parsed(answer))
        return Claim(said.raw_id, said.response.user_handle)

    return _only_proven(read)


def proven_count(site: Site, challenge: bytes, answer: str, public_key: bytes) -> int:
    """How often the device says that this passkey signed, once it is proven that it did. Raises `NotProven`.

    The library would compare counts before it looks at the signature; whether a passkey was copied is no question that
    an unsigned answer may raise. The caller compares."""

    def check() -> int:
        said = parse_authentication_credential_json(_parsed(answer))
        _refuse_framed(said.response.client_data_json)
        return verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        ).new_sign_count

    return _only_proven(check)


def _only_proven(check: Callable[[], Result]) -> Result:
    """A forged answer may break the reading of it anywhere: whatever is not proven is refused, and never a fault."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a refusal, whichever way it was forged
        raise NotProven(type(error).__name__) from None


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise NotProven
    found: dict[str, Any] = json.loads(answer)
    return found


def _refuse_framed(client_data: bytes) -> None:
    """Our pages stand in nobody's frame."""
    if parse_client_data_json(client_data).cross_origin:
        raise NotProven


def _milliseconds(time: timedelta) -> int:
    return int(time.total_seconds() * 1000)
