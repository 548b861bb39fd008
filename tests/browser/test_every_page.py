"""Every page that anybody can come to by a link, in every role: axe finds nothing, and no page is left out.

The list of pages is the application's own; what is no page of people's is listed with its reason. Small, each page is
looked at in one of the four ways (light and dark, 320 px and 1280 px) in turn; in full in all four.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from access.tables import Role
from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import SIZES, ask
from tests.house import new_house
from tests.test_console import Pages, routes_of

pytestmark = pytest.mark.browser
FULL = os.environ.get("LANYARD_PROVE") == "full"
HREFS = "all => all.map(one => one.getAttribute('href'))"
WAYS = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]
NO_PAGE = {
    "/board/{role}/live": "a part of the board",
    "/chat/list": "a part of the chat",
    "/chat/{ref}/messages": "a part of the chat",
    "/desk/offers": "a part of the desk",
    "/desk/{ref}/messages": "a part of the desk",
    "/live/{role}": "server-sent events",
    "/board": "an older address, which goes on to one's own",
    "/healthz": "for machines",
    "/readyz": "for machines",
    "/service-worker.js": "a script",
    "/rota/{role}/rota.csv": "a file",
    "/rota/{role}/shift/{shift_id}": "once there is one to come: test_rota",
    "/offline": "shown without a network: test_pages",
    "/sign-in/{code}": "a one-time link: test_pages",
    "/": "where nobody is signed in: test_pages",
    "/sign-in/with/{name}": "goes on to a provider: test_identity",
    "/sign-in/with/{name}/return": "comes back from one: test_identity",
    "/glass/{role}/{ref}": "once somebody has broken the glass: test_secrecy",
    "/review/{role}/{ref}": "once it is on a list: test_review",
    "/identity/{role}": "once there is a provider: test_identity",
    "/mini-app": "inside Telegram: test_mini_app",
    "/mini-app/{ref}": "inside Telegram: test_mini_app",
    "/mini-app/with/{name}": "inside Telegram: test_mini_app",
    "/account/{role}/passkeys/{handle}/remove": "once there is a passkey: test_passkeys",
}


@pytest.fixture
def pages(tmp_path: Path) -> Callable[[str], str | None]:
    """Gives the route of a path, where it is a page. Asked before the browser starts, which has a loop of its own."""
    made = Pages(new_house(), tmp_path)
    routes = [one for one in routes_of(made.client.app) if "GET" in (one.methods or ())]
    made.client.close()
    wanted = {one.path: one for one in routes if not one.path.startswith("/open-referral") and one.path not in NO_PAGE}

    def route(path: str) -> str | None:
        found = [name for name, one in wanted.items() if one.path_regex.match(path)]
        return min(found, key=lambda name: name.count("{"), default=None)

    route.wanted = set(wanted)  # type: ignore[attr-defined]
    return route


class Walk:
    """Somebody who follows every link once for each kind of page, and looks at what comes."""

    def __init__(self, route: Callable[[str], str | None]) -> None:
        self._route = route
        self._turn = count()
        self.seen: dict[str, set[str]] = {}  # roles by route
        self.found: list[str] = []

    def through(self, page: Page, role: str, home: str) -> None:
        """From the page they come to when they have signed in."""
        waiting, known = [home], set[str]()
        page.on("console", lambda said: self._said(role, said))
        while waiting:
            address = waiting.pop(0)
            route = self._route(urlsplit(address).path)
            if route is None or route in known:
                continue
            known.add(route)
            answer = page.goto(address)
            assert answer is not None
            if answer.status != 200 or "text/html" not in answer.headers["content-type"]:
                self.found.append(f"{role} {address}: {answer.status}")
                continue
            self.seen.setdefault(route, set()).add(role)
            self._look(page, f"{role} {route}")
            links = page.locator("a[href]:not([download])").evaluate_all(HREFS)
            waiting += [urljoin(address, link) for link in links if link.startswith(("/", "?"))]

    def _said(self, role: str, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.found.append(f"{role} console: {said.text}")

    def _look(self, page: Page, name: str) -> None:
        for (width, height), scheme in WAYS if FULL else [WAYS[next(self._turn) % len(WAYS)]]:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.wait_for_timeout(100)
            violations = Axe().run(page).response["violations"]
            way = f"{name} {width} {scheme}"
            self.found += [f"{way}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in violations]
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                self.found.append(f"{name} {width}: {wide} px wide")


def something_of_everything(officer: Page, desk: Page) -> None:
    """One consultation that ended with advice after a red flag, one that is held, with a note, and one that waits."""
    ask(officer, "He put his hands round her neck. What now?")
    take(desk)
    desk.get_by_text(re.compile("Give advice in")).click()
    desk.get_by_label("Advice with concern").check()
    desk.get_by_label("What to do now").fill("Ambulance now.")
    desk.get_by_label("Who to tell, and by when").fill("The DS, now.")
    desk.get_by_role("button", name="Send advice").click()
    officer.get_by_role("button", name="Understood").click()
    expect(officer.get_by_text("Receipt")).to_be_visible(timeout=5_000)
    officer.goto(urljoin(officer.url, "/chat"))
    ask(officer, "Can she stay in the house tonight?")
    take(desk)
    officer.goto(urljoin(officer.url, "/chat"))
    ask(officer, "And her dog?")


def take(desk: Page) -> None:
    desk.reload()
    desk.get_by_role("button", name=re.compile("^(Accept|Take) ")).first.click()
    expect(desk.get_by_label(re.compile("Write to"))).to_be_visible(timeout=5_000)


@pytest.mark.prove
@pytest.mark.timeout(900 if FULL else 240)
def test_no_page_in_any_role_has_anything_to_object_to(
    pages: Callable[[str], str | None], practice: Practice, browser: Browser
) -> None:
    walk = Walk(pages)
    off_duty = sign_in(browser.new_context(), practice.link("idva"))
    off_duty.get_by_role("button", name="Go off duty").click()
    people = {role.value: sign_in(browser.new_context(), practice.link(role.value)) for role in Role}
    homes = {role: page.url for role, page in people.items()}
    something_of_everything(people["officer"], people["idva"])
    for role, page in people.items():
        walk.through(page, role, homes[role])
    assert walk.found == []
    left_out = sorted(pages.wanted - walk.seen.keys())  # type: ignore[attr-defined]
    assert left_out == [], "pages nobody comes to by a link"
