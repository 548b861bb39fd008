"""What does not open the chat inside Telegram, one row each: nothing opens, it reads the same, the trail has why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from access.init_data import InitData, InitDataRefused, Refusal, key_of, read_init_data
from access.people import set_standing
from access.roster import set_roles
from access.tables import Role, Standing
from audit.events import Event
from conversations import mini_app
from conversations.rota import suspend
from conversations.work import Work
from tests.house import TEAM, House, new_house
from tests.init_data import BOT_TOKEN, fields_of, hash_of_fields, signed, written
from tests.inside_telegram import ANOTHERS, MINE, NOBODYS, Inside, inside, main_of, opened_nothing
from tests.signing_in import BOTH
from tests.test_console import Client

SESSIONS = {f"lanyard-{role.value}" for role in Role}


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


@dataclass(frozen=True)
class Case:
    """What somebody tries, and what the trail says of it (None: nothing: it did not come from Telegram's word)."""

    tries: Callable[[Inside, Client], httpx.Response]
    why: Refusal | None


def posts(make: Callable[[Inside], str]) -> Callable[[Inside, Client], httpx.Response]:
    """Hand this over as `initData`."""
    return lambda app, browser: app.opens(browser, make(app))


def altered(app: Inside) -> str:
    fields = fields_of(int(MINE), app.house.clock())
    mark = hash_of_fields(fields)
    return written(fields | {"user": fields["user"].replace(MINE, ANOTHERS), "hash": mark})


def forged(app: Inside) -> str:
    return written(fields_of(int(MINE), app.house.clock()) | {"hash": "0" * 64})


def aged(**parts: float) -> Callable[[Inside, Client], httpx.Response]:
    return posts(lambda app: signed(int(MINE), app.house.clock() + timedelta(**parts)))


def replays(app: Inside, browser: Client) -> httpx.Response:
    data = app.fresh()
    assert app.opens(app.browser(), data).status_code == 303
    return app.opens(browser, data)


def replays_written_otherwise(app: Inside, browser: Client) -> httpx.Response:
    data = app.fresh()
    assert app.opens(app.browser(), data).status_code == 303
    return app.opens(browser, "&".join(reversed(data.replace("query", "%71uery").split("&"))))


def replays_after_the_sign_in(app: Inside, browser: Client) -> httpx.Response:
    data, first = app.fresh(), app.browser()
    app.opens(first, data)
    app.steps_up(first)
    app.house.clock.forward(minutes=4)
    return app.opens(browser, data)


def as_somebody(change: Callable[[Work, str], None], **later: float) -> Callable[[Inside, Client], httpx.Response]:
    """Open it once that has happened to one."""

    def tries(app: Inside, browser: Client) -> httpx.Response:
        app.house.do(lambda work: change(work, app.house.id("officer1")))
        app.house.clock.forward(**later)
        return app.opens(browser)

    return tries


def rebound(app: Inside, browser: Client) -> httpx.Response:
    app.bind("officer1", "503")
    return app.opens(browser)


def anothers_window(app: Inside, browser: Client) -> httpx.Response:
    browser.post("/sign-in", data={"code": app.code("officer2", Role.OFFICER)})
    answer = app.opens(browser)
    browser.post("/sign-out/officer")
    return answer


def anothers_window_in_another_role(app: Inside, browser: Client) -> httpx.Response:
    browser.post("/sign-in", data={"code": app.code("jane", Role.IDVA)})
    answer = app.opens(browser)
    browser.post("/sign-out/idva")
    return answer


def another_steps_up(app: Inside, browser: Client) -> httpx.Response:
    app.opens(browser)
    return app.steps_up(browser, "sub-2")


def a_stranger_steps_up(app: Inside, browser: Client) -> httpx.Response:
    app.opens(browser)
    return app.steps_up(browser, "nobodys")


def steps_up_too_late(app: Inside, browser: Client) -> httpx.Response:
    app.opens(browser)
    app.house.clock.forward(minutes=6)
    back = app.stand_in.sign_in(app.to_provider(browser))
    app.house.clock.forward(minutes=5)
    return browser.get(back)


def suspended_on_the_way(app: Inside, browser: Client) -> httpx.Response:
    app.opens(browser)
    back = app.stand_in.sign_in(app.to_provider(browser))
    app.house.do(lambda work: suspend(work, app.house.id("officer1"), "line"))
    return browser.get(back)


def no_officer_on_the_way(app: Inside, browser: Client) -> httpx.Response:
    app.opens(browser)
    back = app.stand_in.sign_in(app.to_provider(browser))
    app.house.do(lambda work: set_roles(work.session, app.house.id("officer1"), frozenset({Role.IDVA})))
    return browser.get(back)


def steps_up_twice(app: Inside, browser: Client) -> httpx.Response:
    app.opens(browser)
    other = app.browser()
    other.cookies.set("lanyard-mini-app", browser.cookies["lanyard-mini-app"])
    mine, theirs = (app.stand_in.sign_in(app.to_provider(one)) for one in (browser, other))
    assert other.get(theirs).status_code == 303
    return browser.get(mine)


def another_windows_entry(app: Inside, browser: Client) -> httpx.Response:
    app.opens(app.browser())
    return browser.get("/mini-app/with/force")


def without_telegrams_word(app: Inside, browser: Client) -> httpx.Response:
    return browser.get("/mini-app")


def made_up_cookie(app: Inside, browser: Client) -> httpx.Response:
    browser.cookies.set("lanyard-mini-app", "0" * 64)
    return browser.get("/mini-app")


def after_the_sign_in(app: Inside, browser: Client) -> httpx.Response:
    first = app.browser()
    app.opens(first)
    browser.cookies.set("lanyard-mini-app", first.cookies["lanyard-mini-app"])
    app.steps_up(first)
    return browser.get("/mini-app/with/force")


def switched_off(app: Inside, browser: Client) -> httpx.Response:
    app.client.app.state.front = replace(app.client.app.state.front, mini_app_key=None)
    return app.opens(browser)


REFUSED = {
    "forged hash": Case(posts(forged), Refusal.FORGED),
    "user altered": Case(posts(altered), Refusal.FORGED),
    "another bot's": Case(posts(lambda app: signed(501, app.house.clock(), "9:another-bot")), Refusal.FORGED),
    "expired": Case(aged(minutes=-5, seconds=-1), Refusal.EXPIRED),
    "future": Case(aged(seconds=61), Refusal.FUTURE),
    "a field twice": Case(posts(lambda app: app.fresh() + "&user=%7B%22id%22%3A502%7D"), Refusal.DOUBLED),
    "a field missing": Case(posts(lambda app: app.fresh().replace("hash=", "hush=")), Refusal.MISSING),
    "not UTF-8": Case(posts(lambda app: app.fresh() + "&x=%FF"), Refusal.UNREADABLE),
    "nothing": Case(posts(lambda app: ""), Refusal.UNREADABLE),
    "too long": Case(posts(lambda app: app.fresh() + "&x=" + "y" * 5_000), Refusal.TOO_LONG),
    "a user id that is none": Case(posts(lambda app: signed(True, app.house.clock())), Refusal.UNREADABLE),
    "replayed": Case(replays, Refusal.REPLAYED),
    "replayed, written otherwise": Case(replays_written_otherwise, Refusal.REPLAYED),
    "replayed after the sign-in": Case(replays_after_the_sign_in, Refusal.REPLAYED),
    "nobody's account": Case(posts(lambda app: app.fresh(NOBODYS)), Refusal.UNBOUND),
    "an account that is no longer theirs": Case(rebound, Refusal.UNBOUND),
    "suspended": Case(as_somebody(lambda work, who: suspend(work, who, "line")), Refusal.SUSPENDED),
    "no officer": Case(
        as_somebody(lambda work, who: set_roles(work.session, who, frozenset({Role.IDVA}))), Refusal.NO_OFFICER
    ),
    "enrolment run out": Case(as_somebody(lambda work, who: None, days=91), Refusal.LAPSED),
    "another's window": Case(anothers_window, Refusal.OTHER_SESSION),
    "another's window, in another role": Case(anothers_window_in_another_role, Refusal.OTHER_SESSION),
    "another signs in": Case(another_steps_up, Refusal.OTHER_PERSON),
    "a stranger signs in": Case(a_stranger_steps_up, Refusal.OTHER_PERSON),
    "signed in too late": Case(steps_up_too_late, Refusal.OVER),
    "suspended on the way": Case(suspended_on_the_way, Refusal.OTHER_PERSON),
    "no officer any more": Case(no_officer_on_the_way, Refusal.NO_OFFICER),
    "signed in twice": Case(steps_up_twice, Refusal.OVER),
    "another window's way on": Case(another_windows_entry, None),
    "no word of Telegram's": Case(without_telegrams_word, None),
    "a made-up cookie": Case(made_up_cookie, None),
    "the way on, once it was taken": Case(after_the_sign_in, None),
    "no Mini App here": Case(switched_off, Refusal.OFF),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_accepted_opens_nothing_and_reads_the_same(quick: Inside, case: str) -> None:
    browser = quick.browser()
    answer = REFUSED[case].tries(quick, browser)
    assert answer.status_code == 403
    assert main_of(answer) == main_of(quick.browser().get("/sign-in/with/nobody"))
    assert not SESSIONS & set(browser.cookies)
    assert opened_nothing(quick, browser)
    said = [json.loads(leaf) for leaf in quick.told(Event.MINI_APP_REFUSED)]
    why = REFUSED[case].why
    assert [leaf["facts"] for leaf in said] == ([{"why": why.value}] if why else [])
    assert MINE not in str(said)


def test_every_reason_is_in_the_table() -> None:
    assert {case.why for case in REFUSED.values()} - {None} == set(Refusal)


def test_the_rightful_person_still_goes_on_after_another_tried(quick: Inside) -> None:
    browser = quick.browser()
    another_steps_up(quick, browser)
    assert quick.steps_up(browser).headers["location"] == f"/chat/{quick.ref}"


def test_whoever_is_let_in_again_opens_it_with_fresh_data(quick: Inside) -> None:
    one = quick.house.id("officer1")
    data = quick.fresh()
    quick.house.do(lambda work: suspend(work, one, "line"))
    assert quick.opens(quick.browser(), data).status_code == 403
    quick.house.do(lambda work: set_standing(work.session, one, Standing.ACTIVE))
    assert quick.opens(quick.browser(), data).status_code == 303  # it let nobody in: it is not used up


def test_of_two_at_the_same_moment_one_is_let_in(app: Inside) -> None:
    for number in range(5):
        found = read_init_data(app.fresh(), key_of(BOT_TOKEN), app.house.clock())
        with ThreadPoolExecutor(4) as threads:
            tries = [threads.submit(let_in, app.house, found, f"{number}-{at}") for at in range(4)]
        assert sorted(one.result() for one in tries) == [False, False, False, True]
        app.house.clock.forward(seconds=1)


def let_in(house: House, found: InitData, token: str) -> bool:
    """Whether this was the one."""
    try:
        house.do(lambda work: mini_app.enter(work, found, "", [], token))
    except InitDataRefused:
        return False
    return True


def test_strangers_cannot_make_the_trail_grow(quick: Inside) -> None:
    for _ in range(30):
        quick.opens(quick.browser(), "x")
    assert len(quick.told(Event.MINI_APP_REFUSED)) == 1
    quick.house.clock.forward(minutes=1)
    quick.opens(quick.browser(), "x")
    assert len(quick.told(Event.MINI_APP_REFUSED)) == 2


def test_another_site_cannot_hand_over_its_own(quick: Inside) -> None:
    browser = quick.browser()
    forged = browser.post("/mini-app", data={"init_data": quick.fresh()}, headers={"sec-fetch-site": "cross-site"})
    assert forged.status_code == 403
    assert "lanyard-mini-app" not in browser.cookies


def test_the_page_loads_nothing_from_telegram_and_stands_in_no_frame(quick: Inside) -> None:
    answer = quick.browser().get(f"/mini-app/{quick.ref}")
    assert "telegram.org" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
