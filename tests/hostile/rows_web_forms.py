"""Rows 95 to 99, 101, 104 and 105: what is asked of each route, by whom it should not be or in a shape it has not."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
from fastapi.routing import APIRoute

from access.tables import Role
from tests.hostile.web_kit import CANARY, TEAM, Served, WebCase
from tests.test_console import PUBLIC

NOBODYS = "AAAAAA"
NUMBERS = ("-1", "1000000000000", "NaN", "\u0661\u0662", "1e3", "0x1", " ", "1;--", "")
ALL = tuple(TEAM)
MOST_WAIT = 0.2  # seconds
LISTENING = "/live/{role}"
OWN_NAME = re.compile(r'attachment; filename="[a-z0-9-]+\.(csv|pdf)"')


class Heard(logging.Handler):
    """What the pages log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def heard() -> Iterator[Heard]:
    """All that the pages log meanwhile."""
    handler, pages = Heard(), logging.getLogger("console.web")
    pages.addHandler(handler)
    try:
        yield handler
    finally:
        pages.removeHandler(handler)


def filled(route: APIRoute, role: Role, ref: str = NOBODYS, number: str = "1") -> str:
    """The address of a route."""
    path = route.path.replace("{role}", role.value).replace("{ref}", ref).replace("{number}", number)
    return re.sub(r"\{\w+\}", NOBODYS, path)


def roles_in(route: APIRoute) -> list[Role]:
    """The roles that an address can name."""
    return list(Role) if "{role}" in route.path else [Role.OFFICER]


def posts(at: Served) -> list[APIRoute]:
    """Every route that changes something."""
    return [one for one in at.routes if "POST" in (one.methods or ())]


def forged(at: Served) -> None:
    """Row 95: whatever another site sends has no effect, and each try is counted in the log by its status alone."""
    kinds: list[tuple[dict[str, str], dict[str, str | bytes]]] = [
        ({"sec-fetch-site": "cross-site"}, {}),
        ({"sec-fetch-site": "same-site"}, {}),
        ({"origin": "https://evil.example"}, {}),
        ({"origin": "null", "content-type": "text/plain"}, {"content": b'{"text": "canary"}'}),
        ({"origin": ""}, {}),
    ]
    tried = 0
    with at.everybody("officer1", "jane", "supervisor", "admin", "curator") as client, heard() as log:
        before = at.rows()
        for route in posts(at):
            for headers, more in kinds:
                sent = {"data": {"text": CANARY}} | more if "content" not in more else more
                answer = client.post(filled(route, Role.ADMIN), headers=headers, **sent)
                assert answer.status_code == 403, (route.path, headers)
                tried += 1
        del client.headers["origin"]
        assert client.post("/chat/say", data={"text": CANARY}).status_code == 403
        assert at.rows() == before
    assert log.lines == ["request refused status=403"] * (tried + 1)
    assert tried >= 200


def somebody_elses(at: Served) -> None:
    """Row 96: an id of somebody else's is as if it were not there, whatever it is an id of; the try is in the log."""
    with at.signed_in("officer1") as client:
        ref = at.ask(client, "The words of officer one")
        handle = _handle(client)
    others = ("officer2", "sergeant", "curator", "admin", "auditor")
    tried = 0
    with at.everybody(*others) as client, heard() as log:
        before = at.rows()
        for route in at.routes:
            if "{ref}" not in route.path or route.path in PUBLIC:
                continue
            for role in roles_in(route):
                path = re.sub(r"AAAAAA", handle, filled(route, role, ref)) if "{handle}" in route.path else ""
                for method in (route.methods or set()) - {"HEAD"}:
                    answer = client.request(method, path or filled(route, role, ref))
                    assert _shut(answer), (method, route.path, role, answer.status_code)
                    assert "words of officer one" not in answer.text
                    tried += 1
        assert client.post(f"/account/officer/sessions/{handle}/end").status_code in (404, 409)
        for person in (at.id("officer1"), NOBODYS):
            assert client.get(f"/people/auditor/{person}").status_code == 404
        assert at.rows() == before
    assert tried >= 100
    assert len([line for line in log.lines if line.startswith("not theirs route=")]) >= 20
    assert not any(ref in line for line in log.lines)


def _handle(client: httpx.Client) -> str:
    found = re.search(r"/sessions/(\w+)/end", client.get("/account/officer").text)
    assert found is not None
    return found[1]


def _shut(answer: httpx.Response) -> bool:
    away = answer.status_code == 303 and answer.headers["location"] == "/"
    return away or answer.status_code in (404, 422)


def fields_of_their_own(at: Served) -> None:
    """Row 97: a form with a field that is not its own is refused, on every route, and changes nothing."""
    refused = set()
    with at.everybody("officer1", "jane", "supervisor", "admin", "curator", "idva_lead", "auditor") as client:
        ref = at.ask(client)
        client.post(f"/desk/{ref}/accept")
        before = at.rows()
        for route in posts(at):
            for role in roles_in(route):
                path = filled(route, role, ref)
                answer = client.post(path, data={"owner_id": "supervisor", "audit_idx": "1"})
                assert _shut(answer), (path, answer.status_code)
                refused |= {route.path} if answer.status_code == 422 else set()
        assert at.rows() == before
    unseen = {route.path for route in posts(at)} - refused
    assert all("{ref}" in path for path in unseen), unseen  # what is not theirs does not exist: that is answered first
    assert len(refused) >= 35


