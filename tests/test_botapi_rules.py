"""The Bot API stand-in refuses what the real server refuses, in its words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.botapi import BotApi, Person

ANN = 501
REPLY_WITHOUT_ID = 'can\'t parse reply parameters: Field "message_id" must be a Number'


@pytest.fixture(scope="module")
def shared() -> Iterator[BotApi]:
    with BotApi() as api:
        yield api


@pytest.fixture(scope="module")
def line(shared: BotApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{shared.base_url}{shared.token}/", verify=False) as client:
        yield client


@pytest.fixture
def api(shared: BotApi) -> BotApi:
    shared.person(ANN, "Ann").start()
    return shared


def refusal(line: httpx.Client, method: str, **given: Any) -> str:
    """What the stand-in says to a call that must be refused."""
    response = line.post(method, data={"chat_id": ANN} | given)
    body = response.json()
    assert not response.is_success, body
    assert (body["ok"], body["error_code"]) == (False, response.status_code)
    return str(body["description"])


def sent(line: httpx.Client, text: str = "hello", **given: Any) -> dict[str, Any]:
    response = line.post("sendMessage", data={"chat_id": ANN, "text": text} | given)
    assert response.is_success, response.text
    message: dict[str, Any] = response.json()["result"]
    return message


def keyboard(*buttons: dict[str, Any]) -> str:
    return json.dumps({"inline_keyboard": [list(buttons)]})


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": ""}, "message text is empty"),
        ({}, "message text is empty"),
        ({"text": " \n\t\u2060"[:3]}, "text must be non-empty"),
        ({"text": "\u200b\u200e\ufeff\u00a0"}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "👮" * 2049}, "message is too long"),
        ({"text": "x" * 32769}, "text is too long"),
        ({"text": "x", "parse_mode": "Rich"}, "unsupported parse_mode"),
        ({"text": "x", "entities": "[1]"}, "can't parse MessageEntity: expected an Object"),
        ({"text": "x", "entities": "[{}]"}, "can't parse MessageEntity: Can't find field \"offset\""),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "chat_id": 404404}, "chat not found"),
        ({"text": "x", "chat_id": "@ann"}, "chat not found"),
        ({"text": "x", "message_thread_id": 9}, "message thread not found"),
        ({"text": "x", "reply_to_message_id": 99999}, "message to be replied not found"),
        ({"text": "x", "reply_parameters": '{"message_id":99999}'}, "message to be replied not found"),
        ({"text": "x", "reply_parameters": "{}"}, REPLY_WITHOUT_ID),
        ({"text": "x", "reply_parameters": "{"}, "can't parse reply parameters JSON object"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
    ],
)
def test_a_message_is_checked_before_it_is_sent(line: httpx.Client, given: dict[str, Any], said: str) -> None:
    assert refusal(line, "sendMessage", **given) == f"Bad Request: {said}"


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("é<foo>", 'Unsupported start tag "foo" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<a href='x", "Unclosed start tag at byte offset 0"),
        ("<a href=x?>y</a>", "Unexpected end of name token at byte offset 8"),
        ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span class='x'>y</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html_that_cannot_be_parsed_is_refused(line: httpx.Client, text: str, said: str) -> None:
    described = refusal(line, "sendMessage", text=text, parse_mode="HTML")
    assert described == f"Bad Request: can't parse entities: {said}"


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("9.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a *b", "Can't find end of Bold entity at byte offset 2"),
        ("[a](b", "Can't find end of a URL at byte offset 4"),
        ("![a]", "The entity must contain a tg://emoji or tg://time URL"),
    ],
)
def test_markdown_that_cannot_be_parsed_is_refused(line: httpx.Client, text: str, said: str) -> None:
    described = refusal(line, "sendMessage", text=text, parse_mode="MarkdownV2")
    assert described == f"Bad Request: can't parse entities: {said}"


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("mode", "source", "text", "kinds"),
    [
        ("HTML", "<b>a <i>b</i></b> &lt;c&gt; &nbsp; &#33;", "a b <c> &nbsp; !", ["bold", "italic"]),
        ("HTML", '<a href="https://a.example/?x=1&amp;y">go</a>', "go", ["text_link"]),
        ("HTML", '<a href="javascript:x">go</a> <code>x</code>', "go x", ["code"]),
        ("HTML", '<a href="tg://user?id=7">he</a>', "he", ["text_mention"]),
        ("HTML", "  <b> 👮 x </b>  ", "👮 x", ["bold"]),
        ("MarkdownV2", "*a _b_* ~c~ __d__ ||e|| `f.g`", "a b c d e f.g", None),
        ("MarkdownV2", r"9\.5 \*not bold\*", "9.5 *not bold*", []),
        ("MarkdownV2", "[go](https://a.example/\\))", "go", ["text_link"]),
        (None, "a\tb\r\nc\u202ed\u2028e\x07", "a b\ncde", []),
    ],
)
def test_marks_are_read_and_the_rest_is_seen_as_written(
    line: httpx.Client, mode: str | None, source: str, text: str, kinds: list[str] | None
) -> None:
    message = sent(line, source, **({"parse_mode": mode} if mode else {}))
    assert message["text"].strip() == text
    found = [entity["type"] for entity in message.get("entities", [])]
    if kinds is not None:
        assert sorted(found) == kinds
    else:
        assert sorted(found) == ["bold", "code", "italic", "spoiler", "strikethrough", "underline"]
    units = len(message["text"].encode("utf-16-le")) // 2
    assert all(entity["offset"] + entity["length"] <= units for entity in message.get("entities", []))


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("text", ["x" * 4096, "👮" * 2048, f"<b>{'x' * 4096}</b>"])
def test_the_longest_text_is_sent_whole(line: httpx.Client, text: str) -> None:
    mode = {"parse_mode": "HTML"} if text.startswith("<") else {}
    assert len(sent(line, text, **mode)["text"]) in {4096, 2048}


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("button", "said"),
    [
        ({"text": "x", "callback_data": "y" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x", "callback_data": ""},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"callback_data": "y"}, "can't parse inline keyboard button: Can't find field \"text\""),
        ({"text": "x", "url": "http://localhost/"}, "URL 'http://localhost/' is invalid: Wrong HTTP URL"),
        (
            {"text": "x", "web_app": {"url": "http://a.example"}},
            "Web App URL 'http://a.example' is invalid: Only HTTPS links are allowed",
        ),
    ],
)
def test_a_button_is_checked(line: httpx.Client, button: dict[str, Any], said: str) -> None:
    described = refusal(line, "sendMessage", text="x", reply_markup=keyboard(button))
    where = "inline keyboard button " if "URL" in said else ""
    assert described == f"Bad Request: {where}{said}"


@pytest.mark.usefixtures("api")
def test_buttons_without_a_label_are_quietly_left_out(line: httpx.Client) -> None:
    ok, empty = {"text": "x", "callback_data": "y" * 64}, {"text": "", "callback_data": "z"}
    message = sent(line, reply_markup=keyboard(ok, empty))
    assert message["reply_markup"] == {"inline_keyboard": [[ok]]}


@pytest.mark.usefixtures("api")
def test_a_keyboard_is_rows_of_buttons(line: httpx.Client) -> None:
    described = refusal(line, "sendMessage", text="x", reply_markup='{"inline_keyboard":[{"text":"x"}]}')
    assert described == ('Bad Request: field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')


def test_who_never_started_cannot_be_written_to(api: BotApi, line: httpx.Client) -> None:
    api.person(777, "Bob")
    described = refusal(line, "sendMessage", chat_id=777, text="x")
    assert described == "Forbidden: bot can't initiate conversation with a user"
    api.person(777).write("hello")
    assert sent(line, chat_id=777)["chat"]["id"] == 777


@pytest.mark.usefixtures("api")
def test_only_a_change_is_an_edit(line: httpx.Client) -> None:
    button = keyboard({"text": "x", "callback_data": "y"})
    number = sent(line, "<b>a</b>", parse_mode="HTML", reply_markup=button)["message_id"]
    same = {"message_id": number, "text": "<b>a</b>", "parse_mode": "HTML", "reply_markup": button}
    not_modified = (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
        "same as a current content and reply markup of the message"
    )
    assert refusal(line, "editMessageText", **same) == not_modified
    assert refusal(line, "editMessageReplyMarkup", message_id=number, reply_markup=button) == not_modified
    for change in ({"text": "a"}, {"text": "<i>a</i>"}, {"reply_markup": ""}):
        assert line.post("editMessageText", data={"chat_id": ANN} | same | change).is_success


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("editMessageText", {"text": "x", "message_id": 99999}, "message to edit not found"),
        ("editMessageText", {"text": "x", "message_id": -1}, "message to edit not found"),
        ("editMessageText", {"message_id": 1}, "message text is empty"),
        ("editMessageText", {"text": "x", "chat_id": ""}, "message identifier is not specified"),
        ("editMessageText", {"text": "x" * 4097, "message_id": 1}, "MESSAGE_TOO_LONG"),
        ("deleteMessage", {"message_id": 99999}, "message to delete not found"),
        ("deleteMessage", {}, "message identifier is not specified"),
        ("deleteMessage", {"chat_id": ""}, "chat identifier is not specified"),
        ("createForumTopic", {"name": "x"}, "the chat is not a forum"),
        ("leaveChat", {}, "can't leave private chats"),
        ("getFile", {}, "file_id not specified"),
        ("setMyCommands", {"commands": "{}"}, "expected an Array of BotCommand"),
        ("setMyCommands", {"commands": '[{"command":"x"}]'}, "command description must be non-empty"),
        ("setWebhook", {"url": "http://a.example"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ("setWebhook", {"url": "https://"}, "invalid webhook URL specified"),
        (
            "setWebhook",
            {"url": "https://a.example", "secret_token": "a b"},
            "secret token contains unallowed characters",
        ),
        ("setWebhook", {"url": "https://a.example", "secret_token": "x" * 257}, "secret token is too long"),
        (
            "answerCallbackQuery",
            {"callback_query_id": "5"},
            "query is too old and response timeout expired or query ID is invalid",
        ),
    ],
)
def test_a_call_about_nothing_is_refused(line: httpx.Client, method: str, given: dict[str, Any], said: str) -> None:
    assert refusal(line, method, **given) == f"Bad Request: {said}"


def test_nobody_edits_anothers_message(api: BotApi, line: httpx.Client) -> None:
    written = api.person(ANN).write("mine")
    described = refusal(line, "editMessageText", message_id=written.message_id, text="yours")
    assert described == "Bad Request: message can't be edited"


def test_a_reply_to_nothing_is_sent_where_it_may_be(api: BotApi, line: httpx.Client) -> None:
    allowed = json.dumps({"message_id": 99999, "allow_sending_without_reply": True})
    assert "reply_to_message" not in sent(line, reply_parameters=allowed)


def test_messages_and_taps_grow_too_old() -> None:
    with BotApi() as api, httpx.Client(base_url=f"{api.base_url}{api.token}/", verify=False) as line:
        ann = api.person(ANN, "Ann")
        ann.start()
        number = sent(line, reply_markup=keyboard({"text": "x", "callback_data": "y"}))["message_id"]
        tap, late = ann.double_tap("x")
        assert line.post("answerCallbackQuery", data={"callback_query_id": tap.query_id}).is_success
        assert "query is too old" in refusal(line, "answerCallbackQuery", callback_query_id=tap.query_id)
        api.advance(api.callback_lifetime + 1)
        assert "query is too old" in refusal(line, "answerCallbackQuery", callback_query_id=late.query_id)
        api.advance(48 * 3600)
        described = refusal(line, "deleteMessage", message_id=number)
        assert described == "Bad Request: message can't be deleted for everyone"


def test_arguments_come_in_every_way_the_real_server_takes(api: BotApi, line: httpx.Client) -> None:
    ann: Person = api.person(ANN)
    given = {"chat_id": str(ANN), "text": "in every way é"}
    line.get("sendmessage", params=given)
    line.post("sendMessage", data=given)
    line.post("SENDMESSAGE", json=given | {"reply_markup": {"inline_keyboard": []}})
    line.post("sendMessage", data=given, files={"unused": ("a.txt", b"12345")})
    assert [message.text for message in ann.from_bot[-4:]] == ["in every way é"] * 4
    assert api.calls("sendMessage")[-1].params["unused"] == "<file a.txt, 5 bytes>"


def test_words_that_are_no_unicode_are_refused(line: httpx.Client) -> None:
    answer = line.post(
        "sendMessage", content=b'{"chat_id": 501, "text": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert answer.json()["description"] == "Bad Request: strings must be encoded in UTF-8"


def test_outside_the_bots_own_address_nothing_is_found(api: BotApi) -> None:
    answer = httpx.get(f"http://127.0.0.1:{api.port}/elsewhere")
    assert answer.status_code == 404
    assert answer.json() == {"ok": False, "error_code": 404, "description": "Not Found"}
    malformed = httpx.get(f"{api.base_url}nocolon/getMe")
    assert malformed.json()["description"] == "Unauthorized: invalid token specified"
