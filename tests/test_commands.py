"""What the commands print, for whoever runs an installation."""

from __future__ import annotations

import re

import pytest

from lanyard.__main__ import main
from tests.botapi import BotApi
from tests.place import Place, only_settings
from tests.telegram_wire import TOKEN


@pytest.fixture(autouse=True)
def settings(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    only_settings(monkeypatch, place.env)
    assert main(["people", "add", "PC 1234", "PC 1234 Example", "Example Constabulary", "officer"]) == 0


def test_the_link_to_telegram_opens_the_bots_chat_and_binds_the_account(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with BotApi(TOKEN) as api:
        monkeypatch.setenv("LANYARD_TELEGRAM", "doorbell")
        monkeypatch.setenv("LANYARD_TELEGRAM_TOKEN_FILE", place.secret("token", TOKEN))
        monkeypatch.setenv("LANYARD_TELEGRAM_API", api.base_url)
        capsys.readouterr()
        assert main(["people", "telegram", "PC 1234"]) == 0
        printed = capsys.readouterr().out
        name = api._world.bot.username
    assert re.fullmatch(rf"https://t\.me/{name}\?start=[A-Za-z0-9_-]{{22,64}}\n", printed)


def test_without_telegram_at_hand_the_code_is_given_to_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["people", "telegram", "PC 1234"]) == 0
    assert re.fullmatch(r"Write to the bot: /start [A-Za-z0-9_-]{22,64}\n", capsys.readouterr().out)
