"""What opens nothing of the pages, one row each: links and their codes, cookies. Each kind is answered alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from access.enrolment import issue_code
from access.roster import set_roles
from access.tables import CodePurpose, Role
from conversations.rota import suspend
from tests.house import TEAM, new_house
from tests.inside_telegram import WORDS, Inside, inside, main_of, opened_nothing
from tests.signing_in import BOTH
from tests.test_console import Client

OFFICER = "lanyard-officer"


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Inside]:
    """Every way in, before a house in memory."""
    with inside(new_house(team=TEAM | BOTH), tmp_path) as made:
        yield made


# --- one-time links -----------------------------------------------------------------------------------


def presents(browser: Client, code: str) -> httpx.Response:
    return browser.post("/sign-in", data={"code": code})


def other_purpose(purpose: CodePurpose) -> Callable[[Inside, Client], httpx.Response]:
    """A code that was made for something else."""

    def tries(doors: Inside, browser: Client) -> httpx.Response:
        one, code = doors.house.id("officer1"), doors.house.line.token()
        doors.house.do(lambda work: issue_code(work.session, code, purpose, one, work.now))
        return presents(browser, code)

    return tries


def used(doors: Inside, browser: Client) -> httpx.Response:
    code = doors.code("officer1", Role.OFFICER)
    assert presents(doors.browser(), code).status_code == 303
    return presents(browser, code)


def expired(doors: Inside, browser: Client) -> httpx.Response:
    code = doors.code("officer1", Role.OFFICER)
    doors.house.clock.forward(minutes=10)
    return presents(browser, code)


def suspended(doors: Inside, browser: Client) -> httpx.Response:
    code = doors.code("officer1", Role.OFFICER)
    doors.house.do(lambda work: suspend(work, doors.house.id("officer1"), "line"))
    return presents(browser, code)


def role_lost(doors: Inside, browser: Client) -> httpx.Response:
    code = doors.code("officer1", Role.OFFICER)
    doors.house.do(lambda work: set_roles(work.session, doors.house.id("officer1"), frozenset({Role.IDVA})))
    return presents(browser, code)


def lapsed(doors: Inside, browser: Client) -> httpx.Response:
    doors.house.clock.forward(days=91)
    return presents(browser, doors.code("officer1", Role.OFFICER))


LINKS: dict[str, Callable[[Inside, Client], httpx.Response]] = {
    "forged": lambda doors, browser: presents(browser, "0" * 32),
    "empty": lambda doors, browser: presents(browser, " "),
    "cut": lambda doors, browser: presents(browser, doors.code("officer1", Role.OFFICER)[:-1]),
    "in capitals": lambda doors, browser: presents(browser, doors.code("officer1", Role.OFFICER).upper()),
    "used": used,
    "expired": expired,
    "of somebody suspended": suspended,
    "of a role that was lost": role_lost,
    "of somebody whose enrolment ran out": lapsed,
    **{f"for {one.value}": other_purpose(one) for one in CodePurpose if one is not CodePurpose.SIGN_IN},
}


@pytest.mark.parametrize("case", LINKS)
def test_a_link_that_does_not_work_opens_nothing_and_reads_the_same(doors: Inside, case: str) -> None:
    browser = doors.browser()
    answer = LINKS[case](doors, browser)
    assert (answer.status_code, main_of(answer)) == (404, main_of(doors.browser().get("/sign-in/nothing")))
    assert not list(browser.cookies)
    assert opened_nothing(doors, browser)


def test_a_sign_in_link_binds_no_telegram_account_and_chooses_no_role(doors: Inside) -> None:
    code = doors.code("officer1", Role.OFFICER)
    answer = doors.browser().post("/sign-in/role", data={"code": code, "role": "officer"})
    assert answer.status_code == 403
    assert presents(doors.browser(), code).status_code == 303  # it was not used up by that


# --- cookies ------------------------------------------------------------------------------------------


def cookie(doors: Inside, name: str = "officer1", role: Role = Role.OFFICER) -> str:
    """Of somebody who signed in."""
    browser = doors.browser()
    assert presents(browser, doors.code(name, role)).status_code == 303
    return browser.cookies[f"lanyard-{role.value}"]


def later(**parts: float) -> Callable[[Inside], str]:
    def made(doors: Inside) -> str:
        found = cookie(doors)
        doors.house.clock.forward(**parts)
        return found

    return made


def kept_in_use_for_ten_hours(doors: Inside) -> str:
    browser, until = doors.browser(), doors.house.clock() + timedelta(hours=10)
    presents(browser, doors.code("officer1", Role.OFFICER))
    while doors.house.clock() < until:
        assert browser.get("/chat").status_code == 200
        doors.house.clock.forward(minutes=10)
    doors.house.clock.forward(seconds=1)
    return browser.cookies[OFFICER]


def signed_out(doors: Inside) -> str:
    browser = doors.browser()
    presents(browser, doors.code("officer1", Role.OFFICER))
    found = browser.cookies[OFFICER]
    browser.post("/sign-out/officer")
    return found


def suspended_since(doors: Inside) -> str:
    found = cookie(doors)
    doors.house.do(lambda work: suspend(work, doors.house.id("officer1"), "line"))
    return found


def from_telegram_alone(doors: Inside) -> str:
    browser = doors.browser()
    doors.opens(browser)
    return browser.cookies["lanyard-mini-app"]


def away_at_a_provider(doors: Inside) -> str:
    browser = doors.browser()
    doors.leave(browser)
    return browser.cookies["lanyard-away"]


COOKIES: dict[str, Callable[[Inside], str]] = {
    "forged": lambda doors: "0" * 64,
    "empty": lambda doors: "",
    "cut": lambda doors: cookie(doors)[:-1],
    "fifteen minutes unused": later(minutes=15, seconds=1),
    "ten hours old": kept_in_use_for_ten_hours,
    "signed out": signed_out,
    "of somebody suspended": suspended_since,
    "of another role": lambda doors: cookie(doors, "jane", Role.IDVA),
    "of the way from Telegram": from_telegram_alone,
    "of the way to a provider": away_at_a_provider,
    "a one-time code": lambda doors: doors.code("officer1", Role.OFFICER),
}


@pytest.mark.parametrize("case", COOKIES)
def test_a_cookie_that_does_not_count_opens_nothing(doors: Inside, case: str) -> None:
    browser = doors.browser()
    browser.cookies.set(OFFICER, COOKIES[case](doors))
    assert opened_nothing(doors, browser)


def test_another_persons_cookie_opens_their_own_and_no_question_of_others(doors: Inside) -> None:
    browser = doors.browser()
    browser.cookies.set(OFFICER, cookie(doors, "officer2"))
    assert WORDS not in browser.get("/chat").text
    answers = [browser.get(f"/chat/{doors.ref}"), browser.post(f"/chat/{doors.ref}/say", data={"text": "x"})]
    assert [one.status_code for one in answers] == [404, 404]


def test_the_good_cookie_of_these_cases_opens_the_question(doors: Inside) -> None:
    browser = doors.browser()
    browser.cookies.set(OFFICER, cookie(doors))
    assert WORDS in browser.get(f"/chat/{doors.ref}").text
