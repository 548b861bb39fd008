"""Rows 94, 106 and 108: words that would be scripts, two who decide at once, and what is said when something breaks."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from threading import Barrier

import httpx
from sqlalchemy import text

from console.page import plain
from conversations import store
from conversations.case import Case
from conversations.consult import withdraw
from conversations.tables_review import Standard
from conversations.work import working
from knowledge.imports import guarded
from storage.database import Database
from tests.hostile.payloads import FORMULAS, PAYLOADS
from tests.hostile.web_kit import CANARY, Served, WebCase

ALL = "\n".join(PAYLOADS)
NEVER = {"iframe", "object", "embed", "base", "video", "math", "style"}


class Looked(HTMLParser):
    """What a browser would make of a page: its words, and what should not be among its elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.words += [value or "" for name, value in attrs if name == "value"]
        handled = [name for name in given if name.startswith(("on", "hx-on")) or name == "style"]
        leads = [value for name, value in attrs if name in ("href", "src", "action", "hx-get") and value]
        elsewhere = [one for one in leads if one.lower().startswith(("javascript:", "data:")) or "evil" in one]
        if tag in NEVER or handled or elsewhere or (tag == "script" and not {"src", "nonce"} & set(given)):
            self.wrong.append(f"{tag} {attrs}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def literal(answer: httpx.Response, *words: str) -> None:
    """These words stand on the page as words, and nothing on it is an element that they made."""
    assert answer.status_code == 200, (answer.url, answer.status_code)
    page = Looked()
    page.feed(answer.text)
    assert page.wrong == [], answer.url
    shown = " ".join(" ".join(page.words).split())
    assert [one for one in words if " ".join(plain(one).split()) not in shown] == [], answer.url
    assert "unsafe" not in answer.headers["content-security-policy"]


def words_that_are_scripts(at: Served) -> None:
    """Row 94: each of them in every room that shows words."""
    with at.everybody("officer1", "jane", "supervisor", "idva_lead") as client:
        ref = advised(at, client, ALL)
        for path in (f"/chat/{ref}", f"/chat/{ref}/messages"):
            literal(client.get(path), *PAYLOADS)
        client.post("/glass/supervisor", data={"ref": ref, "reason": ALL})
        literal(client.get(f"/glass/supervisor/{ref}"), *PAYLOADS)
        literal(client.get("/glass/idva_lead"), *PAYLOADS)  # the reason, for whoever reviews it
        literal(client.get(f"/notes/{ref}"), *PAYLOADS)
        for path in ("/chat", "/board/supervisor", "/board/idva_lead", "/desk", "/review/supervisor"):
            literal(client.get(path))
        _review(client, ref)
        literal(client.get(f"/review/supervisor/{ref}"), *PAYLOADS)
        literal(client.get("/desk/reviews"), *PAYLOADS)


def scripts_as_fields(at: Served) -> None:
    """Row 94: in names, lists and searches, which come back on the page."""
    with at.everybody("admin", "curator", "auditor", "officer1") as client:
        for words in PAYLOADS:
            literal(client.get("/catalogue/officer", params={"q": words[:80]}))
            found = client.post("/trail/auditor", data={"log": words[:80]})
            assert found.status_code in (200, 409), found.status_code
            literal(found) if found.status_code == 200 else None
            listed = client.get("/people/admin", params={"staff_id": words[:40]})
            assert listed.status_code in (200, 422)
            literal(listed) if listed.status_code == 200 else None
        fields = {"title": PAYLOADS[0], "body": ALL, "says": ALL, "web": PAYLOADS[9], "sources": ALL, "cost": ALL}
        form = client.post("/catalogue/curator/propose", data=fields)
        assert form.status_code == 422
        page = Looked()
        page.feed(form.text)
        assert page.wrong == []


def scripts_as_names(at: Served) -> None:
    """Row 94: a name is refused or shown as it is."""
    with at.everybody("admin") as client:
        kept = 0
        for number, words in enumerate(PAYLOADS):
            form = {"staff_id": f"P-{number}", "name": words, "service": "Example Trust", "roles": "officer"}
            answer = client.post("/people/admin", data=form)
            assert answer.status_code in (303, 409, 422), answer.status_code
            if answer.status_code == 303:
                kept += 1
                literal(client.get(answer.headers["location"]), words)
        literal(client.get("/people/admin"))
        assert kept


def formulas(_at: Served) -> None:
    """Row 94: no cell of ours is a formula to a spreadsheet. The directory's own: tests/knowledge/test_imports.py."""
    for cell in FORMULAS:
        assert guarded(cell).startswith("'")


def advised(at: Served, client: httpx.Client, words: str) -> str:
    """A consultation that was asked, answered, noted on and ended in these words; gives its reference."""
    ref = at.ask(client, words)
    assert client.post(f"/desk/{ref}/accept").status_code == 303
    literal(client.get(f"/desk/{ref}"), *words.split("\n"))
    assert client.post(f"/desk/{ref}/say", data={"text": words}).status_code == 303
    assert client.post(f"/desk/{ref}/notes", data={"words": words}).status_code == 303
    given = {"do_now": words, "tell": words, "status": "advice", "services": words, "would_change": words}
    assert client.post(f"/desk/{ref}/advise", data=given).status_code == 303
    _understood(client, ref)
    with working(at.house.line) as work:
        store.by_ref(work.session, ref).urgent = True  # what is urgent is always to be reviewed
    return ref


def _understood(client: httpx.Client, ref: str) -> None:
    """The officer presses what confirms the advice."""
    for token in re.findall(r'name="token" value="(\w+)"', client.get(f"/chat/{ref}").text)[::-1]:
        client.post(f"/chat/{ref}/tap", data={"token": token})
        if "Ask more" in client.get(f"/chat/{ref}").text:
            return


def _review(client: httpx.Client, ref: str) -> None:
    begun = client.post(f"/review/supervisor/{ref}/begin")
    assert begun.status_code == 303, begun.text
    marks = {one.value: "yes" for one in Standard}
    given = marks | {"act": "ask", "version": _version(client, ref), "comment": ALL, "learning": ALL, "question": ALL}
    assert client.post(f"/review/supervisor/{ref}", data=given).status_code == 303


def _version(client: httpx.Client, ref: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', client.get(f"/review/supervisor/{ref}").text)
    assert found is not None
    return found[1]


def two_decide_at_once(at: Served) -> None:
    """Row 106: of two who sign off the same version at once one does, and the other is told."""
    with at.everybody("officer1", "jane", "supervisor") as client:
        ref = advised(at, client, "Is this coercive control?")
        assert client.post(f"/review/supervisor/{ref}/begin").status_code == 303
        form = {one.value: "yes" for one in Standard} | {"act": "sign", "version": _version(client, ref)}
        together, given = Barrier(2), dict(client.cookies)

        def sign(_: int) -> httpx.Response:
            with at.client(cookies=given) as window:
                together.wait(10)
                return window.post(f"/review/supervisor/{ref}", data=form)

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(sign, range(2)))
        assert sorted(one.status_code for one in answers) == [303, 409]
        told = next(one for one in answers if one.status_code == 409)
        assert "govuk-" in told.text


def something_breaks(at: Served) -> None:
    """Row 108: whatever breaks, the page says what to do and a number to ask about, and nothing of how we are made."""
    with at.everybody("officer2") as client:
        ref = at.ask(client, "Is this coercive control?")
        database = Database(at.house.settings.database)
        with database.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE message_version SET words = zeroblob(40) WHERE message_id IN (SELECT m.id FROM message m"
                    " JOIN consultation c ON c.id = m.consultation_id WHERE c.ref = :ref)"
                ),
                {"ref": ref},
            )
        database.close()
        broken = client.get(f"/chat/{ref}")
        assert broken.status_code == 500
        assert re.search(r"\b[0-9a-f]{8}\b", broken.text)
        assert at.house.line.policy.emergency in broken.text
        assert not re.search(r"Traceback|File \"|Error\b|sqlalchemy|python|uvicorn|starlette|sqlite", broken.text)
        assert "default-src 'none'" in broken.headers["content-security-policy"]
        assert not {"server", "x-powered-by"} & set(broken.headers)
        with working(at.house.line) as work:  # what was spoilt is offered to nobody any more
            withdraw(Case.load(work, store.by_ref(work.session, ref).id), at.id("officer2"))


def closed_to_everybody(at: Served) -> None:
    """Row 108: what frameworks offer is not offered, signed in or not."""
    with at.everybody("officer1", "admin") as client:
        for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/.env", "/.git/config", "/debug", "/admin"):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert CANARY not in answer.text
        for method in ("TRACE", "PUT", "DELETE", "PATCH", "CONNECT"):
            assert client.request(method, "/chat").status_code in (400, 403, 404, 405)


CASES = [
    WebCase(94, "words that are scripts", words_that_are_scripts),
    WebCase(94, "scripts as fields", scripts_as_fields),
    WebCase(94, "scripts as names", scripts_as_names),
    WebCase(94, "formulas", formulas),
    WebCase(106, "two decide at once", two_decide_at_once),
    WebCase(108, "something breaks", something_breaks),
    WebCase(108, "closed to everybody", closed_to_everybody),
]
