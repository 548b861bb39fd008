"""Passkeys: whoever made one signs in with it, and nothing forged, replayed, borrowed or copied does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select, text

from access.passkey_proof import Site, challenge_of, site_of
from access.people import NewPerson
from access.tables import Passkey, Person, Role, SignInFlow, WebSession
from audit.events import Event
from audit.growth import LeafRow
from conversations.line import Doors
from conversations.rota import suspend
from conversations.tables import Outbox
from conversations.work import Work
from tests.authenticator import UP, UV, Device, altered, to_bytes, to_text
from tests.house import TEAM, House, new_house
from tests.test_console import Client, Pages

BOTH = {"ruth": NewPerson("N-300", "Ruth Example", "Example Trust", frozenset({Role.IDVA, Role.IDVA_LEAD}))}
HERE = Doors(public_url="http://localhost:8000")
LAST = "It is the last way you have of signing in by yourself."


class Keys(Pages):
    """The pages, and browsers with passkeys before them."""

    def __init__(self, house: House, assets: Path) -> None:
        self._browsers: list[Client] = []
        super().__init__(house, assets)

    def browser(self, name: str | None = None, role: Role = Role.OFFICER) -> Client:
        """Another browser; somebody came in there by a one-time link."""
        made = Client(self.client.app)
        self._browsers.append(made)
        if name is not None:
            assert made.post("/sign-in", data={"code": self.code(name, role)}).status_code == 303
        return made

    def close(self) -> None:
        """All browsers."""
        for one in [self.client, *self._browsers]:
            one.close()

    def asked(self, browser: Client, role: Role | None = None) -> dict[str, Any]:
        """What the browser is asked: to sign in, or in this role to add one."""
        path = f"/account/{role.value}/passkeys" if role else "/sign-in/passkey"
        answer = browser.post(f"{path}/options")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def add(self, browser: Client, answer: object, role: Role = Role.OFFICER) -> httpx.Response:
        """A device's answer, to add it."""
        return browser.post(f"/account/{role.value}/passkeys", data={"answer": _written(answer)})

    def show(self, browser: Client, answer: object) -> httpx.Response:
        """A device's answer, to sign in."""
        return browser.post("/sign-in/passkey", data={"answer": _written(answer)})

    def added(self, name: str = "officer1", role: Role = Role.OFFICER, **more: Any) -> Device:
        """Somebody's passkey, added in a browser of its own."""
        device, browser = Device(**more), self.browser(name, role)
        answer = self.add(browser, device.create(self.asked(browser, role)), role)
        assert answer.status_code == 303, answer.text
        return device

    def enter(self, device: Device, browser: Client | None = None) -> httpx.Response:
        """The whole way of signing in."""
        browser = browser or self.browser()
        return self.show(browser, device.get(self.asked(browser)))

    def told(self, event: Event) -> list[dict[str, Any]]:
        """Actor and facts of each leaf of one kind."""
        query = select(LeafRow.data).where(LeafRow.event == event.label).order_by(LeafRow.index)
        leaves = self.house.do(lambda work: [json.loads(data) for data in work.session.scalars(query)])
        return [{"by": self.house.name(leaf["actor"])} | leaf["facts"] for leaf in leaves]

    def count(self, table: type[Passkey | WebSession | SignInFlow]) -> int:
        """How many rows."""
        return self.house.do(lambda work: work.session.scalar(select(func.count()).select_from(table)) or 0)


def _written(answer: object) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer)


def is_refused(answer: httpx.Response, browser: Client) -> bool:
    """The one page of refusal."""
    return (
        answer.status_code == 403
        and "That passkey did not work" in answer.text
        and "lanyard-away" not in (browser.cookies)
    )


def main_of(answer: httpx.Response) -> str:
    """What the page says."""
    return answer.text.split("<main")[1].split("</main>")[0]


@pytest.fixture
def keys(make_house: Callable[..., House], tmp_path: Path) -> Iterator[Keys]:
    """On each kind of database."""
    made = Keys(make_house(doors=HERE, team=TEAM | BOTH), tmp_path)
    yield made
    made.close()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Keys]:
    """In memory."""
    made = Keys(new_house(doors=HERE, team=TEAM | BOTH), tmp_path)
    yield made
    made.close()


