"""The pages: who may see what, what is refused, and that they help when the database does not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError

from access.enrolment import issue_code
from access.people import NewPerson
from access.tables import CodePurpose, Role
from console.directory import BASE as DIRECTORY
from console.front import Front
from console.page import plain
from console.web import create_app
from conversations.messages import ChannelName, Incoming, Kind
from conversations.receive import Received, receive
from conversations.work import Work, working
from tests.house import TEAM, House

Result = TypeVar("Result")
PUBLIC = {"/", "/board", "/sign-in/{code}", "/sign-in", "/offline", "/service-worker.js", "/healthz", "/readyz"} | {
    "/sign-in/with/{name}",
    "/sign-in/with/{name}/return",
    "/sign-in/role",
    "/mini-app",
    "/mini-app/{ref}",
    "/mini-app/with/{name}",
    "/sign-in/passkey",
    "/sign-in/passkey/options",
}
ORIGIN = {"origin": "http://testserver"}


class Client:
    """A browser without a window: requests one after another, on a loop of its own."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._loop = asyncio.Runner()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=ORIGIN)

    @property
    def cookies(self) -> httpx.Cookies:
        """What the server has set."""
        return self._http.cookies

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request."""
        return self._loop.run(self._http.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """One GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """One POST."""
        return self.request("POST", path, **more)

    def close(self) -> None:
        """Done."""
        self._loop.run(self._http.aclose())
        self._loop.close()


class Pages:
    """The pages before a house, and a browser."""

    def __init__(self, house: House, assets: Path, **more: Any) -> None:
        self.house = house
        self.broken = False
        front = Front(house.line, self._run, self._say, self._live, assets, practice=False, ready=self._ready, **more)
        self.client = Client(create_app(front))

    async def _run(self, act: Callable[[Work], Result]) -> Result:
        if self.broken:
            raise OperationalError("SELECT 1", {}, Exception("gone"))
        with working(self.house.line) as work:
            return act(work)

    async def _say(self, person_id: str, ref: str | None, text: str, client_id: str) -> Received | None:
        incoming = Incoming(
            ChannelName.WEB, person_id, Kind.TEXT, text, message=client_id, consultation=ref, written_at=None
        )
        return await self._run(lambda work: receive(work, incoming))

    async def _live(self, _person_id: str) -> AsyncIterator[None]:
        yield

    async def _ready(self) -> bool:
        return not self.broken

    def code(self, name: str, role: Role) -> str:
        """A one-time sign-in code."""
        code = self.house.line.token()
        with self.house.work() as work:
            issue_code(work.session, code, CodePurpose.SIGN_IN, self.house.id(name), work.now, role=role)
        return code

    def sign_in(self, name: str, role: Role) -> None:
        """Sign somebody in."""
        answer = self.client.post("/sign-in", data={"code": self.code(name, role)})
        assert answer.status_code == 303, answer.text


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


