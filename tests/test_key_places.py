"""Where keys are kept, and what each place refuses: the file, a systemd credential, the environment, Transit."""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.key_file import Content, FileProvider, make_key_file, read_key_file
from storage.providers import ENVIRONMENT_KID, OPEN, EnvironmentProvider, KeyProblem, KeysUnavailable, fresh
from tests.transit import TOKEN, StandIn, transit_provider

ROOT = Path(__file__).parent.parent
CONTEXT = b"data_key of one scope"
KEY = bytes(range(32))


@pytest.fixture
def transit() -> Iterator[StandIn]:
    pytest.importorskip("hvac", reason="the extra lanyard[transit] is not installed")
    standin = StandIn()
    yield standin
    standin.close()


# --- the file -----------------------------------------------------------------------------------------


def test_a_file_of_the_first_format_is_read_and_kept_when_a_key_is_added(tmp_path: Path) -> None:
    file = tmp_path / "lanyard.key"
    file.touch(0o600)
    file.write_text(json.dumps({"kid": "kek-2026-11-23", "key": base64.b64encode(KEY).decode()}))
    provider = read_key_file(file, None)
    blob = provider.wrap("kek-2026-11-23", KEY, CONTEXT)
    assert provider.current(OPEN) == "kek-2026-11-23"
    provider.make("open.1")
    again = read_key_file(file, None)
    assert again.kids() == ("kek-2026-11-23", "open.1")
    assert again.unwrap("kek-2026-11-23", blob, CONTEXT) == KEY
    assert again.current(OPEN) == "open.1"