# --- what works ---------------------------------------------------------------------------------------


def test_a_passkey_signs_its_person_in(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    answer = keys.enter(device, browser)
    assert answer.headers["location"] == "/chat"
    assert browser.get("/chat").status_code == 200
    first = browser.cookies["lanyard-officer"]
    assert keys.enter(device, browser).headers["location"] == "/chat"
    assert browser.cookies["lanyard-officer"] != first
    (added,) = keys.told(Event.PASSKEY_ADDED)
    assert added == {"by": "officer1", "passkey": added["passkey"], "kind": "device"}
    assert keys.told(Event.SIGNED_IN)[-1] == {"by": "officer1", "role": "officer", "passkey": added["passkey"]}
    assert keys.count(SignInFlow) == 0


def test_it_counts_as_signing_in_for_the_shift_and_prolongs_the_lease(quick: Keys) -> None:
    device = quick.added()
    quick.house.clock.forward(days=20)
    quick.enter(device)
    person = quick.house.do(lambda work: work.session.get_one(Person, quick.house.id("officer1")))
    assert person.signed_in_at == quick.house.clock()
    assert person.lease_until == quick.house.clock() + quick.house.line.policy.lease


def test_somebody_of_several_roles_chooses_one(keys: Keys) -> None:
    device, browser = keys.added("ruth", Role.IDVA), keys.browser()
    code = keys.enter(device, browser).text.split('name="code" value="')[1].split('"')[0]
    answer = browser.post("/sign-in/role", data={"code": code, "role": "idva_lead"})
    assert answer.headers["location"] == "/board/idva_lead"
    ways = keys.house.do(lambda work: set(work.session.scalars(select(WebSession.way))))
    assert ways == {"link", "passkey"}


def test_what_the_browser_is_asked(quick: Keys) -> None:
    quick.added()
    browser = quick.browser("officer1")
    asked = quick.asked(browser, Role.OFFICER)
    assert asked["rp"] == {"id": "localhost", "name": "Lanyard"}
    assert asked["attestation"] == "none"
    chosen = asked["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["requireResidentKey"], chosen["userVerification"]) == (
        "required",
        True,
        "required",
    )
    assert [one["id"] for one in asked["excludeCredentials"]] == [to_text(Device().id)]
    assert "Example" not in json.dumps(asked)  # no name leaves the house
    asked = quick.asked(quick.browser())
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == ("localhost", "required", [])
    assert asked["timeout"] == 300_000


def test_a_synced_passkey_that_never_counts_signs_in_each_time(quick: Keys) -> None:
    device = quick.added(step=0)
    for _ in range(3):
        assert quick.enter(device).headers["location"] == "/chat"


def test_a_person_has_ten_at_most(quick: Keys) -> None:
    for number in range(10):
        quick.added(id=bytes([number]) * 16)
    browser = quick.browser("officer1")
    assert is_refused(browser.post("/account/officer/passkeys/options"), browser)
    assert "as many as one person can have" in browser.get("/account/officer").text


# --- forged: signing in -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forged:
    """An answer that is not right: how the device differs, what is changed after it signed, what the trail says."""

    device: Callable[[Device], Device] = lambda device: device
    after: Callable[[dict[str, Any]], object] = lambda answer: answer
    why: str = "not proven"


def flipped(at: int) -> Callable[[bytes], bytes]:
    """One bit changed."""
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def saying(**said: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The answer with other fields."""
    return lambda answer: answer | said


def responding(**said: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The answer with another response in it."""
    return lambda answer: answer | {"response": answer["response"] | said}


def differing(**fields: Any) -> Callable[[Device], Device]:
    """The device with this changed."""
    return lambda device: replace(device, **fields)


ALIKE = {
    "another site": Forged(differing(origin="http://evil.example")),
    "a site that begins alike": Forged(differing(origin="http://localhost:8000.evil.example")),
    "another port": Forged(differing(origin="http://localhost:8001")),
    "another scheme": Forged(differing(origin="https://localhost:8000")),
    "a list of sites": Forged(differing(client={"origin": ["http://localhost:8000"]})),
    "for another host": Forged(differing(host="evil.example")),
    "nobody asked who holds it": Forged(differing(flags=UP)),
    "nobody there": Forged(differing(flags=UV)),
    "framed": Forged(differing(client={"crossOrigin": True})),
    "a challenge of its own": Forged(differing(client={"challenge": to_text(bytes(32))})),
    "no challenge": Forged(differing(client={"challenge": ""})),
    "a challenge that is a number": Forged(differing(client={"challenge": 1})),
    "made for something else": Forged(differing(client={"type": "payment.get"})),
    "client data that is none": Forged(after=responding(clientDataJSON=to_text(b"\xff\xfe"))),
    "two ids": Forged(after=saying(id=to_text(b"another"))),
    "not base64": Forged(after=saying(rawId="\u2603")),
    "another type": Forged(after=saying(type="password")),
    "no response": Forged(after=saying(response=None)),
    "empty": Forged(after=lambda _: ""),
    "null": Forged(after=lambda _: "null"),
    "a list": Forged(after=lambda _: "[]"),
    "an empty object": Forged(after=lambda _: "{}"),
    "deep": Forged(after=lambda _: "[" * 16_000),
    "half a character": Forged(after=lambda _: '{"id": "\\ud800", "rawId": "\\ud800"}'),
}
SIGNING_IN = ALIKE | {
    "another key": Forged(differing(key=ec.generate_private_key(ec.SECP256R1()))),
    "another signature": Forged(after=lambda answer: altered(answer, "signature", flipped(20))),
    "no signature": Forged(after=responding(signature="")),
    "altered client data": Forged(after=lambda answer: altered(answer, "clientDataJSON", lambda data: data + b" ")),
    "an altered count": Forged(after=lambda answer: altered(answer, "authenticatorData", flipped(36))),
    "cut short": Forged(after=lambda answer: altered(answer, "authenticatorData", lambda data: data[:30])),
    "unknown": Forged(differing(id=b"unknown"), why="unknown"),
    "no holder": Forged(differing(holder=None), why="not theirs"),
    "another holder": Forged(differing(holder=b"officer2".ljust(32, b"_")), why="not theirs"),
    "the count goes back": Forged(differing(count=1), why="copied"),
    "the count stays": Forged(differing(count=4), why="copied"),
    "the count goes to none": Forged(differing(count=0, step=0), why="copied"),
    "a count before, unsigned": Forged(after=lambda answer: altered(answer, "authenticatorData", flipped(34))),
}


@pytest.mark.parametrize("name", SIGNING_IN)
def test_forged_answers_sign_nobody_in(quick: Keys, name: str) -> None:
    forged, device = SIGNING_IN[name], quick.added(count=4)
    assert quick.enter(device).status_code == 303  # it counts to 5
    before, browser = quick.count(WebSession), quick.browser()
    answer = quick.show(browser, forged.after(forged.device(device).get(quick.asked(browser))))
    assert is_refused(answer, browser)
    assert quick.count(WebSession) == before
    assert [leaf["why"] for leaf in quick.told(Event.PASSKEY_REFUSED)] == [forged.why]
    assert quick.enter(replace(device, count=9)).status_code == 303  # and the right one still works


# --- forged: adding -----------------------------------------------------------------------------------

ADDING = ALIKE | {
    "cut short": Forged(after=lambda answer: altered(answer, "attestationObject", lambda data: data[:-20])),
    "attested by a format nobody knows": Forged(
        after=lambda answer: altered(answer, "attestationObject", lambda data: data.replace(b"none", b"nope"))
    ),
    "no id": Forged(differing(id=b"")),
    "a long id": Forged(differing(id=b"x" * 1_024)),
    "somebody's already": Forged(differing(id=b"of somebody else"), why="taken"),
}


@pytest.mark.parametrize("name", ADDING)
def test_forged_answers_add_nothing(quick: Keys, name: str) -> None:
    quick.added("officer2", id=b"of somebody else")
    forged, browser = ADDING[name], quick.browser("officer1")
    answer = quick.add(browser, forged.after(forged.device(Device()).create(quick.asked(browser, Role.OFFICER))))
    assert is_refused(answer, browser)
    assert quick.count(Passkey) == 1
    assert quick.told(Event.PASSKEY_REFUSED) == [{"by": "officer1", "why": forged.why}]


# --- replayed, borrowed, expired ------------------------------------------------------------------------


def test_an_answer_works_once(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    answer = device.get(keys.asked(browser))
    away = browser.cookies["lanyard-away"]
    assert keys.show(browser, answer).status_code == 303
    other = keys.browser()
    other.cookies.set("lanyard-away", away)
    assert keys.show(other, answer).status_code == 403
    # Nor does a fresh signature in answer to the same question.
    assert keys.show(other, device.get({"challenge": to_text(challenge_of(away))})).status_code == 403
    assert "lanyard-officer" not in other.cookies


def test_a_refused_answer_uses_the_challenge_up(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    asked = keys.asked(browser)
    away = browser.cookies["lanyard-away"]
    assert is_refused(keys.show(browser, "{}"), browser)
    browser.cookies.set("lanyard-away", away)
    assert keys.show(browser, device.get(asked)).status_code == 403


def test_an_answer_after_five_minutes_is_too_late(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    asked = keys.asked(browser)
    keys.house.clock.forward(minutes=5)
    assert is_refused(keys.show(browser, device.get(asked)), browser)
    browser = keys.browser("officer2")
    asked = keys.asked(browser, Role.OFFICER)
    keys.house.clock.forward(minutes=5)
    assert is_refused(keys.add(browser, Device(id=b"another").create(asked)), browser)


def test_another_browsers_challenge_signs_nobody_in(quick: Keys) -> None:
    device, mine, theirs = quick.added(), quick.browser(), quick.browser()
    asked = quick.asked(theirs)
    quick.asked(mine)
    assert is_refused(quick.show(mine, device.get(asked)), mine)
    bare = quick.browser()
    assert is_refused(quick.show(bare, device.get(asked)), bare)
    assert quick.show(theirs, device.get(asked)).status_code == 303  # and nothing of theirs is spoilt


@pytest.mark.parametrize("cookie", ["", "x", "x" * 4_000])
def test_a_cookie_that_is_none_signs_nobody_in(quick: Keys, cookie: str) -> None:
    device, browser = quick.added(), quick.browser()
    browser.cookies.set("lanyard-away", cookie)
    answer = device.get({"challenge": to_text(challenge_of(cookie))})
    assert quick.show(browser, answer).status_code == 403
    assert not quick.told(Event.PASSKEY_REFUSED)  # made up without a question: no reason to write to the trail


def test_an_answer_to_the_other_question_is_refused(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser("officer1")
    other = Device(id=b"another")
    made = other.create(quick.asked(browser, Role.OFFICER))
    assert is_refused(quick.show(browser, made), browser)  # made to be added, shown to sign in
    assert is_refused(quick.show(browser, device.get(quick.asked(browser, Role.OFFICER))), browser)
    asked = quick.asked(browser)
    assert is_refused(quick.add(browser, device.get(asked)), browser)
    asked = quick.asked(browser) | {"user": {"id": to_text(quick.house.id("officer1").encode())}}
    assert is_refused(quick.add(browser, other.create(asked)), browser)
    browser.post("/sign-in/passkey/options")
    assert quick.count(Passkey) == 1


def test_the_answer_of_another_kind_under_a_right_challenge_is_refused(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser("officer1")
    asked = quick.asked(browser)
    made = replace(device, id=b"new").create(asked | {"user": {"id": to_text(b"x")}})
    assert is_refused(quick.show(browser, made), browser)
    assert is_refused(quick.add(browser, device.get(quick.asked(browser, Role.OFFICER))), browser)


def test_another_persons_session_adds_nothing_to_mine(keys: Keys) -> None:
    mine, theirs = keys.browser("officer1"), keys.browser("officer2")
    made = Device().create(keys.asked(theirs, Role.OFFICER))
    assert is_refused(keys.add(mine, made), mine)
    mine.cookies.set("lanyard-away", theirs.cookies["lanyard-away"])
    assert keys.add(mine, made).status_code == 403  # their whole question, in my session
    assert keys.count(Passkey) == 0


def test_another_session_of_the_same_person_adds_nothing(quick: Keys) -> None:
    first, second = quick.browser("officer1"), quick.browser("officer1")
    made = Device().create(quick.asked(first, Role.OFFICER))
    second.cookies.set("lanyard-away", first.cookies["lanyard-away"])
    assert quick.add(second, made).status_code == 403


def test_only_a_session_of_a_one_time_link_adds_one(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser()
    quick.enter(device, browser)
    assert is_refused(browser.post("/account/officer/passkeys/options"), browser)
    page = browser.get("/account/officer").text
    assert "sign in with a one-time link" in page
    assert "data-passkey" not in page


def test_adding_ends_with_the_session_that_began_it(quick: Keys) -> None:
    browser = quick.browser("officer1")
    made = Device().create(quick.asked(browser, Role.OFFICER))
    browser.post("/sign-out/officer")
    assert quick.add(browser, made).headers["location"] == "/"
    assert quick.count(Passkey) == 0


def test_another_site_can_begin_nothing(quick: Keys) -> None:
    browser = quick.browser("officer1")
    for path in ("/account/officer/passkeys", "/account/officer/passkeys/options", "/sign-in/passkey/options"):
        assert browser.post(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert quick.count(SignInFlow) == 0


# --- refused: who may not --------------------------------------------------------------------------------


def test_somebody_suspended_is_refused_with_the_words_of_every_refusal(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    unknown = main_of(keys.enter(replace(device, id=b"unknown")))
    keys.house.do(lambda work: suspend(work, keys.house.id("officer1"), "line"))
    before, answer = keys.count(WebSession), keys.enter(device, browser)
    assert is_refused(answer, browser)
    assert main_of(answer) == unknown
    assert keys.count(WebSession) == before
    assert keys.told(Event.PASSKEY_REFUSED)[-1]["why"] == "shut"


def test_somebody_suspended_while_choosing_a_role_is_refused(quick: Keys) -> None:
    device, browser = quick.added("ruth", Role.IDVA), quick.browser()
    code = quick.enter(device, browser).text.split('name="code" value="')[1].split('"')[0]
    quick.house.do(lambda work: suspend(work, quick.house.id("ruth"), "line"))
    assert browser.post("/sign-in/role", data={"code": code, "role": "idva"}).status_code == 403


def test_somebody_whose_lease_has_run_out_is_refused(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser()
    quick.house.clock.forward(days=quick.house.line.policy.lease_days + 1)
    assert is_refused(quick.enter(device, browser), browser)


def test_what_is_refused_is_answered_alike(quick: Keys) -> None:
    device, answers = quick.added(count=4), []
    quick.enter(device)
    for forged in SIGNING_IN.values():
        browser = quick.browser()
        answers.append(quick.show(browser, forged.after(forged.device(replace(device)).get(quick.asked(browser)))))
    answers.append(quick.show(quick.browser(), "{}"))
    headers = {(answer.status_code, answer.headers["set-cookie"].split("; expires")[0]) for answer in answers}
    assert len({main_of(answer) for answer in answers}) == len(headers) == 1


def test_strangers_cannot_fill_the_trail(quick: Keys) -> None:
    browser = quick.browser()
    for _ in range(25):
        quick.asked(browser)
        quick.show(browser, "{}")
    assert len(quick.told(Event.PASSKEY_REFUSED)) == 20
    quick.house.clock.forward(minutes=1)
    quick.asked(browser)
    quick.show(browser, "{}")
    assert len(quick.told(Event.PASSKEY_REFUSED)) == 21


# --- the account page, and what people are told ------------------------------------------------------------


def test_the_account_lists_ones_own_and_removes_them(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser("officer1")
    page = browser.get("/account/officer").text
    assert "Passkey of one device" in page
    assert "not used yet" in page
    keys.enter(device)
    page = browser.get("/account/officer").text
    assert "last used" in page.split('id="passkeys"')[1].split("<h2")[0]
    path = page.split("/passkeys/")[1].split('"')[0]
    address = f"/account/officer/passkeys/{path}"
    assert LAST in browser.get(address).text
    assert browser.post(address).headers["location"] == "/account/officer"
    assert keys.count(Passkey) == 0
    assert [leaf["by"] for leaf in keys.told(Event.PASSKEY_REMOVED)] == ["officer1"]
    assert keys.enter(device).status_code == 403
    assert browser.get(address).headers["location"] == "/account/officer"


def test_a_second_one_is_not_the_last_way(quick: Keys) -> None:
    quick.added()
    quick.added(id=b"another")
    browser = quick.browser("officer1")
    path = browser.get("/account/officer").text.split("/passkeys/")[1].split('"')[0]
    assert LAST not in browser.get(f"/account/officer/passkeys/{path}").text


def test_nobody_removes_anothers(keys: Keys) -> None:
    device, theirs = keys.added(), keys.browser("officer2")
    handle = keys.told(Event.PASSKEY_ADDED)[0]["passkey"]
    assert theirs.get(f"/account/officer/passkeys/{handle}/remove").status_code == 303
    theirs.post(f"/account/officer/passkeys/{handle}/remove")
    assert keys.count(Passkey) == 1
    assert not keys.told(Event.PASSKEY_REMOVED)
    assert keys.enter(device).status_code == 303


def test_its_person_is_told_when_one_comes_goes_or_was_copied(tmp_path: Path) -> None:
    told = Keys(new_house(doors=replace(HERE, telegram=True), team=TEAM), tmp_path)
    device = told.added(count=4)
    told.enter(replace(device, count=0))
    browser = told.browser("officer1")
    path = browser.get("/account/officer").text.split("/passkeys/")[1].split('"')[0]
    browser.post(f"/account/officer/passkeys/{path}")

    def read(work: Work) -> list[tuple[str | None, str]]:
        rows = list(work.session.scalars(select(Outbox).order_by(Outbox.seq)))
        bodies = [work.open_words("outbox", "body", row.id, row.scope, row.body) for row in rows if row.body]
        return [
            (told.house.name(row.person_id), json.loads(body)["text"]) for row, body in zip(rows, bodies, strict=True)
        ]

    said = told.house.do(read)
    told.close()
    assert {name for name, _ in said} == {"officer1"}
    assert [words.split(" Lanyard")[0] for _, words in said] == [
        "A passkey was added to your account at",
        "Somebody tried to sign in to",
        "A passkey was removed from your account at",
    ]


# --- what is kept, and where passkeys are ------------------------------------------------------------------


def test_nothing_that_is_kept_finishes_a_sign_in(keys: Keys) -> None:
    keys.added()
    browser = keys.browser()
    asked = keys.asked(browser)
    away = browser.cookies["lanyard-away"]
    assert to_bytes(asked["challenge"]) == challenge_of(away)
    with keys.house.work() as work:
        tables = ("sign_in_flow", "passkey", "web_session", "leaf")
        kept = [str(tuple(row)) for one in tables for row in work.session.execute(text(f"SELECT * FROM {one}"))]
    for word in (away, asked["challenge"], challenge_of(away).hex()):
        assert not [row for row in kept if word in row]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://line.example", Site("https://line.example", "line.example")),
        ("https://Line.Example:443/", Site("https://line.example", "line.example")),
        ("https://line.example:8443/", Site("https://line.example:8443", "line.example")),
        ("http://localhost:8000", Site("http://localhost:8000", "localhost")),
        ("http://line.example", None),
        ("http://127.0.0.1:8000", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_passkeys_are_bound_to_the_lines_own_address(address: str, expected: Site | None) -> None:
    assert site_of(address) == expected


def test_where_browsers_keep_no_passkeys_none_are_offered(tmp_path: Path) -> None:
    bare = Keys(new_house(team=TEAM), tmp_path)
    browser = bare.browser("officer1")
    assert "data-passkey" not in browser.get("/").text
    assert "Browsers keep no passkeys" in browser.get("/account/officer").text
    for path in ("/sign-in/passkey", "/account/officer/passkeys"):
        assert browser.post(f"{path}/options").status_code == 403
        assert browser.post(path, data={"answer": "{}"}).status_code == 403
    bare.close()


def test_without_javascript_the_pages_say_so_and_name_the_other_ways(quick: Keys) -> None:
    browser = quick.browser("officer1")
    for path in ("/", "/account/officer"):
        page = browser.get(path).text
        assert "Passkeys need JavaScript" in page
        assert "ne-time link" in page
        assert 'passkeys" hidden>' in page or 'passkey" hidden>' in page
