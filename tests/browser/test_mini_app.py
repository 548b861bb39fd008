"""From the message in Telegram to one's question inside it, in a real browser, at a real provider, over https."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.botapi import BotApi, Person
from tests.browser.conftest import Practice, free_port, sign_in, start_practice, stop_practice
from tests.browser.test_identity import at_the_provider
from tests.browser.test_pages import ask, complaints
from tests.certificate import https_before, make_certificate
from tests.identity_provider import real_provider
from tests.init_data import BOT_TOKEN, signed

pytestmark = pytest.mark.browser

PHONE = ViewportSize(width=390, height=844)
WORDS = "He took her telephone. Is that control?"


@dataclass
class Line:
    """A practice line with a bot and a provider, on https."""

    practice: Practice
    address: str
    api: BotApi


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Running."""
    files = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.chain))
    for name, content in (("token", BOT_TOKEN), ("secret", "anything")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    port = free_port()
    with BotApi(BOT_TOKEN) as api, real_provider(files) as issuer, https_before(port, files) as secure:
        known = {"name": "force", "title": "Example Constabulary", "issuer": issuer, "client_id": "lanyard"}
        settings = {
            "PUBLIC_URL": f"https://127.0.0.1:{secure}",
            "TELEGRAM": "doorbell",
            "TELEGRAM_API": api.base_url,
            "TELEGRAM_TOKEN_FILE": str(tmp_path / "token"),
            "PROVIDERS": json.dumps([known | {"client_secret_file": str(tmp_path / "secret")}]),
        }
        running = start_practice(tmp_path / "practice", port, **settings)
        yield Line(running, settings["PUBLIC_URL"], api)
        stop_practice(running)


def enrol(line: Line, window: BrowserContext) -> tuple[Page, Person]:
    """An officer links their work account and connects their Telegram account."""
    officer = sign_in(window, line.practice.link("officer"))
    officer.goto(f"{line.address}/identity/officer")
    officer.get_by_role("button", name="Link Example Constabulary").click()
    officer.get_by_role("link", name="Go on to Example Constabulary").click()
    at_the_provider(officer, "pc-1234-at-the-force")
    expect(officer.get_by_text("Linked since")).to_be_visible()
    pat = line.api.person(501, "Pat")
    officer.goto(f"{line.address}/account/officer")
    officer.get_by_role("button", name="Connect a Telegram account").click()
    expect(officer.get_by_label("Number that the bot says")).to_be_visible()
    code = re.search(r"start[= ]([0-9a-f]{32})", officer.content())
    assert code is not None
    pat.start(code[1])
    number = re.search(r"page on which you got the link: (\d\d)", pat.wait_for("Type this number").text)
    assert number is not None
    officer.get_by_label("Number that the bot says").fill(number[1])
    officer.get_by_role("button", name="Connect", exact=True).click()
    expect(officer.get_by_text("A Telegram account is connected")).to_be_visible()
    officer.goto(f"{line.address}/chat")
    return officer, pat


def open_inside(window: BrowserContext, address: str, data: str) -> tuple[Page, list[str]]:
    """As Telegram's client opens it; also, every address that the page asks for."""
    page, asked = window.new_page(), []
    page.set_viewport_size(PHONE)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}#tgWebAppData={quote(data, safe='')}&tgWebAppVersion=9.1&tgWebAppPlatform=android")
    return page, asked


@pytest.mark.timeout(240)
def test_from_the_message_in_telegram_to_the_question_inside_it(line: Line, browser: Browser) -> None:
    desk, inside, thief = (browser.new_context(ignore_https_errors=True) for _ in range(3))
    officer, pat = enrol(line, desk)
    ref = ask(officer, WORDS)
    pat.wait_for(ref)
    assert line.api.wait_until(lambda: "Open here" in [one.label for one in pat.buttons], 10)
    assert not line.api.mentions(WORDS)
    address = pat.button("Open here").web_app
    assert address == f"{line.address}/mini-app/{ref}"

    data = signed(501, datetime.now(UTC))
    page, asked = open_inside(inside, address, data)
    expect(page.get_by_role("heading", name="Sign in to go on")).to_be_visible()
    assert page.url == f"{line.address}/mini-app"
    assert {urlsplit(one).netloc for one in asked} == {urlsplit(line.address).netloc}
    assert not [one for one in asked[1:] if "tgWebAppData" in one]
    found = complaints(page, "sign in to go on")
    page.set_viewport_size(PHONE)
    page.go_back()
    assert "tgWebApp" not in page.url  # nothing of what was signed is left behind
    page.go_forward()
    page.get_by_role("link", name="Sign in with Example Constabulary").click()
    at_the_provider(page, "pc-1234-at-the-force")
    expect(page.get_by_text(WORDS).first).to_be_visible()
    assert page.url == f"{line.address}/chat/{ref}"
    found += complaints(page, "the question")
    page.set_viewport_size(PHONE)
    page.get_by_label(f"Write on in {ref}").fill("She is with me now.")
    page.get_by_role("button", name="Send").click()
    expect(officer.get_by_text("She is with me now.").first).to_be_visible(timeout=5_000)

    stolen, _ = open_inside(thief, address, data)
    expect(stolen.get_by_role("heading", name="That sign-in did not work")).to_be_visible()
    found += complaints(stolen, "refused")
    stolen.goto(address)
    expect(stolen.get_by_text("Inside Telegram this goes on by itself")).to_be_visible()
    found += complaints(stolen, "opened outside Telegram")
    assert found == []
    for window in (desk, inside, thief):
        window.close()
