"""Every page, as people see it: nothing for axe to object to, no sideways scrolling, no line lost offline."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import Practice, sign_in

pytestmark = pytest.mark.browser

SIZES = ((320, 640), (1280, 900))


def complaints(page: Page, name: str) -> list[str]:
    """What axe, the console and a ruler object to, in both colour schemes and sizes."""
    found = []
    for width, height in SIZES:
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found += [
                f"{name} {width} {scheme}: {violation['id']} {violation['nodes'][0]['html'][:120]}"
                for violation in Axe().run(page).response["violations"]
            ]
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                found.append(f"{name} {width}: {wide} px wide")
    return found


def ask(officer: Page, words: str) -> str:
    """Write a question; gives the reference."""
    officer.get_by_label("Write your question").fill(words)
    officer.get_by_role("button", name="Send").click()
    expect(officer.get_by_text("Received safely")).to_be_visible(timeout=5_000)
    found = re.search(r"/chat/(\w{6})", officer.url)
    assert found is not None
    return found[1]


def on_the_desk(practice: Practice, window: BrowserContext) -> Page:
    """The desk of the IDVA who has the offer."""
    desk = sign_in(window, practice.link("idva"))
    expect(desk.get_by_role("heading", name="Desk")).to_be_visible()
    if not desk.get_by_role("button", name="Accept").count():
        desk = sign_in(window, practice.link("idva"))
    expect(desk.get_by_role("button", name="Accept")).to_be_visible(timeout=5_000)
    return desk


@pytest.mark.timeout(240)
def test_no_page_has_anything_to_object_to(practice: Practice, browser: Browser) -> None:
    window = browser.new_context()
    found: list[str] = []
    window.on("console", lambda said: found.append(f"console: {said.text}") if said.type == "error" else None)
    start = window.new_page()
    start.goto(f"http://127.0.0.1:{practice.port}/")
    found += complaints(start, "start")
    start.goto(practice.links[0][1])
    found += complaints(start, "sign in")
    officer = sign_in(window, practice.link("officer"))
    found += complaints(officer, "chat")
    ask(officer, "He put his hands round her neck.\nWhat now?")
    found += complaints(officer, "thread")
    desk = on_the_desk(practice, window)
    found += complaints(desk, "offer")
    board = sign_in(window, practice.link("supervisor"))
    found += complaints(board, "board")
    desk.get_by_role("button", name="Accept").click()
    expect(desk.get_by_label(re.compile("Write to"))).to_be_visible(timeout=5_000)
    desk.get_by_text(re.compile("Give advice in")).click()
    desk.get_by_text(re.compile("to a colleague")).click()
    found += complaints(desk, "pane")
    desk.get_by_label("Advice with concern").check()
    desk.get_by_label("What to do now").fill("Ambulance now.")
    desk.get_by_label("Who to tell, and by when").fill("The DS, now.")
    desk.get_by_role("button", name="Send advice").click()
    expect(officer.get_by_role("button", name="Understood")).to_be_visible(timeout=5_000)
    found += complaints(officer, "advice")
    window.close()
    assert found == []


def test_a_line_written_without_a_connection_is_kept_and_sent_once(practice: Practice, window: BrowserContext) -> None:
    officer = sign_in(window, practice.link("officer"))
    ask(officer, "First question")
    window.set_offline(True)
    officer.get_by_label(re.compile("Write on in")).fill("Written in a cellar")
    officer.get_by_role("button", name="Send").click()
    expect(officer.get_by_text("Not sent yet")).to_be_visible(timeout=5_000)
    officer.wait_for_timeout(1_500)  # it tries again meanwhile
    window.set_offline(False)
    messages = officer.locator(".lanyard-words")
    expect(messages.filter(has_text="Written in a cellar")).to_have_count(1, timeout=10_000)
    officer.wait_for_timeout(1_000)
    officer.reload()
    expect(messages.filter(has_text="Written in a cellar")).to_have_count(1)
    expect(officer.get_by_label(re.compile("Write on in"))).to_have_value("")


def test_half_typed_words_stay_in_their_pane_while_others_arrive(practice: Practice, window: BrowserContext) -> None:
    officer = sign_in(window, practice.link("officer"))
    ref = ask(officer, "First question")
    desk = on_the_desk(practice, window)
    desk.get_by_role("button", name="Accept").click()
    mine = desk.get_by_label(re.compile(f"Write to .* in {ref}"))
    mine.fill("Half a sen")
    officer.get_by_label(re.compile("Write on in")).fill("More from the scene")
    officer.get_by_role("button", name="Send").click()
    expect(desk.get_by_text("More from the scene")).to_be_visible(timeout=5_000)
    expect(mine).to_have_value("Half a sen")
    expect(mine).to_be_focused()


def test_a_double_click_sends_one_message(practice: Practice, window: BrowserContext) -> None:
    officer = sign_in(window, practice.link("officer"))
    ask(officer, "First question")
    officer.get_by_label(re.compile("Write on in")).fill("Only once")
    officer.get_by_role("button", name="Send").dblclick()
    messages = officer.locator(".lanyard-words")
    expect(messages.filter(has_text="Only once")).to_have_count(1, timeout=5_000)
    officer.wait_for_timeout(700)
    expect(messages.filter(has_text="Only once")).to_have_count(1)


def test_the_newest_message_stays_in_view_when_a_phone_is_turned(practice: Practice, window: BrowserContext) -> None:
    officer = sign_in(window, practice.link("officer"))
    ask(officer, "First question")
    for number in range(8):
        officer.get_by_label(re.compile("Write on in")).fill(f"Line {number} from the scene, long enough to wrap. " * 2)
        officer.get_by_role("button", name="Send").click()
        expect(officer.locator(".lanyard-words").filter(has_text=f"Line {number}")).to_be_visible(timeout=5_000)
    for width, height in ((844, 390), (320, 640), (390, 500)):
        officer.set_viewport_size({"width": width, "height": height})
        # What an officer writes may be followed by an entry of the catalogue: the newest is whatever stands last.
        expect(officer.locator(".moj-message-item__meta time").last).to_be_in_viewport(timeout=2_000)


def test_a_refresh_takes_no_key_press_away(practice: Practice, window: BrowserContext) -> None:
    officer = sign_in(window, practice.link("officer"))
    type_into(officer, officer.get_by_label("Write your question"), "Asked while she reads")
    go_to(officer, officer.get_by_role("button", name="Send")).keyboard.press("Enter")
    desk = on_the_desk(practice, window)
    expect(desk.get_by_role("button", name="Accept")).to_be_visible(timeout=5_000)
    for page, name in ((desk, "Accept"), (officer, "High")):
        button = page.get_by_role("button", name=name)
        button.focus()
        kept = button.element_handle()
        page.evaluate(
            "document.querySelectorAll('[data-live]').forEach((part) => part.dispatchEvent(new Event('refresh')))"
        )
        page.wait_for_function("(old) => !old.isConnected", arg=kept, timeout=5_000)
        expect(button).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_label(re.compile("Write to"))).to_be_visible(timeout=5_000)


def test_a_whole_consultation_without_a_pointer(practice: Practice, window: BrowserContext) -> None:
    officer = sign_in(window, practice.link("officer"))
    type_into(officer, officer.get_by_label("Write your question"), "Asked by keyboard")
    go_to(officer, officer.get_by_role("button", name="Send")).keyboard.press("Enter")
    expect(officer.get_by_text("Received safely")).to_be_visible(timeout=5_000)
    desk = on_the_desk(practice, window)
    go_to(desk, desk.get_by_role("button", name="Accept")).keyboard.press("Enter")
    answer = desk.get_by_label(re.compile("Write to"))
    expect(answer).to_be_visible(timeout=5_000)
    type_into(desk, answer, "Answered by keyboard")
    go_to(desk, desk.get_by_role("button", name=re.compile("Send to"))).keyboard.press("Enter")
    expect(officer.get_by_text("Answered by keyboard")).to_be_visible(timeout=5_000)
    go_to(desk, desk.get_by_text(re.compile("Give advice in"))).keyboard.press("Enter")
    go_to(desk, desk.get_by_label("Information")).keyboard.press("Space")
    type_into(desk, desk.get_by_label("What to do now"), "Ambulance now")
    type_into(desk, desk.get_by_label("Who to tell, and by when"), "DS before you leave")
    go_to(desk, desk.get_by_role("button", name="Send advice")).keyboard.press("Enter")
    understood = officer.get_by_role("button", name="Understood")
    expect(understood).to_be_visible(timeout=5_000)
    go_to(officer, understood).keyboard.press("Enter")
    expect(officer.get_by_text("You confirmed the advice")).to_be_visible(timeout=5_000)


def go_to(page: Page, wanted: Locator) -> Page:
    """Press Tab until the focus is there: whatever cannot be reached so cannot be used without a pointer."""
    expect(wanted).to_be_visible(timeout=5_000)
    page.bring_to_front()
    for _ in range(60):
        if wanted.evaluate("one => (one.closest('summary') ?? one).contains(document.activeElement)"):
            return page
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


def type_into(page: Page, wanted: Locator, words: str) -> None:
    go_to(page, wanted).keyboard.type(words)


def test_it_can_be_installed_and_says_whom_to_ring_without_a_network(
    practice: Practice, window: BrowserContext
) -> None:
    officer = sign_in(window, practice.link("officer"))
    where = officer.locator("link[rel=manifest]").evaluate("link => link.href")
    manifest = officer.request.get(where).json()
    assert manifest["display"] == "standalone"
    assert {"start_url", "name"} <= set(manifest)
    sizes = {icon["sizes"] for icon in manifest["icons"]}
    assert {"192x192", "512x512"} <= sizes
    for icon in manifest["icons"]:
        assert officer.request.get(urljoin(where, icon["src"])).ok
    assert officer.evaluate("navigator.serviceWorker.ready.then(() => true)")
    window.set_offline(True)
    officer.goto(f"http://127.0.0.1:{practice.port}/chat", wait_until="commit")
    expect(officer.get_by_text("999")).to_be_visible(timeout=5_000)
    window.set_offline(False)