def test_every_route_but_the_listed_ones_asks_for_a_session(pages: Pages) -> None:
    tried = 0
    for route in routes_of(pages.client.app):
        path, methods = route.path, route.methods
        if path in PUBLIC or path.startswith(f"{DIRECTORY}/"):  # the standard wants the directory open to all
            assert path in PUBLIC or methods == {"GET"}
            continue
        filled = re.sub(r"\{number\}", "1", path).replace("{role}", "officer")
        filled = re.sub(r"\{\w+\}", "AAAAAA", filled)
        for method in (methods or set()) - {"HEAD"}:
            data = {} if path.startswith("/sign-out") else {"text": "x", "token": "x", "ids": "x"}
            answer = pages.client.request(method, filled, data=data)
            assert answer.status_code == 303, (method, path, answer.status_code)
            assert answer.headers["location"] == "/"
            tried += 1
    assert tried >= 20


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Every route of every room."""
    found: list[APIRoute] = []
    waiting: list[Any] = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting.extend(inner.routes)
        elif isinstance(route, APIRoute):
            found.append(route)
    return found


def test_a_session_is_for_one_role_only(pages: Pages) -> None:
    pages.sign_in("officer1", Role.OFFICER)
    assert pages.client.get("/chat").status_code == 200
    assert pages.client.get("/desk").status_code == 303
    assert pages.client.get("/board/supervisor").status_code == 303


def test_each_leads_link_to_the_board_goes_to_their_own(pages: Pages) -> None:
    assert pages.client.get("/board").headers["location"] == "/"
    pages.sign_in("sam", Role.SUPERVISOR)
    assert pages.client.get("/board").headers["location"] == "/board/supervisor"


@pytest.mark.parametrize(("name", "role"), [("sam", Role.SUPERVISOR), ("lea", Role.IDVA_LEAD), ("dana", Role.SERGEANT)])
def test_a_lead_can_deal_with_it_from_the_board_and_a_sergeant_only_look(
    make_house: Callable[..., House], tmp_path: Path, name: str, role: Role
) -> None:
    more = {
        "lea": NewPerson("N-900", "Lea Example", "Example Hospitals NHS Trust", frozenset({Role.IDVA_LEAD})),
        "dana": NewPerson("DS 77", "DS 77 Example", "Example Constabulary", frozenset({Role.SERGEANT})),
    }
    pages = Pages(make_house(team=TEAM | more), tmp_path)
    ref = pages.house.asks("officer1", "What now?")
    pages.sign_in(name, role)
    page = pages.client.get(f"/board/{role.value}").text
    assert ref in page
    assert ("I deal with it" in page) == (role is not Role.SERGEANT)
    done = pages.client.post(f"/board/{role.value}/{ref}/take").status_code
    assert done == (404 if role is Role.SERGEANT else 303)
    assert pages.house.state(ref) == ("kept" if role is Role.SERGEANT else "fallback")
    pages.client.close()


def test_a_sign_in_link_works_once_and_not_by_being_opened(pages: Pages) -> None:
    code = pages.code("officer1", Role.OFFICER)
    assert pages.client.get(f"/sign-in/{code}").status_code == 200
    assert pages.client.get(f"/sign-in/{code}").status_code == 200
    assert pages.client.post("/sign-in", data={"code": code}).status_code == 303
    assert pages.client.post("/sign-in", data={"code": code}).status_code == 404
    assert pages.client.get(f"/sign-in/{code}").status_code == 404


def test_what_is_not_theirs_does_not_exist(pages: Pages) -> None:
    pages.house.on_duty("jane")
    ref = pages.house.asks("officer1", "SECRET WORDS")
    pages.sign_in("officer2", Role.OFFICER)
    pages.sign_in("amira", Role.IDVA)
    for method, path in (
        ("GET", f"/chat/{ref}"),
        ("GET", f"/chat/{ref}/messages"),
        ("GET", f"/desk/{ref}"),
        ("GET", f"/desk/{ref}/messages"),
        ("POST", f"/chat/{ref}/withdraw"),
        ("POST", f"/chat/{ref}/details"),
        ("POST", f"/chat/{ref}/reopen"),
        ("POST", f"/desk/{ref}/advise"),
        ("POST", f"/shown/officer/{ref}"),
    ):
        data = {"do_now": "x", "tell": "x", "ids": "x"} if method == "POST" else None
        answer = pages.client.request(method, path, data=data)
        assert answer.status_code == 404, (method, path, answer.status_code)
        assert "SECRET" not in answer.text
    assert pages.house.state(ref) == "offered"


def test_a_question_typed_on_a_page_gets_its_reference_and_the_emergency_words(pages: Pages) -> None:
    pages.house.on_duty("jane")
    pages.sign_in("officer1", Role.OFFICER)
    went = pages.client.post("/chat/say", data={"text": "What now?", "client_id": "c1"})
    assert went.status_code == 303
    page = pages.client.get(went.headers["location"]).text
    assert "What now?" in page
    assert "Received safely" in page
    assert pages.house.line.policy.emergency in page


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_request_forged_by_another_site_has_no_effect(pages: Pages, headers: dict[str, str]) -> None:
    pages.sign_in("officer1", Role.OFFICER)
    answer = pages.client.post("/chat/say", data={"text": "x"}, headers=headers)
    assert answer.status_code == 403
    with pages.house.work() as work:
        assert not work.session.connection().exec_driver_sql("SELECT count(*) FROM consultation").scalar()


def test_every_answer_carries_the_security_headers(pages: Pages) -> None:
    for path in ("/", "/chat", "/nowhere", "/healthz"):
        headers = pages.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


def test_words_are_shown_as_they_are_and_never_run(pages: Pages) -> None:
    pages.house.on_duty("jane")
    words = "<script>alert(1)</script> \u202egnp.exe \x00 \ud800 {{ 7*7 }}"
    ref = pages.house.asks("officer1", words)
    pages.sign_in("officer1", Role.OFFICER)
    page = pages.client.get(f"/chat/{ref}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\\u202egnp.exe" in page
    assert "{{ 7*7 }}" in page


def test_a_plain_showing_hides_and_reorders_nothing() -> None:
    assert plain("a\u202eb\u2066c") == "a\\u202eb\\u2066c"
    assert plain("a\x00b\ud800c\nd\te") == "a\ufffdb\ufffdc\nd\te"


def test_with_the_database_gone_every_page_says_whom_to_ring(pages: Pages) -> None:
    pages.sign_in("officer1", Role.OFFICER)
    pages.broken = True
    for method, path in (("GET", "/chat"), ("POST", "/chat/say"), ("GET", "/sign-in/x")):
        answer = pages.client.request(method, path, data={"text": "help"} if method == "POST" else None)
        assert answer.status_code == 503
        assert pages.house.line.policy.emergency in answer.text
        assert pages.house.line.policy.lead_phone in answer.text
    assert pages.client.get("/readyz").status_code == 503


def test_the_api_description_is_closed(pages: Pages) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert pages.client.get(path).status_code == 404


def test_signing_out_ends_the_session_and_not_only_the_cookie(pages: Pages) -> None:
    pages.sign_in("officer1", Role.OFFICER)
    cookie = dict(pages.client.cookies)
    assert pages.client.post("/sign-out/officer").status_code == 303
    for name, value in cookie.items():
        pages.client.cookies.set(name, value)
    assert pages.client.get("/chat").status_code == 303


@pytest.mark.parametrize("hours", ["x", "nan", "inf", "25:00", "12:60", "-1", "1e9", "١٢"])
def test_a_duty_that_cannot_be_is_refused(pages: Pages, hours: str) -> None:
    pages.sign_in("jane", Role.IDVA)
    assert pages.client.post("/desk/duty", data={"hours": hours}).status_code == 422


def test_an_idle_session_ends_and_refreshing_by_itself_does_not_prolong_it(pages: Pages) -> None:
    pages.sign_in("officer1", Role.OFFICER)
    answers = []
    for _ in range(4):
        pages.house.clock.forward(minutes=5)
        answers.append(pages.client.get("/chat/list", headers={"x-automatic": "1"}).status_code)
    assert answers == [200, 200, 200, 303]


def test_suspending_somebody_ends_their_session_at_the_next_request(pages: Pages) -> None:
    from conversations.rota import suspend

    pages.sign_in("officer1", Role.OFFICER)
    pages.house.do(lambda work: suspend(work, pages.house.id("officer1"), "line"))
    assert pages.client.get("/chat").status_code == 303
