"""What cannot be served is refused at the start: status 2 and one line that says what to do, with no secret in it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from lanyard.__main__ import main
from lanyard.settings import waits
from storage.database import Database
from storage.keys import make_key_file
from tests.botapi import BotApi
from tests.faults.line_process import ROOT
from tests.place import Place, only_settings

TOKEN = "123456789:AArefusalsCanaryTokenCanaryTokenCana"
SECRETS = ("refusalsCanary", "canary-password", "canarykey")
START = 40.0  # seconds that a start may take on a busy machine


@pytest.fixture
def run(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs one command in this process; gives its status and all it wrote to standard error."""

    def run_it(*arguments: str, **env: str | None) -> tuple[int, str]:
        only_settings(monkeypatch, {name: value for name, value in (place.env | env).items() if value is not None})
        capsys.readouterr()
        status = main(arguments)
        return status, capsys.readouterr().err

    return run_it


def is_refused(found: tuple[int, str], *parts: str) -> None:
    """Status 2, one line that says these things, nothing else."""
    status, told = found
    assert status == 2
    assert told.count("\n") == 1, told
    assert told.startswith("lanyard: ")
    assert "Traceback" not in told
    assert not [secret for secret in SECRETS if secret in told]
    for part in parts:
        assert part in told, told


def test_a_complete_installation_is_not_refused(run: Callable[..., tuple[int, str]]) -> None:
    assert run("people", "list") == (0, "")


# --- settings ----------------------------------------------------------------------------------------

BAD_SETTINGS: list[tuple[dict[str, str | None], str]] = [
    ({"DATABASE": "mysql://root:canary-password@db/lanyard"}, "LANYARD_DATABASE must begin with sqlite:///"),
    ({"DATABASE": "postgresql+psycopg://u:canary-password@h:port/x"}, "LANYARD_DATABASE is no address of a database"),
    ({"DATABASE": "sqlite:////dev/null/lanyard.db"}, "LANYARD_DATABASE: its folder cannot be made"),
    ({"LEAD_PHONE": None}, "LANYARD_LEAD_PHONE is missing: officers must be told a number that a person answers"),
    ({"PORT": "eighty"}, "LANYARD_PORT: Input should be a valid integer"),
    ({"PORT": "65536"}, "LANYARD_PORT: Input should be less than or equal to 65535"),
    ({"HOST": "192.0.2.1"}, "Cannot listen on 192.0.2.1:0"),
    ({"PUBLIC_URL": "line.example"}, "LANYARD_PUBLIC_URL must begin with https://"),
    ({"PRACTICE": "perhaps"}, "LANYARD_PRACTICE: Input should be a valid boolean"),
    ({"TELEGRAM": "pigeon"}, "LANYARD_TELEGRAM: Input should be 'off', 'doorbell' or 'relay'"),
    ({"TELEGRAM": "doorbell"}, "LANYARD_TELEGRAM_TOKEN_FILE is missing"),
    ({"TELEGRAM": "relay", "TELEGRAM_TOKEN_FILE": "x"}, "LANYARD_IMPACT_ASSESSMENT; or use doorbell"),
    ({"TELEGRAM_API": "api.example"}, "LANYARD_TELEGRAM_API must begin with https://"),
    ({"TELEGRAM_WEBHOOK_PATH": "/" + "x" * 20}, "a webhook needs both LANYARD_TELEGRAM_WEBHOOK_PATH and"),
    ({"TELEGRAM_WEBHOOK_SECRET_FILE": "x"}, "a webhook needs both LANYARD_TELEGRAM_WEBHOOK_PATH and"),
    (
        {"TELEGRAM_WEBHOOK_PATH": "/hook", "TELEGRAM_WEBHOOK_SECRET_FILE": "x"},
        "LANYARD_TELEGRAM_WEBHOOK_PATH must be / and 16 or more",
    ),
    ({"CAPACITY": "0"}, "LANYARD_CAPACITY: Input should be greater than or equal to 1"),
    ({"CAPACITY": "21"}, "LANYARD_CAPACITY: Input should be less than or equal to 20"),
    ({"FALLBACKS": "a helpline"}, "LANYARD_FALLBACKS must be written as JSON"),
    ({"WAITS": "answer=90"}, "LANYARD_WAITS must be written as JSON"),
    ({"WAITS": '{"patience": 9}'}, "LANYARD_WAITS has unknown names: patience"),
    ({"WAITS": '{"answer": "soon"}'}, "LANYARD_WAITS_ANSWER: Input should be a valid number"),
    ({"WAITS": '{"answer": 0}'}, "LANYARD_WAITS: answer must be more than 0 seconds"),
    ({"WAITS": '{"answer": NaN}'}, "LANYARD_WAITS: answer must be more than 0 seconds"),
    ({"WAITS": '{"reopen": 1e99}'}, "LANYARD_WAITS: reopen must be more than 0 seconds, and 30 days at most"),
    ({"LOG_LEVEL": "LOUD"}, "LANYARD_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR"),
    ({"SETTINGS_FILE": "nowhere.env"}, "The settings file nowhere.env cannot be read"),
]


