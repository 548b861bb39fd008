"""Rows 92, 93, 100, 102, 107: what comes over the wire before anybody is asked who they are."""

from __future__ import annotations

import time

import httpx

from access.people import set_standing
from access.tables import Standing
from conversations.rota import suspend
from conversations.work import BY_THE_LINE, working
from lanyard.patience import Impatient
from tests.hostile.web_kit import CANARY, Served, WebCase

HOST = b"Host: 127.0.0.1\r\n"
WEBHOOK = "/telegram/6f1e0a52c0de"
SECRET = "S3cret_token-of-forty-signs-0123456789abc"
NAME = "X-Telegram-Bot-Api-Secret-Token"
JSON = ("Content-Type", "application/json")
MOST_AT_ONCE = 3


def status(answer: bytes) -> int:
    """The status of a raw answer; 0 where there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def wrong_callers(at: Served) -> None:
    """Row 92: each is turned away by its status alone, and what was given is not told to anybody."""
    for expected, method, headers in (
        (401, "POST", [JSON]),
        (401, "POST", [JSON, (NAME, CANARY)]),
        (401, "POST", [JSON, (NAME, SECRET), (NAME, SECRET)]),
        (401, "POST", [JSON, (NAME, SECRET.upper())]),
        (405, "GET", [JSON, (NAME, SECRET)]),
        (405, "PUT", [JSON, (NAME, SECRET)]),
        (415, "POST", [("Content-Type", "text/plain"), (NAME, SECRET)]),
    ):
        answer = httpx.request(method, at.url + WEBHOOK, headers=headers, content=b"{}", trust_env=False)
        assert (answer.status_code, answer.content) == (expected, b""), (method, headers)


def two_lengths(at: Served) -> None:
    """Row 93: where two readers could believe two lengths, nobody reads on."""
    sent = b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = at.raw(sent + b"0\r\n\r\nGET /chat HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1, "what follows is no second request"


def slow_sender(at: Served) -> None:
    """Row 93: a request that does not come to its end is given up, wherever it stops."""
    usual, Impatient.request_wait = Impatient.request_wait, 0.5
    try:
        for part in (
            b"",
            b"GET / HTTP/1.1\r\nHos",
            b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Origin: http://127.0.0.1\r\nContent-Length: 50\r\n\r\ncode=",
        ):
            began = time.monotonic()
            answer = at.raw(part)
            assert status(answer) in (0, 400, 422), answer[:200]
            assert time.monotonic() - began < 3
    finally:
        Impatient.request_wait = usual


def half_a_form(at: Served) -> None:
    """Row 93: what did not come whole is not taken for the whole."""
    usual, Impatient.request_wait = Impatient.request_wait, 0.5
    code = at.code("officer1").encode()
    head = b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Origin: http://127.0.0.1\r\nContent-Length: 500\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\ncode=" + code
    try:
        assert status(at.raw(head + form)) in (0, 400, 422)
    finally:
        Impatient.request_wait = usual
    with at.client() as client:
        assert client.post("/sign-in", data={"code": code.decode()}).status_code == 303, "it was not used up"


def large_headers(at: Served) -> None:
    """Rows 93 and 100: 10 KB of headers, 5 KB of cookie, a request line without end."""
    with at.client() as client:
        assert client.get("/", headers={"x-long": "a" * 10_240}).status_code == 431
        assert client.get("/", headers={"cookie": "lanyard-officer=" + "a" * 5_120}).status_code == 400
    assert status(at.raw(b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")) == 431


def odd_addresses(at: Served) -> None:
    """Row 93: another spelling of an address is another address, and there is nothing there."""
    for path in (
        "//hook",
        f"/{WEBHOOK}",
        "/%2e%2e/etc/passwd",
        "/assets/%2e%2e/web.py",
        "/assets/..%2fweb.py",
        "/CHAT",
    ):
        answer = at.raw(b"GET " + path.encode() + b" HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        assert status(answer) == 404, (path, answer[:60])
        assert b"create_app" not in answer


def spoofed_origin(at: Served) -> None:
    """Row 93: who they say they come for changes nothing."""
    said = {"x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https", "x-forwarded-host": f"{CANARY}.example"}
    with at.client() as client:
        for path in ("/", "/chat", "/healthz", "/metrics"):
            plain, spoofed = client.get(path), client.get(path, headers=said)
            assert spoofed.status_code == plain.status_code
            assert spoofed.headers.get("location") == plain.headers.get("location")
            assert CANARY not in spoofed.text
        forged = client.post("/sign-in", data={"code": "x"}, headers=said | {"origin": f"https://{CANARY}.example"})
        assert forged.status_code == 403


def fixed_session(at: Served) -> None:
    """Row 100: a token that somebody else chose never becomes a session, and one that ended stays ended."""
    with at.client() as client:
        client.cookies.set("lanyard-officer", "chosen-by-somebody-else")
        client.post("/sign-in", data={"code": at.code("officer1")})
        mine = client.cookies.get("lanyard-officer", domain="127.0.0.1")
        assert mine != "chosen-by-somebody-else"
        with at.client(cookies={"lanyard-officer": "chosen-by-somebody-else"}) as other:
            assert other.get("/chat").status_code == 303
        assert client.post("/sign-out/officer").status_code == 303
        with at.client(cookies={"lanyard-officer": mine or ""}) as later:
            assert later.get("/chat").headers["location"] == "/"
            assert later.get("/chat", headers={"hx-request": "true"}).status_code == 401


def after_signing_out(at: Served) -> None:
    """Row 103: no page of theirs is kept anywhere, and going back shows the way in."""
    with at.signed_in("officer1") as client:
        shown = client.get("/chat")
        assert shown.headers["cache-control"] == "no-store"
        assert client.post("/sign-out/officer").headers["clear-site-data"] == '"cache"'
        assert client.get("/chat").headers["location"] == "/"


def asked_to_go_elsewhere(at: Served) -> None:
    """Row 102: nothing that an address says decides where signing in leads."""
    for to in ("//evil.example", "javascript:alert(1)", "https://evil.example", "/\\evil.example"):
        with at.client() as client:
            answer = client.post("/sign-in", params={"next": to}, data={"code": at.code("officer1")})
            assert answer.headers["location"] == "/chat"


def no_websocket(at: Served) -> None:
    """Row 107: nothing here speaks WebSocket."""
    wanted = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example\r\n"
    for path in (b"/", b"/live/officer", b"/ws"):
        answer = at.raw(b"GET " + path + b" HTTP/1.1\r\n" + HOST + wanted + key + b"\r\n", patience=1)
        assert status(answer) in (200, 303, 404)
        assert b"Sec-WebSocket-Accept" not in answer


def streams_of_others(at: Served) -> None:
    """Row 107: no events without a session, none for another site's page, no token in an address."""
    with at.client() as client:
        assert client.get("/live/officer").status_code == 303
        assert client.get(f"/live/officer?token={at.code('officer1')}").status_code == 303
    with at.signed_in("officer1") as client, client.stream("GET", "/live/officer") as events:
        assert "access-control-allow-origin" not in events.headers
        assert events.headers["cross-origin-resource-policy"] == "same-origin"


