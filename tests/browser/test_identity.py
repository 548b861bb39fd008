"""From a one-time link to a linked account and in by it, in a real browser and at a real provider."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Practice, free_port, sign_in, start_practice, stop_practice
from tests.browser.test_pages import complaints
from tests.identity_provider import real_provider

pytestmark = pytest.mark.browser


@pytest.fixture
def linked_practice(tmp_path: Path) -> Iterator[Practice]:
    """A practice line that knows that provider."""
    secret = tmp_path / "secret"
    secret.write_text("anything")
    secret.chmod(0o600)
    with real_provider() as issuer:
        known = {"name": "force", "title": "Example Constabulary", "issuer": issuer, "client_id": "lanyard"}
        gone = known | {"name": "trust", "title": "Example Trust", "issuer": "http://127.0.0.1:9"}
        providers = json.dumps([one | {"client_secret_file": str(secret)} for one in (known, gone)])
        running = start_practice(tmp_path / "practice", free_port(), PROVIDERS=providers)
        yield running
        stop_practice(running)


def at_the_provider(page: Page, subject: str) -> None:
    """Say there who one is."""
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def link_account(window: BrowserContext, link: str) -> list[str]:
    """By a one-time link to a linked account, and out again; what there was to object to."""
    found: list[str] = []
    officer = sign_in(window, link)
    officer.get_by_role("link", name="Account").click()
    officer.get_by_role("link", name="Your force or trust sign-in").click()
    found += complaints(officer, "not linked")
    officer.get_by_role("button", name="Link Example Constabulary").click()
    found += complaints(officer, "going there")
    officer.get_by_role("link", name="Go on to Example Constabulary").click()
    at_the_provider(officer, "pc-1234-at-the-force")
    expect(officer.get_by_text("Linked since")).to_be_visible()
    found += complaints(officer, "linked")
    officer.get_by_role("button", name="Sign out").click()
    expect(officer.get_by_role("heading", name="Lanyard")).to_be_visible()
    return found


@pytest.mark.timeout(240)
def test_from_a_one_time_link_to_signing_in_with_ones_own_account(linked_practice: Practice, browser: Browser) -> None:
    window = browser.new_context()
    found = link_account(window, linked_practice.link("officer"))
    other = browser.new_context()
    page = other.new_page()
    page.goto(f"http://127.0.0.1:{linked_practice.port}/")
    found += complaints(page, "start")
    page.get_by_role("link", name="Sign in with Example Constabulary").click()
    at_the_provider(page, "somebody-else")
    expect(page.get_by_role("heading", name="That sign-in did not work")).to_be_visible()
    found += complaints(page, "refused")
    page.get_by_role("link", name="Start page").click()
    page.get_by_role("link", name="Sign in with Example Constabulary").click()
    at_the_provider(page, "pc-1234-at-the-force")
    expect(page.get_by_label("Write your question")).to_be_visible()
    assert page.url.endswith("/chat")
    found += complaints(page, "chat")

    with closing(sqlite3.connect(linked_practice.folder / "data" / "lanyard.db")) as database, database:
        database.execute("INSERT INTO person_role SELECT identity.person_id, 'curator' FROM identity")
    page.goto(f"http://127.0.0.1:{linked_practice.port}/")
    page.get_by_role("link", name="Sign in with Example Constabulary").click()
    at_the_provider(page, "pc-1234-at-the-force")
    expect(page.get_by_role("heading", name="In which role?")).to_be_visible()
    found += complaints(page, "choosing")
    page.get_by_role("button", name="curator").click()
    expect(page).to_have_url(re.compile("/catalogue/curator"))
    page.goto(f"http://127.0.0.1:{linked_practice.port}/")
    page.get_by_role("link", name="Sign in with Example Trust").click()
    expect(page.get_by_role("heading", name="does not answer")).to_be_visible()
    found += complaints(page, "away")
    window.close()
    other.close()
    assert found == []