@pytest.mark.parametrize(
    ("env", "said"), BAD_SETTINGS, ids=[f"{'+'.join(env)}-{at}" for at, (env, _) in enumerate(BAD_SETTINGS)]
)
def test_a_bad_setting_is_refused_by_its_name(
    run: Callable[..., tuple[int, str]], env: dict[str, str | None], said: str
) -> None:
    is_refused(run("serve", **env), said)


def test_a_setting_nobody_knows_in_the_settings_file_is_refused(
    run: Callable[..., tuple[int, str]], place: Place
) -> None:
    file = place.secret("settings.env", "LANYARD_LEED_PHONE=01632 960 001\n")
    is_refused(run("serve", SETTINGS_FILE=file), "LANYARD_LEED_PHONE", "not permitted")


def test_every_default_is_a_setting_that_is_taken(run: Callable[..., tuple[int, str]]) -> None:
    each = {name: wait.total_seconds() for name, wait in waits().items()}
    assert run("people", "list", WAITS=json.dumps(each)) == (0, "")


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (TOKEN, 0o644, "can be read by others. Run: chmod 600 "),
        ("", 0o600, "holds no bot token. BotFather shows it"),
        (f"token: {TOKEN}", 0o600, "holds no bot token"),
        (None, 0o600, "cannot be read: No such file"),
    ],
    ids=["readable", "empty", "more than a token", "missing"],
)
def test_a_token_file_that_will_not_do_is_refused(
    run: Callable[..., tuple[int, str]], place: Place, content: str | None, mode: int, said: str
) -> None:
    file = place.folder / "keys" / "token"
    if content is not None:
        place.secret("token", content)
        file.chmod(mode)
    is_refused(run("serve", TELEGRAM="doorbell", TELEGRAM_TOKEN_FILE=str(file)), str(file), said)


@pytest.mark.parametrize("content", ["", "short", "x" * 257, "with blanks " * 4])
def test_a_weak_webhook_secret_is_refused(run: Callable[..., tuple[int, str]], place: Place, content: str) -> None:
    token, secret = place.secret("token", TOKEN), place.secret("secret", content)
    more = {"TELEGRAM_WEBHOOK_PATH": "/" + "p" * 20, "TELEGRAM_WEBHOOK_SECRET_FILE": secret}
    is_refused(run("serve", TELEGRAM="doorbell", TELEGRAM_TOKEN_FILE=token, **more), "must hold 32 to 256 random")


# --- the key -----------------------------------------------------------------------------------------


def test_a_missing_key_is_refused(run: Callable[..., tuple[int, str]], place: Place) -> None:
    place.key.unlink()
    is_refused(run("serve"), f"The key file {place.key} is missing. Restore it from escrow", "'lanyard keys make'")


@pytest.mark.parametrize("mode", [stat.S_IRGRP, stat.S_IROTH, stat.S_IWOTH])
def test_a_key_that_others_can_read_or_change_is_refused(
    run: Callable[..., tuple[int, str]], place: Place, mode: int
) -> None:
    place.key.chmod(0o600 | mode)
    is_refused(run("serve"), f"can be read by others. Run: chmod 600 {place.key}")


