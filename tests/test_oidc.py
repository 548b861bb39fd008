"""Signing in with a force's or trust's own account: who is let in, and that whatever is not quite right is not."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from access.tables import Role
from audit.events import Event
from tests.house import House
from tests.identity_provider import CLIENT, IdentityProvider, key
from tests.signing_in import Doors, in_memory, is_refused, opened

FAR = 3_600  # seconds: more than clocks may differ
Forge = Callable[[IdentityProvider, dict[str, Any]], str | None]


@pytest.fixture
def doors(house: House, tmp_path: Path) -> Iterator[Doors]:
    """On each kind of database."""
    with opened(house, tmp_path) as made:
        yield made


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Doors]:
    """In memory."""
    with opened(in_memory(), tmp_path) as made:
        yield made


# --- let in ------------------------------------------------------------------------------------------


def test_a_linked_account_signs_in_from_then_on(doors: Doors) -> None:
    assert doors.link("officer1", Role.OFFICER).headers["location"] == "/identity/officer"
    for _ in range(2):
        browser = doors.browser()
        assert doors.come_back(browser).headers["location"] == "/chat"
        assert browser.get("/chat").status_code == 200
    (linked,) = doors.told(Event.IDENTITY_LINKED)
    assert doors.house.id("officer1") in linked
    assert len(doors.told(Event.SIGNED_IN)) == 3
    assert not [leaf for leaf in [linked, *doors.told(Event.SIGNED_IN)] if "sub-1" in leaf]


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
def test_each_algorithm_of_the_list_is_believed(quick: Doors, alg: str) -> None:
    signer = key("curve", "EC") if alg == "ES256" else key("first")
    quick.stand_in.keys = [signer]
    quick.stand_in.forge = lambda claims: quick.stand_in.signed(claims, signer, alg=alg)
    quick.link("officer1", Role.OFFICER)
    assert quick.come_back(quick.browser()).headers["location"] == "/chat"


def test_the_secret_is_posted_where_a_provider_wants_it_so(quick: Doors) -> None:
    quick.stand_in.ways = ("client_secret_post",)
    quick.link("officer1", Role.OFFICER)
    assert quick.come_back(quick.browser()).headers["location"] == "/chat"


def test_a_session_has_a_new_token_each_time(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    browser, tokens = quick.browser(), set()
    browser.cookies.set("lanyard-officer", "planted")
    for _ in range(3):
        quick.come_back(browser)
        tokens.add(browser.cookies.get("lanyard-officer", domain="testserver.local"))
    assert len(tokens - {"planted"}) == 3


def test_whoever_holds_several_roles_chooses_one_of_theirs(quick: Doors) -> None:
    quick.link("ruth", Role.IDVA)
    browser = quick.browser()
    page = quick.come_back(browser)
    assert page.status_code == 200
    assert "IDVA lead" in page.text
    assert not browser.cookies.get("lanyard-idva")
    code = page.text.split('name="code" value="')[1].split('"')[0]
    assert is_refused(browser.post("/sign-in/role", data={"code": code, "role": "curator"}), browser)
    chosen = browser.post("/sign-in/role", data={"code": code, "role": "idva_lead"})
    assert chosen.headers["location"] == "/board/idva_lead"
    assert browser.get("/board/idva_lead").status_code == 200
    other = quick.browser()
    assert is_refused(other.post("/sign-in/role", data={"code": code, "role": "idva"}), other)


def test_another_replica_can_finish_what_one_began(doors: Doors, tmp_path: Path) -> None:
    doors.link("officer1", Role.OFFICER)
    second = Doors(doors.house, tmp_path, doors.stand_in)
    begun, ended = doors.browser(), second.browser()
    address = doors.leave(begun)
    for name, value in begun.cookies.items():
        ended.cookies.set(name, value)
    assert ended.get(doors.stand_in.sign_in(address)).headers["location"] == "/chat"
    second.close()


def test_a_changed_e_mail_is_still_the_same_person(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    assert quick.come_back(quick.browser(), email="married@force.example").headers["location"] == "/chat"


def test_where_to_go_afterwards_is_taken_from_nobody(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    browser = quick.browser()
    address = browser.get("/sign-in/with/force?next=https://evil.example/&redirect_uri=https://evil.example/")
    back = quick.stand_in.sign_in(address.headers["location"])
    answer = browser.get(f"{back}&next=https%3A%2F%2Fevil.example%2F")
    assert answer.headers["location"] == "/chat"


def test_keys_are_asked_for_once_and_once_more_for_a_new_one(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    quick.come_back(quick.browser())
    assert quick.stand_in.calls.count("/keys") == 1
    quick.stand_in.keys = [key("second")]
    assert quick.come_back(quick.browser()).headers["location"] == "/chat"
    assert quick.stand_in.calls.count("/keys") == 2
    quick.house.clock.forward(minutes=61)
    quick.come_back(quick.browser())
    assert quick.stand_in.calls.count("/keys") == 3


# --- not let in: what the provider says ---------------------------------------------------------------


def _changed(**claims: Any) -> Forge:
    """An honest signature under other claims; None takes one away."""

    def forge(stand_in: IdentityProvider, said: dict[str, Any]) -> str:
        return stand_in.signed({name: value for name, value in (said | claims).items() if value is not None})

    return forge


def _moved(**seconds: int) -> Forge:
    def forge(stand_in: IdentityProvider, said: dict[str, Any]) -> str:
        return stand_in.signed(said | {name: said["iat"] + more for name, more in seconds.items()})

    return forge


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _by_hand(header: dict[str, Any], said: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    body = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(said).encode())}"
    return f"{body}.{_b64(sign(body.encode()))}"


def _unsigned(alg: str) -> Forge:
    return lambda stand_in, said: _by_hand({"alg": alg, "kid": "first"}, said, lambda _: b"")


def _hmac_with_public_key(form: str) -> Forge:
    def forge(stand_in: IdentityProvider, said: dict[str, Any]) -> str:
        public = stand_in.keys[0]
        secret = public.as_pem(private=False) if form == "pem" else json.dumps(public.as_dict(private=False)).encode()
        header = {"alg": "HS256", "kid": "first"}
        return _by_hand(header, said, lambda body: hmac.new(secret, body, sha256).digest())

    return forge


def _tampered(stand_in: IdentityProvider, said: dict[str, Any]) -> str:
    header, _, signature = stand_in.signed(said | {"sub": "sub-other"}).split(".")
    return f"{header}.{_b64(json.dumps(said).encode())}.{signature}"


def _own_key_inside(stand_in: IdentityProvider, said: dict[str, Any]) -> str:
    attacker = key("attacker")
    return stand_in.signed(said, attacker, jwk=attacker.as_dict(private=False), kid="first")


HOSTILE: dict[str, Forge] = {
    "for another client": _changed(aud="other"),
    "for nobody": _changed(aud=None),
    "for several, and not said for whom": _changed(aud=[CLIENT, "other"]),
    "for several, made for another": _changed(aud=[CLIENT, "other"], azp="other"),
    "made for another": _changed(azp="other"),
    "audience is no text": _changed(aud={CLIENT: True}),
    "another issuer": _changed(iss="https://evil.example"),
    "issuer with a slash more": lambda stand_in, said: stand_in.signed(said | {"iss": f"{said['iss']}/"}),
    "no issuer": _changed(iss=None),
    "another nonce": _changed(nonce="other"),
    "no nonce": _changed(nonce=None),
    "several nonces": lambda stand_in, said: stand_in.signed(said | {"nonce": [said["nonce"], "other"]}),
    "no subject": _changed(sub=None),
    "an empty subject": _changed(sub=""),
    "a number as subject": _changed(sub=1),
    "a subject too long": _changed(sub="s" * 256),
    "expired": _moved(exp=-FAR),
    "never expires": _changed(exp=None),
    "expires at a text": _changed(exp="9999999999"),
    "expires at true": _changed(exp=True),
    "issued in the future": _moved(iat=FAR, exp=2 * FAR),
    "not issued": _changed(iat=None),
    "not valid yet": _moved(nbf=FAR),
    "alg none": _unsigned("none"),
    "alg None": _unsigned("None"),
    "alg empty": _unsigned(""),
    "HMAC with the public key as PEM": _hmac_with_public_key("pem"),
    "HMAC with the public key as JWK": _hmac_with_public_key("jwk"),
    "an algorithm not on the list": lambda stand_in, said: stand_in.signed(said, alg="RS512"),
    "an unknown key": lambda stand_in, said: stand_in.signed(said, key("stranger")),
    "another key under the known name": lambda stand_in, said: stand_in.signed(said, key("attacker"), kid="first"),
    "a key brought along": _own_key_inside,
    "another curve's key under the known name": lambda stand_in, said: stand_in.signed(
        said, key("curve", "EC"), alg="ES256", kid="first"
    ),
    "changed after signing": _tampered,
    "a critical header nobody knows": lambda stand_in, said: _by_hand(
        {"alg": "RS256", "kid": "first", "crit": ["exotic"], "exotic": 1}, said, lambda _: b"x"
    ),
    "longer than any token": _changed(more="x" * 20_000),
    "no token at all": lambda stand_in, said: None,
    "no token but words": lambda stand_in, said: "a.b.c",
    "an empty token": lambda stand_in, said: "..",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_token_that_is_not_quite_right_lets_nobody_in_and_links_nobody(quick: Doors, name: str) -> None:
    quick.link("officer1", Role.OFFICER)
    before = quick.rows()
    quick.stand_in.forge = lambda said: HOSTILE[name](quick.stand_in, said)
    browser = quick.browser()
    assert is_refused(quick.come_back(browser), browser)
    assert browser.get("/chat").status_code == 303
    assert quick.rows() == before
    assert quick.link("officer2", Role.OFFICER, "sub-2").status_code == 403
    assert quick.rows()["identity"] == before["identity"]
    assert len(quick.told(Event.IDENTITY_REFUSED)) == 2
    quick.stand_in.forge = None
    assert quick.come_back(browser).headers["location"] == "/chat"


def test_hardly_different_clocks_are_borne(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    quick.stand_in.forge = lambda said: _moved(iat=30, exp=330)(quick.stand_in, said)
    assert quick.come_back(quick.browser()).headers["location"] == "/chat"