def too_many_streams(at: Served) -> None:
    """Row 107: three open streams for a person, and room again as soon as one is gone."""
    with at.signed_in("officer2") as client:
        opened = [client.send(client.build_request("GET", "/live/officer"), stream=True) for _ in range(MOST_AT_ONCE)]
        assert [one.status_code for one in opened] == [200] * MOST_AT_ONCE
        said = [one.iter_raw() for one in opened]  # to let go of one would close it
        assert all(next(one) for one in said)
        assert client.get("/live/officer").status_code == 429
        with at.signed_in("officer1") as another, another.stream("GET", "/live/officer") as events:
            assert events.status_code == 200
        opened.pop().close()
        assert _let_in(client)
        for one in opened:
            one.close()


def _let_in(client: httpx.Client) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        with client.stream("GET", "/live/officer") as events:
            if events.status_code == 200:
                return True
        time.sleep(0.05)
    return False


def stream_after_revoking(at: Served) -> None:
    """Row 107: signed out or suspended, the stream ends within a second, and says only that it has."""
    with at.signed_in("officer2") as client, client.stream("GET", "/live/officer") as events:
        said = events.iter_text()
        next(said)
        began = time.monotonic()
        with at.client(cookies=client.cookies) as window:
            window.post("/sign-out/officer")
        assert "event: ended" in "".join(said)
        assert time.monotonic() - began <= 1
    with at.signed_in("sergeant") as client, client.stream("GET", "/live/sergeant") as events:
        said = events.iter_text()
        next(said)
        with working(at.house.line) as work:
            suspend(work, at.id("sergeant"), BY_THE_LINE)
        began = time.monotonic()
        assert "event: ended" in "".join(said)
        assert time.monotonic() - began <= 1
    with working(at.house.line) as work:
        set_standing(work.session, at.id("sergeant"), Standing.ACTIVE)


CASES = [
    WebCase(92, "wrong callers of the webhook", wrong_callers),
    WebCase(93, "two lengths", two_lengths),
    WebCase(93, "a slow sender", slow_sender),
    WebCase(93, "half a form", half_a_form),
    WebCase(93, "large headers", large_headers),
    WebCase(93, "odd addresses", odd_addresses),
    WebCase(93, "spoofed origin", spoofed_origin),
    WebCase(100, "a session chosen by somebody else", fixed_session),
    WebCase(102, "asked to go elsewhere", asked_to_go_elsewhere),
    WebCase(103, "back after signing out", after_signing_out),
    WebCase(107, "no websocket", no_websocket),
    WebCase(107, "streams of others", streams_of_others),
    WebCase(107, "too many streams", too_many_streams),
    WebCase(107, "a stream after revoking", stream_after_revoking),
]
