"""The chat inside Telegram: Telegram's word opens the sign-in, and one's own sign-in opens one's questions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from access.init_data import key_of
from access.people import person_at_telegram
from access.roster import set_roles
from access.tables import MiniAppEntry, Role
from audit.events import Event
from conversations.line import Doors as Ways
from conversations.messages import Button, Outgoing
from conversations.policy import Policy
from conversations.tables import Outbox
from conversations.work import Work
from lanyard.settings import read_settings
from lanyard.ways_in import mini_app_key
from tests.house import TEAM, House, new_house
from tests.init_data import BOT_TOKEN
from tests.inside_telegram import ANOTHERS, MINE, NOBODYS, WORDS, Inside, inside, opened_nothing
from tests.signing_in import BOTH
from tests.test_account import told
from tests.test_leases import IDVA, OFFICER, on_telegram, taken


@pytest.fixture
def app(house: House, tmp_path: Path) -> Iterator[Inside]:
    """On each kind of database."""
    with inside(house, tmp_path) as made:
        yield made


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Inside]:
    """In memory."""
    with inside(new_house(team=TEAM | BOTH), tmp_path) as made:
        yield made


# --- the good way ------------------------------------------------------------------------------------


def test_telegrams_word_and_then_ones_own_sign_in_lead_to_the_question(app: Inside) -> None:
    browser = app.browser()
    assert app.opens(browser).headers["location"] == "/mini-app"
    assert opened_nothing(app, browser)
    answer = app.steps_up(browser)
    assert answer.headers["location"] == f"/chat/{app.ref}"
    assert WORDS in browser.get(f"/chat/{app.ref}").text
    assert "lanyard-mini-app" not in browser.cookies
    assert app.house.id("officer1") in app.told(Event.MINI_APP_OPENED)[-1]
    assert json.loads(app.told(Event.SIGNED_IN)[-1])["facts"] == {
        "role": "officer",
        "inside": "telegram",
        "provider": "force",
    }
    assert not app.told(Event.MINI_APP_REFUSED)


def test_whoever_holds_several_roles_begins_as_an_officer_here(quick: Inside) -> None:
    quick.house.do(
        lambda work: set_roles(work.session, quick.house.id("officer1"), frozenset({Role.OFFICER, Role.CURATOR}))
    )
    browser = quick.browser()
    quick.opens(browser)
    assert quick.steps_up(browser).headers["location"] == f"/chat/{quick.ref}"
    assert "lanyard-curator" not in browser.cookies


@pytest.mark.parametrize("ref", ["AAAAAA", "", "../../people/admin", "x\x00y", "x" * 5_000])
def test_a_reference_that_is_not_ones_own_leads_to_ones_own_list(app: Inside, ref: str) -> None:
    browser = app.browser()
    browser.post("/mini-app", data={"init_data": app.fresh(), "ref": ref})
    assert app.steps_up(browser).headers["location"] == "/chat"


def test_somebody_elses_reference_leads_to_ones_own_list(quick: Inside) -> None:
    browser = quick.browser()
    quick.opens(browser, quick.fresh(ANOTHERS))
    assert quick.steps_up(browser, "sub-2").headers["location"] == "/chat"
    assert WORDS not in browser.get("/chat").text
    assert browser.get(f"/chat/{quick.ref}").status_code == 404


def test_opened_again_within_a_quarter_of_an_hour_it_goes_on_at_once(quick: Inside) -> None:
    browser = quick.browser()
    quick.opens(browser)
    quick.steps_up(browser)
    quick.house.clock.forward(minutes=14)
    assert quick.opens(browser).headers["location"] == f"/chat/{quick.ref}"


@pytest.mark.parametrize("minutes", [16, 31])
def test_after_a_pause_nothing_is_read_before_a_new_sign_in(quick: Inside, minutes: int) -> None:
    # 30 minutes are asked for; the rule of all sessions, 15, is stricter.
    browser = quick.browser()
    quick.opens(browser)
    quick.steps_up(browser)
    quick.house.clock.forward(minutes=minutes)
    assert opened_nothing(quick, browser)
    assert quick.opens(browser).headers["location"] == "/mini-app"
    assert opened_nothing(quick, browser)
    assert quick.steps_up(browser).headers["location"] == f"/chat/{quick.ref}"


def test_one_sign_in_lasts_for_a_shift_at_most_however_it_is_used(quick: Inside) -> None:
    browser = quick.browser()
    quick.opens(browser)
    quick.steps_up(browser)
    for _ in range(60):
        quick.house.clock.forward(minutes=10)
        assert quick.opens(browser).headers["location"] == f"/chat/{quick.ref}"
        browser.get("/chat")
    quick.house.clock.forward(minutes=1)  # 10 hours are over: fewer than the 12 of a shift
    assert quick.opens(browser).headers["location"] == "/mini-app"


def test_the_ways_cookie_is_for_this_site_alone_and_ends_with_the_sign_in(tmp_path: Path) -> None:
    with inside(new_house(team=TEAM | BOTH), tmp_path) as plain:
        plain.client.app.state.front = replace(
            plain.client.app.state.front,
            line=replace(plain.house.line, doors=Ways(public_url="https://line.example")),
        )
        cookie = plain.opens(plain.browser()).headers["set-cookie"]
    assert cookie.startswith("__Host-lanyard-mini-app=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_nothing_that_is_kept_opens_anything_or_says_who_it_was(app: Inside) -> None:
    browser, data = app.browser(), app.fresh()
    app.opens(browser, data)
    secrets = [browser.cookies["lanyard-mini-app"], data.rpartition("hash=")[2], MINE]
    app.to_provider(browser)
    app.opens(app.browser(), app.fresh(NOBODYS))
    with app.house.work() as work:
        tables = ("mini_app_entry", "sign_in_flow", "leaf", "attempt")
        kept = [str(tuple(row)) for one in tables for row in work.session.execute(text(f"SELECT * FROM {one}"))]
    for word in (*secrets, NOBODYS, "Pat"):
        assert not [row for row in kept if f"{word}'" in row or f'"{word}"' in row], word
    app.house.clock.forward(minutes=11)
    app.opens(app.browser())
    rows = select(func.count()).select_from(MiniAppEntry)
    assert app.house.do(lambda work: work.session.scalar(rows)) == 1  # what is over is forgotten


# --- the button under the message ----------------------------------------------------------------------


def buttons(house: House, address: str) -> list[Button]:
    """All that Telegram is to show this person."""

    def read(work: Work) -> list[Button]:
        mine = person_at_telegram(work.session, work.line.keyring, address)
        rows = work.session.scalars(select(Outbox).where(Outbox.person_id == mine))
        bodies = [
            json.loads(work.open_words("outbox", "body", one.id, one.scope, one.body)) for one in rows if one.body
        ]
        return [one for body in bodies for line in Outgoing.from_json(body).buttons for one in line]

    return house.do(read)


@pytest.mark.parametrize(
    ("doors", "expected"),
    [
        (Ways(True, public_url="https://line.example", mini_app=True), True),
        (Ways(True, relay=True, public_url="https://line.example", mini_app=True), True),  # who did not sign in is rung
        (Ways(True, public_url="https://line.example"), False),
    ],
)
def test_the_doorbell_has_a_button_that_opens_the_question_where_there_is_a_mini_app(
    doors: Ways, expected: bool
) -> None:
    house = on_telegram(new_house(doors=doors, policy=Policy(shift_hours=12)))
    ref = house.asks("officer1", WORDS)
    taken(house, ref)
    house.says("officer1", WORDS, ref)
    found = [one for one in buttons(house, OFFICER) if one.app]
    assert {one.app for one in found} == ({f"https://line.example/mini-app/{ref}"} if expected else set())
    assert any(f"https://line.example/chat/{ref}" in line for line in told(house, OFFICER))
    assert any(f"https://line.example/desk/{ref}" in line for line in told(house, IDVA))
    assert not [one for one in buttons(house, IDVA) if one.app]


SETTINGS = [
    ({}, True),
    ({"telegram": "relay", "impact_assessment": "DPIA 7"}, True),
    ({"telegram": "off"}, False),
    ({"public_url": "http://127.0.0.1:8000"}, False),
    ({"public_url": "https://lanyard"}, False),
    ({"providers": []}, False),
]


@pytest.mark.parametrize(("changed", "expected"), SETTINGS)
def test_there_is_a_mini_app_where_telegram_opens_it_and_a_sign_in_leads_on(
    tmp_path: Path, changed: dict[str, object], expected: bool
) -> None:
    files = {name: tmp_path / name for name in ("token", "secret")}
    for file in files.values():
        file.write_text(BOT_TOKEN)
        file.chmod(0o600)
    force = {"name": "force", "title": "Force", "issuer": "https://sign-in.example", "client_id": "lanyard"}
    given: dict[str, object] = {
        "lead_phone": "01632 960 001",
        "telegram": "doorbell",
        "telegram_token_file": files["token"],
        "public_url": "https://line.example",
        "providers": [force | {"client_secret_file": str(files["secret"])}],
    }
    settings = read_settings(**given | changed)
    assert settings.doors().mini_app is expected
    assert mini_app_key(settings) == (key_of(BOT_TOKEN) if expected else None)