def test_a_key_beside_the_database_is_refused(run: Callable[..., tuple[int, str]], place: Place) -> None:
    beside = place.database.parent / "lanyard.key"
    shutil.move(place.key, beside)
    is_refused(run("serve", KEY_FILE=str(beside)), "lies beside the database", "set LANYARD_KEY_FILE")


@pytest.mark.parametrize("content", ["", "{}", "canarykey", '{"kid":"a","key":"AAAA"}', "\xff\xfe"])
def test_a_damaged_key_is_refused(run: Callable[..., tuple[int, str]], place: Place, content: str) -> None:
    place.key.write_bytes(content.encode("latin-1"))
    is_refused(run("serve"), "Restore it from escrow.")


def test_a_key_that_is_a_folder_is_refused(run: Callable[..., tuple[int, str]], place: Place) -> None:
    place.key.unlink()
    place.key.mkdir(mode=0o700)
    is_refused(run("serve"), "cannot be read (Is a directory)")


def test_another_databases_key_is_refused_before_anything_is_written(
    run: Callable[..., tuple[int, str]], place: Place
) -> None:
    assert run("people", "add", "PC 1", "PC 1 Example", "Example Force", "officer")[0] == 0
    place.key.unlink()
    make_key_file(place.key, "canarykey-2")
    before = place.dump()
    is_refused(run("serve"), "This key file does not belong to this database", "LANYARD_KEY_FILE")
    assert place.dump() == before


def test_a_key_is_never_written_over(run: Callable[..., tuple[int, str]], place: Place) -> None:
    before = place.key.read_bytes()
    is_refused(run("keys", "make"), "is there already, and is never written over")
    assert place.key.read_bytes() == before


# --- the database ------------------------------------------------------------------------------------


def test_an_older_database_is_refused_with_the_command_to_run(
    run: Callable[..., tuple[int, str]], place: Place
) -> None:
    place.database.unlink()
    is_refused(run("serve"), "older than this program. Back it up, then run: lanyard database upgrade")


@pytest.mark.parametrize("command", [("serve",), ("database", "upgrade"), ("practice",)])
def test_a_newer_database_is_refused_by_every_command(
    run: Callable[..., tuple[int, str]], place: Place, command: tuple[str, ...]
) -> None:
    place.sql("UPDATE alembic_version SET version_num = '9999'")
    is_refused(run(*command), "made by a newer lanyard (revision 9999). Run that version")


def test_what_is_no_database_is_refused(run: Callable[..., tuple[int, str]], place: Place) -> None:
    place.database.write_bytes(b"canary-password" * 1_000)
    is_refused(run("serve"), "LANYARD_DATABASE is no database that can be read")


def test_a_database_that_does_not_answer_is_refused(run: Callable[..., tuple[int, str]]) -> None:
    gone = "postgresql+psycopg://lanyard:canary-password@127.0.0.1:9/lanyard"
    is_refused(run("serve", DATABASE=gone), "The database cannot be reached. Start it, or correct LANYARD_DATABASE.")


@pytest.mark.postgres
def test_an_older_and_a_newer_postgresql_are_refused(run: Callable[..., tuple[int, str]], postgres: Any) -> None:
    url = postgres.new_database()
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    is_refused(run("serve", DATABASE=url), "made by a newer lanyard")
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    is_refused(run("serve", DATABASE=url), "lanyard database upgrade")
    database.close()


# --- people ------------------------------------------------------------------------------------------


def test_practice_over_real_people_is_refused_and_changes_nothing(
    run: Callable[..., tuple[int, str]], place: Place
) -> None:
    assert run("people", "add", "PC 1", "PC 1 Example", "Example Force", "officer")[0] == 0
    before = place.dump()
    is_refused(run("practice"), "This database holds real people", "Use another database.")
    is_refused(run("serve", PRACTICE="true"), "This database holds real people", "Use another database.")
    assert place.dump() == before


def test_real_work_over_practice_people_is_refused(run: Callable[..., tuple[int, str]]) -> None:
    assert run("people", "add", "PC 1", "PC 1 Example", "Example Force", "officer", PRACTICE="true")[0] == 0
    is_refused(run("serve"), "holds made-up practice people. Start with an empty database, or in practice mode.")
    is_refused(run("people", "add", "PC 2", "PC 2", "Force", "officer"), "made-up practice people")


