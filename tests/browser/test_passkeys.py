"""A passkey is added and signs in, in a real browser with a device of its own: by hand, by keyboard, and refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.browser.conftest import ROOT, Practice, free_port, sign_in, start_practice, stop_practice
from tests.browser.test_pages import complaints

pytestmark = pytest.mark.browser

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def named_practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A practice line at an address for which browsers keep passkeys. Each test is somebody else there."""
    port = free_port()
    running = start_practice(tmp_path_factory.mktemp("line") / "practice", port, PUBLIC_URL=f"http://localhost:{port}")
    yield running
    stop_practice(running)


def with_device(window: BrowserContext, page: Page) -> tuple[CDPSession, str]:
    """A device in this window."""
    wire = window.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    return wire, wire.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]


def press(page: Page, name: str) -> None:
    """Come to a button by keyboard, and press it."""
    page.locator("main").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no key leads to {name}")


def link_by_command(practice: Practice, staff_id: str, role: str) -> str:
    """As whoever installs a line gets its first administrator in."""
    settings = {
        "DATABASE": f"sqlite:///{practice.folder / 'data' / 'lanyard.db'}",
        "KEY_FILE": str(practice.folder / "keys" / "lanyard.key"),
        "PUBLIC_URL": f"http://localhost:{practice.port}",
        "PRACTICE": "true",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LANYARD_")}
    done = subprocess.run(
        [sys.executable, "-m", "lanyard", "people", "link", staff_id, role],
        cwd=ROOT,
        env=environment | {f"LANYARD_{name}": value for name, value in settings.items()},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.timeout(120)
def test_the_first_administrator_comes_in_by_the_command_line_once_and_then_by_a_passkey(
    named_practice: Practice, browser: Browser
) -> None:
    window = browser.new_context()
    page = sign_in(window, link_by_command(named_practice, "A-600", "admin"))
    with_device(window, page)
    page.get_by_role("link", name="Account").click()
    press(page, "Add a passkey")
    expect(page.get_by_text("not used yet")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/people/admin"))
    window.close()


@pytest.mark.timeout(240)
def test_from_a_one_time_link_to_signing_in_with_a_passkey(named_practice: Practice, browser: Browser) -> None:
    window = browser.new_context()
    page = sign_in(window, named_practice.link("officer"))
    wire, device = with_device(window, page)
    page.get_by_role("link", name="Account").click()
    found = complaints(page, "none yet")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("not used yet")).to_be_visible()
    found += complaints(page, "added")
    (held,) = wire.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert (held["rpId"], held["isResidentCredential"]) == ("localhost", True)

    # The device has one of this person's already: no second one is made.
    page.get_by_role("button", name="Add another passkey").click()
    expect(page.get_by_role("status").get_by_text("This device has one of your passkeys already.")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    found += complaints(page, "start")
    press(page, "Sign in with a passkey")
    expect(page.get_by_label("Write your question")).to_be_visible()
    assert page.url.endswith("/chat")
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_text("last used", exact=False).first).to_be_visible()
    found += complaints(page, "used")

    page.get_by_role("link", name="Remove the passkey of one device").click()
    expect(page.get_by_text("It is the last way you have of signing in by yourself.")).to_be_visible()
    found += complaints(page, "removing")
    page.get_by_role("button", name="Remove this passkey").click()
    expect(page.get_by_text("You have none.")).to_be_visible()

    # The device still holds it; here it is nobody's.
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="That passkey did not work")).to_be_visible()
    found += complaints(page, "refused")
    window.close()
    assert found == []


@pytest.mark.timeout(180)
def test_without_a_finger_or_a_device_nobody_comes_in_and_the_page_says_so(
    named_practice: Practice, browser: Browser
) -> None:
    window = browser.new_context()
    page = sign_in(window, named_practice.link("officer"))
    wire, device = with_device(window, page)
    wire.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status").get_by_text("No passkey was used.")).to_be_visible()
    expect(page.get_by_text("You have none.")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("status").get_by_text("No passkey was used.")).to_be_visible()
    page.route("**/sign-in/passkey/options", lambda route: route.abort())
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("status").get_by_text("That could not be begun.")).to_be_visible()
    window.close()


@pytest.mark.timeout(120)
def test_without_javascript_the_other_ways_are_named(named_practice: Practice, browser: Browser) -> None:
    window = browser.new_context(java_script_enabled=False)
    page = window.new_page()
    page.goto(f"http://localhost:{named_practice.port}/")
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    page.goto(named_practice.link("idva"))
    page.get_by_role("button", name="Sign in as").click()
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_text("One-time links let you in without.")).to_be_visible()
    window.close()