def test_a_key_file_is_only_ever_its_owners(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = tmp_path / "lanyard.key"
        make_key_file(file, "open.1")
        assert file.stat().st_mode & 0o777 == 0o600
        read_key_file(file, None).make("open.2")
        assert file.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["lanyard.key"]


def test_a_running_line_goes_on_with_its_keys_when_the_file_goes_missing(tmp_path: Path) -> None:
    file = tmp_path / "lanyard.key"
    make_key_file(file, "open.1")
    provider = read_key_file(file, None)
    blob = provider.wrap("open.1", KEY, CONTEXT)
    file.unlink()
    assert provider.unwrap("open.1", blob, CONTEXT) == KEY
    with pytest.raises(KeyProblem, match="missing"):
        provider.health()


@pytest.mark.parametrize(
    "content",
    [
        {"format": 2, "keys": [], "destroyed": []},
        {"format": 3, "keys": [{"kid": "a", "key": "K"}], "destroyed": []},
        {"format": 2, "keys": [{"kid": "a", "key": "K"}, {"kid": "a", "key": "K"}], "destroyed": []},
        {"format": 2, "keys": [{"kid": "a", "key": "K"}], "destroyed": ["a"]},
        {"format": 2, "keys": [{"kid": "a", "key": "AAAA"}], "destroyed": []},
        {"format": 2, "keys": {"kid": "a"}, "destroyed": []},
        {"format": 2, "keys": [{"kid": "a", "key": "K"}]},
        ["kid", "key"],
    ],
)
def test_a_damaged_file_is_refused_in_one_line_without_its_keys(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "lanyard.key"
    file.touch(0o600)
    encoded = base64.b64encode(KEY).decode()
    file.write_text(json.dumps(content).replace('"K"', f'"{encoded}"'))
    with pytest.raises(KeyProblem, match="Restore it from escrow") as refusal:
        read_key_file(file, None)
    assert len(str(refusal.value).splitlines()) == 1
    assert encoded not in str(refusal.value)


def test_a_credential_of_systemd_may_show_the_groups_mask_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials" / "lanyard.key"
    make_key_file(file, "open.1")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    if os.geteuid() == 0:
        file.chmod(0o440)
        assert read_key_file(Path("lanyard.key"), None).kids() == ("open.1",)
        with pytest.raises(KeyProblem, match="read by others"):  # the same file, not as a credential
            read_key_file(file, None)
    for mode in (0o444, 0o460, 0o602):
        file.chmod(mode)
        with pytest.raises(KeyProblem, match="read by others"):
            read_key_file(Path("lanyard.key"), None)
    with pytest.raises(KeyProblem, match="missing"):  # a bare name that is no credential is a file here
        read_key_file(Path("other.key"), None)


def test_two_that_add_keys_at_once_lose_none(tmp_path: Path) -> None:
    file = tmp_path / "lanyard.key"
    make_key_file(file, "open.1")
    one, other = read_key_file(file, None), read_key_file(file, None)
    waiting = threading.Thread(target=other.make, args=("open.3",))
    with one._changing() as content:
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        one._replace(Content((*content.keys, fresh("open.2"))))
    waiting.join(10)
    assert read_key_file(file, None).kids() == one.kids() == ("open.1", "open.2", "open.3")


@pytest.mark.parametrize(("point", "kept"), [("written", 1), ("replaced", 2)])
def test_a_crash_while_writing_leaves_the_old_file_or_the_new_one(tmp_path: Path, point: str, kept: int) -> None:
    file = tmp_path / "lanyard.key"
    make_key_file(file, "open.1")
    code = (
        "import sys; from pathlib import Path; from storage.key_file import read_key_file\n"
        "read_key_file(Path(sys.argv[1]), None).make('open.2')"
    )
    env = os.environ | {"LANYARD_CRASH_AT_FOR_TESTS": f"key_file.{point}"}
    assert subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, env=env, check=False).returncode == 137
    provider = read_key_file(file, None)
    assert len(provider.kids()) == kept
    provider.make("open.3")
    assert provider.current(OPEN) == "open.3"
    assert [path.name for path in tmp_path.iterdir()] == ["lanyard.key"]


# --- the environment ----------------------------------------------------------------------------------


def test_a_key_in_the_environment_is_refused_outside_practice() -> None:
    encoded = base64.b64encode(KEY).decode()
    with pytest.raises(KeyProblem, match="practice mode only") as refusal:
        EnvironmentProvider(encoded, practice=False)
    assert encoded not in str(refusal.value)
    assert EnvironmentProvider(encoded, practice=True).kids() == (ENVIRONMENT_KID,)


@pytest.mark.parametrize("encoded", ["", "AAAA", "canary!canary", base64.b64encode(b"x" * 33).decode()])
def test_a_wrong_key_in_the_environment_is_refused_without_showing_it(encoded: str) -> None:
    with pytest.raises(KeyProblem, match="256-bit key") as refusal:
        EnvironmentProvider(encoded, practice=True)
    assert not encoded or encoded not in str(refusal.value)


# --- Transit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503])
def test_a_transit_that_cannot_answer_is_an_outage_and_not_a_wrong_key(transit: StandIn, status: int) -> None:
    provider = transit_provider(transit)
    provider.make("open.1")
    blob = provider.wrap("open.1", KEY, CONTEXT)
    transit.fails = status
    acts: list[Callable[[], object]] = [
        lambda: provider.unwrap("open.1", blob, CONTEXT),
        lambda: provider.wrap("open.1", KEY, CONTEXT),
        lambda: provider.current(OPEN),
        lambda: provider.make("open.2"),
        lambda: provider.destroy("open.2"),
        provider.health,
    ]
    for act in acts:
        with pytest.raises(KeysUnavailable) as refusal:
            act()
        assert len(str(refusal.value).splitlines()) == 1
        assert TOKEN not in str(refusal.value)


def test_a_transit_that_is_slow_or_gone_is_an_outage(transit: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("storage.transit"), "TIMEOUT", 0.1)
    provider = transit_provider(transit)
    provider.make("open.1")
    transit.waits = 0.4
    with pytest.raises(KeysUnavailable, match="does not answer"):
        provider.kids()
    transit.close()
    with pytest.raises(KeysUnavailable, match="does not answer"):
        provider.kids()


def test_a_wrong_token_is_said_without_showing_it(transit: StandIn) -> None:
    with pytest.raises(KeysUnavailable, match="refuses the token") as refusal:
        transit_provider(transit, token="s.wrongCanary").health()
    assert "Canary" not in str(refusal.value)


def test_an_unwrapped_key_outlives_a_short_outage_and_no_more(transit: StandIn) -> None:
    now = [0.0]
    provider = transit_provider(transit, ticks=lambda: now[0])
    provider.make("open.1")
    blob = provider.wrap("open.1", KEY, CONTEXT)
    assert provider.unwrap("open.1", blob, CONTEXT) == KEY
    transit.fails = 503
    now[0] = 299.9
    assert provider.unwrap("open.1", blob, CONTEXT) == KEY
    now[0] = 300.0
    with pytest.raises(KeysUnavailable):
        provider.unwrap("open.1", blob, CONTEXT)


def test_no_more_than_256_unwrapped_keys_are_kept(transit: StandIn) -> None:
    provider = transit_provider(transit)
    provider.make("open.1")
    for number in range(258):
        context = b"%d" % number
        provider._kept.put(("open.1", b"blob", context), KEY)
    assert len(provider._kept._keys) == 256
    assert ("open.1", b"blob", b"0") not in provider._kept._keys


def test_keys_never_leave_transit(transit: StandIn) -> None:
    provider = transit_provider(transit)
    provider.make("open.1")
    blob = provider.wrap("open.1", KEY, CONTEXT)
    assert list(transit.keys) == ["lanyard-open.1"]
    assert transit.keys["lanyard-open.1"] not in blob
    assert not any("export" in asked for asked in transit.asked)


def test_file_is_the_default_and_needs_no_extra(tmp_path: Path) -> None:
    code = "import sys, lanyard.wiring; sys.exit('hvac' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert isinstance(_made(tmp_path), FileProvider)


def _made(folder: Path) -> FileProvider:
    make_key_file(folder / "k", "open.1")
    return read_key_file(folder / "k", None)
