"""The way to a force's or trust's sign-in and back: who may finish it, whose an account becomes, what is kept."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text

from access.oidc import Secrets
from access.provider import Provider, ProviderAway, Registration
from access.tables import Role
from audit.events import Event
from conversations.line import Doors as Ways
from conversations.rota import suspend
from tests.house import House, new_house
from tests.identity_provider import CLIENT, SECRET, identity_provider, real_provider
from tests.signing_in import Doors, in_memory, is_refused, opened, registered


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


def test_the_whole_way_at_a_provider_made_by_others(doors: Doors) -> None:
    doors.house.clock.time = datetime.now(UTC)  # that provider looks at the clock on the wall
    with real_provider() as issuer:
        made = Provider(Registration("force", "Example force", issuer, "lanyard", "anything"))
        doors.client.app.state.front.providers["force"] = made

        def back(address: str, subject: str) -> str:
            answer = httpx.post(address, data={"sub": subject})
            return answer.headers["location"].removeprefix(doors.house.line.doors.public_url)

        first, second, stranger = doors.browser(), doors.browser(), doors.browser()
        first.post("/sign-in", data={"code": doors.code("officer1", Role.OFFICER)})
        linking = first.get(back(doors.to_link(first, Role.OFFICER), "pc-1234"))
        assert linking.headers["location"] == "/identity/officer"
        assert second.get(back(doors.leave(second), "pc-1234")).headers["location"] == "/chat"
        assert second.get("/chat").status_code == 200
        assert is_refused(stranger.get(back(doors.leave(stranger), "pc-5678")), stranger)


# --- not let in: the way there and back ---------------------------------------------------------------


def test_an_account_nobody_linked_opens_nothing_and_leaves_nothing(doors: Doors) -> None:
    doors.link("officer1", Role.OFFICER, "sub-1")
    before, browser = doors.rows(), doors.browser()
    answer = doors.come_back(browser, "sub-2-stranger", "pc1234@force.example")
    assert is_refused(answer, browser)
    assert doors.rows() == before
    (leaf,) = doors.told(Event.IDENTITY_REFUSED)
    assert json.loads(leaf)["facts"] == {"provider": "force"}
    assert "stranger" not in leaf


def test_what_is_refused_is_answered_alike(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    browser = quick.browser()
    unlinked = quick.come_back(browser, "sub-2")
    quick.stand_in.forge = lambda said: "a.b.c"
    answers = [unlinked, quick.come_back(browser), browser.get("/sign-in/with/force/return?code=x&state=y")]
    answers += [browser.get("/sign-in/with/nobody"), browser.get("/sign-in/with/nobody/return")]
    bodies = {answer.text.split("<main")[1].split("</main>")[0] for answer in answers}
    assert {answer.status_code for answer in answers} == {403}
    assert len(bodies) == 1


def test_somebody_suspended_is_not_let_in(doors: Doors) -> None:
    doors.link("officer1", Role.OFFICER)
    doors.house.do(lambda work: suspend(work, doors.house.id("officer1"), "line"))
    before, browser = doors.rows(), doors.browser()
    assert is_refused(doors.come_back(browser), browser)
    assert doors.rows() == before


def test_somebody_suspended_while_choosing_a_role_is_not_let_in(quick: Doors) -> None:
    quick.link("ruth", Role.IDVA)
    browser = quick.browser()
    code = quick.come_back(browser).text.split('name="code" value="')[1].split('"')[0]
    quick.house.do(lambda work: suspend(work, quick.house.id("ruth"), "line"))
    assert is_refused(browser.post("/sign-in/role", data={"code": code, "role": "idva"}), browser)


def test_a_return_works_once(doors: Doors) -> None:
    doors.link("officer1", Role.OFFICER)
    browser = doors.browser()
    back = doors.stand_in.sign_in(doors.leave(browser))
    away = browser.cookies["lanyard-away"]
    assert browser.get(back).headers["location"] == "/chat"
    assert "lanyard-away" not in browser.cookies
    other = doors.browser()
    other.cookies.set("lanyard-away", away)
    assert is_refused(other.get(back), other)


def test_a_return_after_ten_minutes_is_too_late(doors: Doors) -> None:
    doors.link("officer1", Role.OFFICER)
    browser = doors.browser()
    back = doors.stand_in.sign_in(doors.leave(browser))
    doors.house.clock.forward(minutes=10)
    assert is_refused(browser.get(back), browser)
    doors.leave(doors.browser())
    assert doors.rows()["sign_in_flow"] == 1


def test_the_return_of_another_browser_lets_nobody_in_and_spoils_nothing(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    mine, theirs = quick.browser(), quick.browser()
    my_back = quick.stand_in.sign_in(quick.leave(mine))
    their_back = quick.stand_in.sign_in(quick.leave(theirs))
    assert is_refused(mine.get(their_back), mine)
    my_state = parse_qs(urlsplit(my_back).query)["state"][0]
    assert is_refused(mine.get(f"/sign-in/with/force/return?state={my_state}"), mine)
    assert theirs.get(their_back).headers["location"] == "/chat"


def test_another_browsers_code_under_ones_own_state_lets_nobody_in(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    mine, theirs = quick.browser(), quick.browser()
    my_state = parse_qs(urlsplit(quick.stand_in.sign_in(quick.leave(mine))).query)["state"][0]
    their_code = parse_qs(urlsplit(quick.stand_in.sign_in(quick.leave(theirs))).query)["code"][0]
    assert is_refused(mine.get(f"/sign-in/with/force/return?state={my_state}&code={their_code}"), mine)
    assert not quick.told(Event.IDENTITY_REFUSED)  # a made-up code is no reason to write to the trail


def test_without_the_cookie_nobody_is_let_in(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    browser = quick.browser()
    back = quick.stand_in.sign_in(quick.leave(browser))
    bare = quick.browser()
    assert is_refused(bare.get(back), bare)
    bare.cookies.set("lanyard-away", "")
    forged = Secrets.of("").state
    assert is_refused(bare.get(f"/sign-in/with/force/return?code=x&state={forged}"), bare)


@pytest.mark.parametrize("state", ["", "\ud800", "ü", "x" * 5_000])
def test_a_state_that_is_none_is_refused(quick: Doors, state: str) -> None:
    browser = quick.browser()
    quick.leave(browser)
    answer = browser.get("/sign-in/with/force/return", params={"code": "x", "state": state.encode("utf-8", "replace")})
    assert is_refused(answer, browser)


def test_one_providers_answer_is_not_taken_for_anothers(quick: Doors, tmp_path: Path) -> None:
    with identity_provider(quick.house.clock) as trust:
        both = Doors(quick.house, tmp_path, quick.stand_in, trust=trust)
        both.link("officer1", Role.OFFICER)
        browser = both.browser()
        back = both.stand_in.sign_in(both.leave(browser))
        astray = back.replace("/with/force/", "/with/trust/").split("&iss=")[0]
        assert is_refused(browser.get(astray), browser)
        assert "/token" not in trust.calls
        browser = both.browser()
        back = both.stand_in.sign_in(both.leave(browser))
        assert is_refused(browser.get(back.split("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example"), browser)
        assert is_refused(browser.get(trust.sign_in(both.leave(browser, "trust"))), browser)  # sub-1, but of the trust
        both.close()


# --- linking -----------------------------------------------------------------------------------------


def test_another_site_cannot_begin_linking(quick: Doors) -> None:
    browser = quick.browser()
    browser.post("/sign-in", data={"code": quick.code("officer1", Role.OFFICER)})
    forged = browser.post("/identity/officer/with/force", headers={"sec-fetch-site": "cross-site"})
    assert forged.status_code == 403
    assert browser.get("/identity/officer/with/force").status_code == 405
    assert quick.rows()["sign_in_flow"] == 0


def test_only_a_session_of_a_one_time_link_links(quick: Doors) -> None:
    quick.link("officer1", Role.OFFICER)
    browser = quick.browser()
    quick.come_back(browser)
    assert browser.post("/identity/officer/with/force").status_code == 403
    assert "Sign in with a one-time link" not in browser.get("/identity/officer").text  # it is linked: nothing to say
    assert "Link another account" not in browser.get("/identity/officer").text


def test_linking_ends_with_the_session_that_began_it(doors: Doors) -> None:
    browser = doors.browser()
    browser.post("/sign-in", data={"code": doors.code("officer1", Role.OFFICER)})
    back = doors.stand_in.sign_in(doors.to_link(browser, Role.OFFICER))
    browser.post("/sign-out/officer")
    assert is_refused(browser.get(back), browser)
    assert doors.rows()["identity"] == 0


def test_an_account_stays_whose_it_is(doors: Doors) -> None:
    doors.link("officer1", Role.OFFICER)
    assert doors.link("officer2", Role.OFFICER).status_code == 403
    browser = doors.browser()
    doors.come_back(browser)
    assert doors.house.id("officer1") in doors.told(Event.SIGNED_IN)[-1]


def test_another_account_takes_the_place_of_the_first(doors: Doors) -> None:
    browser = doors.browser()
    doors.link("officer1", Role.OFFICER, "sub-1", by=browser)
    doors.link("officer1", Role.OFFICER, "sub-2", by=browser)
    assert doors.rows()["identity"] == 1
    first, second = doors.browser(), doors.browser()
    assert is_refused(doors.come_back(first, "sub-1"), first)
    assert doors.come_back(second, "sub-2").headers["location"] == "/chat"


def test_an_unlinked_account_signs_in_no_more(doors: Doors) -> None:
    browser = doors.browser()
    doors.link("officer1", Role.OFFICER, by=browser)
    assert "Linked since" in browser.get("/identity/officer").text
    assert browser.post("/identity/officer/without/force").headers["location"] == "/identity/officer"
    assert "Linked since" not in browser.get("/identity/officer").text
    assert len(doors.told(Event.IDENTITY_UNLINKED)) == 1
    other = doors.browser()
    assert is_refused(doors.come_back(other), other)


# --- what is kept, and the browser's side -------------------------------------------------------------


def test_nothing_that_is_kept_finishes_a_sign_in_or_says_who_it_was(doors: Doors) -> None:
    doors.link("officer1", Role.OFFICER, "subject-canary")
    browser = doors.browser()
    address = doors.leave(browser)
    away = browser.cookies["lanyard-away"]
    secrets = Secrets.of(away)
    assert {secrets.state, secrets.nonce} <= {
        value for one in parse_qs(urlsplit(address).query).values() for value in one
    }
    with doors.house.work() as work:
        kept = [
            str(tuple(row))
            for table in ("sign_in_flow", "identity", "web_session", "leaf")
            for row in work.session.execute(text(f"SELECT * FROM {table}"))
        ]
    for word in (away, secrets.state, secrets.nonce, secrets.verifier, "subject-canary", "force.example"):
        assert not [row for row in kept if word in row]
    assert secrets.verifier not in address
    assert away not in address


def test_the_cookie_comes_back_with_the_browser_and_belongs_to_one_site(tmp_path: Path) -> None:
    house = new_house(doors=Ways(public_url="https://line.example"))
    with identity_provider(house.clock) as stand_in:
        secure = Doors(house, tmp_path, stand_in)
        answer = secure.browser().get("/sign-in/with/force")
        secure.close()
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-lanyard-away=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert parse_qs(urlsplit(answer.headers["location"]).query)["redirect_uri"] == [
        "https://line.example/sign-in/with/force/return"
    ]


def test_signing_out_empties_the_cache_and_leaves_other_windows_signed_in(quick: Doors) -> None:
    browser = quick.browser()
    for name, role in (("officer1", Role.OFFICER), ("jane", Role.IDVA)):
        browser.post("/sign-in", data={"code": quick.code(name, role)})
    assert browser.post("/sign-out/officer").headers["clear-site-data"] == '"cache"'
    assert browser.get("/desk").status_code == 200


# --- a provider that does not answer -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_a_provider_that_does_not_answer_leaves_the_emergency_words(quick: Doors, path: str) -> None:
    quick.link("officer1", Role.OFFICER)
    quick.house.clock.forward(minutes=61)  # what it said of itself is no longer fresh
    browser = quick.browser()
    if path == "/token":
        back = quick.stand_in.sign_in(quick.leave(browser))
        quick.stand_in.broken = {path}
        answer = browser.get(back)
    else:
        quick.stand_in.broken = {path}
        answer = browser.get("/sign-in/with/force")
    assert answer.status_code == 503
    assert quick.house.line.policy.emergency in answer.text
    assert quick.house.line.policy.lead_phone in answer.text
    quick.stand_in.broken = set()
    assert quick.come_back(browser).headers["location"] == "/chat"


def test_a_provider_that_is_gone_leaves_the_emergency_words(quick: Doors) -> None:
    with identity_provider(quick.house.clock) as gone:
        pass
    made = registered({"force": replace(gone)})["force"]
    quick.client.app.state.front.providers["force"] = made
    answer = quick.browser().get("/sign-in/with/force")
    assert answer.status_code == 503
    assert quick.house.line.policy.emergency in answer.text


def test_a_provider_that_keeps_us_waiting_leaves_the_emergency_words(
    quick: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access.provider.PATIENCE", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        quick.client.app.state.front.providers["force"] = Provider(Registration("force", "F", issuer, CLIENT, SECRET))
        answer = quick.browser().get("/sign-in/with/force")
    assert answer.status_code == 503
    assert quick.house.line.policy.emergency in answer.text


def test_discovery_that_names_another_issuer_is_not_followed(quick: Doors) -> None:
    quick.stand_in.document = {"issuer": "https://evil.example"}
    assert quick.browser().get("/sign-in/with/force").status_code == 503
    quick.stand_in.document = {"token_endpoint": "http://evil.example/token"}
    assert quick.browser().get("/sign-in/with/force").status_code == 503
    assert "/token" not in quick.stand_in.calls


def test_a_secure_issuer_has_no_insecure_address() -> None:
    secure = Provider(Registration("force", "Force", "https://login.example", CLIENT, SECRET))
    document = {
        "issuer": "https://login.example",
        "authorization_endpoint": "https://login.example/a",
        "token_endpoint": "http://127.0.0.1/token",
        "jwks_uri": "https://login.example/k",
    }
    with pytest.raises(ProviderAway):
        secure._check(document)
    secure._check(document | {"token_endpoint": "https://login.example/token"})


def test_a_client_secret_is_not_shown_by_what_holds_it() -> None:
    assert SECRET not in repr(Registration("force", "Force", "https://login.example", CLIENT, SECRET))


def test_with_the_database_gone_the_way_there_says_whom_to_ring(quick: Doors) -> None:
    quick.broken = True
    answer = quick.browser().get("/sign-in/with/force")
    assert answer.status_code == 503
    assert quick.house.line.policy.lead_phone in answer.text