def injections(at: Served) -> None:
    """Row 98: what looks like SQL, a wildcard or an expensive pattern is words, and takes no longer than words."""
    tries = ("' OR 1=1 --", "%", "_", "X-%", '"; DROP TABLE person; --', "\\", "(a+)+$" + "a" * 60, "a" * 79, "${7*7}")
    with at.everybody("admin", "auditor", "officer1") as client:
        for words in tries:
            requests: list[tuple[str, str, dict[str, Any]]] = [
                ("GET", "/people/admin", {"params": {"staff_id": words[:40]}}),
                ("GET", "/catalogue/officer", {"params": {"q": words}}),
                ("POST", "/trail/auditor", {"data": {"staff_id": words, "log": words}}),
            ]
            for method, path, given in requests:
                usual, _ = _quickest(client, method, path, _with(given, "Sample"))
                took, answers = _quickest(client, method, path, given)
                assert {one.status_code for one in answers} <= {200, 404, 409, 422}
                assert took <= max(MOST_WAIT, 3 * usual), (words, took, usual)  # a busy machine is slow with any words
            assert "Jane Example" not in client.get("/people/admin", params={"staff_id": words[:40]}).text
        for order in ("name; DROP TABLE person", "(SELECT 1)"):
            assert client.get("/people/admin", params={"sort": order}).status_code == 422


def _quickest(
    client: httpx.Client, method: str, path: str, given: dict[str, Any]
) -> tuple[float, list[httpx.Response]]:
    """The shortest of three, in seconds, and all three answers."""
    answers, waits = [], []
    for _ in range(3):
        began = time.monotonic()
        answers.append(client.request(method, path, **given))
        waits.append(time.monotonic() - began)
    return min(waits), answers


def _with(given: dict[str, Any], words: str) -> dict[str, Any]:
    return {kind: dict.fromkeys(fields, words) for kind, fields in given.items()}


def addresses_to_fetch(at: Served) -> None:
    """Row 99: an address in a field is words. Nothing of ours goes there, to a private range or anywhere."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as trap,
        at.everybody("curator", "officer1", "admin") as client,
    ):
        trap.settimeout(0.3)
        place = f"127.0.0.1:{trap.getsockname()[1]}"
        for url in (f"http://{place}/", f"https://{place}/", f"//{place}/", f"gopher://{place}/"):
            fields = {"title": f"Trap {url[:6]}", "web": url, "sources": f"{url} | 2026-01-01", "body": url}
            assert client.post("/catalogue/curator/propose", data=fields).status_code in (303, 422)
            at.ask(client, f"Is {url} safe?")
            rows = f"staff_id,name,service,roles\nX-1,{url},{url},officer\n"
            client.post("/people/admin/import/look", files={"file": ("a.csv", rows)})
        try:
            trap.accept()
        except TimeoutError:
            return
    raise AssertionError("an address in a field was fetched")


def returns_of_nobody(at: Served) -> None:
    """Row 101: coming back from a provider that nobody was sent to. The tokens themselves: tests/test_oidc.py."""
    with at.client() as client:
        for name in ("nhs", "police", "x" * 200):
            answer = client.get(f"/sign-in/with/{name}/return", params={"code": "x", "state": "", "iss": "https://x"})
            assert answer.status_code == 403
            assert not client.cookies


def files_taken_away(at: Served) -> None:
    """Row 104: what a page hands out as a file has a name of our making, whatever the request says; and how an uploaded
    one is named is not looked at."""
    with at.everybody(*ALL) as client:
        for route in at.routes:
            if "GET" not in (route.methods or ()) or route.path == LISTENING:
                continue
            for role in roles_in(route):
                named = client.get(filled(route, role), params={"filename": "x.canary"}).headers.get(
                    "content-disposition"
                )
                assert named is None or OWN_NAME.fullmatch(named), (route.path, named)
        for name in ("../../etc/passwd", 'a";b=canary.csv', "\u202egnp.csv", "con.canary", "a" * 300):
            rows = "staff_id,name,service,roles\n"
            answer = client.post("/people/admin/import/look", files={"file": (name, rows)})
            assert answer.status_code in (200, 409, 422)
            assert name not in answer.text


def odd_numbers(at: Served) -> None:
    """Row 105: a number that is none, or out of range, in any address or query."""
    tried = 0
    with at.everybody(*ALL) as client:
        ref = at.ask(client)
        for route in at.routes:
            if "GET" not in (route.methods or ()):
                continue
            for role in roles_in(route):
                for number in NUMBERS if "{number}" in route.path else ():
                    if number.strip():
                        answer = client.get(filled(route, role, ref, number))
                        assert _shut(answer), (route.path, number, answer.status_code)
                        tried += 1
        for path in ("/review/supervisor", "/people/admin"):
            for number in NUMBERS:
                assert client.get(path, params={"page": number}).status_code == 422, (path, number)
                tried += 1
        for number in NUMBERS[:-1]:
            assert client.post("/trail/auditor", data={"before": number}).status_code in (200, 422)
            assert client.post(f"/chat/{ref}/messages/{number}", data={"text": "x"}).status_code in (404, 405, 422)
    assert tried >= 50


CASES = [
    WebCase(95, "forged by another site", forged),
    WebCase(96, "an id of somebody else", somebody_elses),
    WebCase(97, "fields of their own", fields_of_their_own),
    WebCase(98, "injections", injections),
    WebCase(99, "addresses to fetch", addresses_to_fetch),
    WebCase(101, "returns of nobody", returns_of_nobody),
    WebCase(104, "files taken away", files_taken_away),
    WebCase(105, "odd numbers", odd_numbers),
]
