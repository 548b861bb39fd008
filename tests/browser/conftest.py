"""A practice line as a newcomer starts it, and a real browser before it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, sync_playwright

ROOT = Path(__file__).parent.parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
REPORT = "CSP report: "
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@dataclass
class Practice:
    """`lanyard practice`, running."""

    folder: Path
    port: int
    process: subprocess.Popen[str]
    links: list[tuple[str, str]]  # role and one-time link, in the order printed
    seconds: float  # from the command to "ready"

    def link(self, role: str) -> str:
        """The next unused link of a role."""
        found = next(pair for pair in self.links if pair[0] == role)
        self.links.remove(found)
        return found[1]


def start_practice(folder: Path, port: int, **settings: str) -> Practice:
    """Start it and read what it prints, as a newcomer does; `settings` are named without their prefix."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LANYARD_")}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "lanyard", "practice", "--folder", str(folder), "--port", str(port)],
        cwd=ROOT,
        env=environment | {f"LANYARD_{name}": value for name, value in settings.items()},
        stdout=subprocess.PIPE,
        text=True,
    )
    links: list[tuple[str, str]] = []
    assert process.stdout is not None
    for line in process.stdout:
        found = re.match(r"\s+(\w+) +[A-Z].*(https?://\S+/sign-in/\w+)", line)
        if found:
            links.append((found[1], found[2]))
        if "ready on" in line:
            break
    return Practice(folder, port, process, links, time.monotonic() - began)


def stop_practice(practice: Practice, how: signal.Signals = signal.SIGTERM) -> None:
    """End it, and wait until it has gone."""
    practice.process.send_signal(how)
    practice.process.wait(60)  # one that has only just started was seen to take 17 s
    if practice.process.stdout:
        practice.process.stdout.close()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    """A fresh practice line of this test's own."""
    running = start_practice(tmp_path / "practice", free_port())
    yield running
    if running.process.poll() is None:
        stop_practice(running)


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium, where one is found. For one test only: while Playwright runs no other event loop can in its thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the browser journeys were not run")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        broken: list[str] = []
        running.on("context", lambda context: watch(context, broken))
        yield running
        running.close()
    assert broken == [], "a page broke its Content-Security-Policy, or asked somebody else"


def watch(context: BrowserContext, broken: list[str]) -> None:
    """Note what any page of this browser does that it may not: a report, a request to another origin, a dialog."""

    def asked(request: Request) -> None:
        to = urlsplit(request.url)
        if request.is_navigation_request():  # a link may lead to a provider of sign-ins, which is on this machine here
            elsewhere = to.hostname not in {None, "127.0.0.1", "localhost"}
        else:
            ours = "referer" not in request.headers  # our pages never say where they are; a provider's own page does
            elsewhere = ours and to.hostname not in {None, "127.0.0.1", "localhost"}
        if elsewhere:
            broken.append(f"request to {to.netloc}")

    def said(message: ConsoleMessage) -> None:
        at = urlsplit(message.page.url if message.page else "")
        if "Content Security Policy" in message.text or REPORT in message.text:
            broken.append(f"{at.path}: {message.text}")

    def spoke(dialog: Dialog) -> None:
        broken.append(f"dialog {dialog.message}")
        dialog.dismiss()

    context.add_init_script(
        "addEventListener('securitypolicyviolation', e => "
        f"console.error('{REPORT}' + e.violatedDirective + ' ' + e.blockedURI))"
    )
    context.on("request", asked)
    context.on("console", said)
    context.on("dialog", spoke)


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile: its windows share cookies."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context
    context.close()


def sign_in(context: BrowserContext, link: str) -> Page:
    """Open a one-time link in a new window and press its button."""
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in as").click()
    return page