# --- others on this machine --------------------------------------------------------------------------


def test_a_port_that_is_taken_is_refused(run: Callable[..., tuple[int, str]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        is_refused(
            run("serve", PORT=port), f"Cannot listen on 127.0.0.1:{port} (Address already in use)", "LANYARD_PORT"
        )


@dataclass
class Line:
    """`python -m lanyard` as a process."""

    process: subprocess.Popen[str]

    def ready(self) -> None:
        assert self.process.stdout is not None
        for told in self.process.stdout:
            if "Lanyard is ready on" in told:
                return
        raise AssertionError(self.process.communicate()[1])

    def is_refused(self, *parts: str) -> None:
        """It ends by itself: one line of ours, and beside it nothing but quiet log lines."""
        _, told = self.process.communicate(timeout=START)
        ours = [line for line in told.splitlines() if not line.startswith('{"at": ')]
        is_refused((self.process.returncode, "".join(f"{line}\n" for line in ours)), *parts)
        assert "Traceback" not in told
        assert not [secret for secret in SECRETS if secret in told]


@pytest.fixture
def start(place: Place) -> Iterator[Callable[..., Line]]:
    """Starts the program; whatever happens, no process is left."""
    started: list[subprocess.Popen[str]] = []

    def start_it(*arguments: str, **env: str) -> Line:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LANYARD_", "PYTEST_"))}
        settings = {f"LANYARD_{name}": value for name, value in (place.env | env).items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "lanyard", *arguments],
            cwd=ROOT,
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Line(process)

    yield start_it
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_server_on_the_same_sqlite_file_is_refused(start: Callable[..., Line]) -> None:
    first = start("serve")
    first.ready()
    start("serve").is_refused("Another lanyard serves this SQLite database. Stop it first")
    assert first.process.poll() is None


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
def test_a_token_that_telegram_refuses_ends_the_line(webhook: bool, place: Place, start: Callable[..., Line]) -> None:
    with BotApi("999:another-bots-token-that-is-known-here") as api:
        more = {"TELEGRAM": "doorbell", "TELEGRAM_TOKEN_FILE": place.secret("token", TOKEN)}
        if webhook:
            more |= {"TELEGRAM_WEBHOOK_PATH": "/" + "p" * 20}
            more |= {"TELEGRAM_WEBHOOK_SECRET_FILE": place.secret("secret", "s" * 40)}
        start("serve", TELEGRAM_API=api.base_url, **more).is_refused(
            "Telegram does not know this bot token: check the token (BotFather shows it) and the Bot API address."
        )


def test_a_webhook_left_from_before_ends_a_line_that_polls(place: Place, start: Callable[..., Line]) -> None:
    with BotApi(TOKEN) as api:
        httpx.post(f"{api.base_url}{TOKEN}/setWebhook", data={"url": "http://127.0.0.1:9/hook"}).raise_for_status()
        more = {"TELEGRAM": "doorbell", "TELEGRAM_TOKEN_FILE": place.secret("token", TOKEN)}
        start("serve", TELEGRAM_API=api.base_url, **more).is_refused("A webhook is set for this bot's token", "delete")


def test_a_second_poller_ends_and_says_what_to_do(place: Place, start: Callable[..., Line]) -> None:
    async def poll_on(base_url: str, line: Line) -> None:
        """Somebody else polls with the same token, all the time."""
        async with httpx.AsyncClient(timeout=30) as client:
            while line.process.poll() is None:
                await client.post(f"{base_url}{TOKEN}/getUpdates", data={"timeout": 1})
                await asyncio.sleep(0.2)

    with BotApi(TOKEN) as api:
        more = {"TELEGRAM": "doorbell", "TELEGRAM_TOKEN_FILE": place.secret("token", TOKEN)}
        line = start("serve", TELEGRAM_API=api.base_url, **more)
        asyncio.run(poll_on(api.base_url, line))
        line.is_refused("Another process is polling Telegram with this bot's token", "stop the other one")
