"""Whoever holds the key-encryption keys behaves the same: one suite for all providers, then each one's refusals."""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.key_file import FileProvider, make_key_file, read_key_file
from storage.providers import (
    ENVIRONMENT_KID,
    OPEN,
    EnvironmentProvider,
    HeldKeys,
    KeyEncryptionKey,
    KeyProblem,
    KeyProvider,
    KeysUnavailable,
    NoKeyYet,
    UnknownKey,
    archive_purpose,
    newest,
    next_kid,
    purpose_of,
)
from storage.sealing import CannotOpen
from tests.transit import TOKEN, StandIn

ROOT = Path(__file__).parent.parent
CONTEXT = b"data_key of one scope"
KEY = bytes(range(32))
KEK = bytes(range(100, 132))


@dataclass
class Case:
    """A provider with one open key, and the same keys met by another process."""

    provider: KeyProvider
    again: Callable[[], KeyProvider]


@pytest.fixture
def transit() -> Iterator[StandIn]:
    pytest.importorskip("hvac", reason="the extra lanyard[transit] is not installed")
    standin = StandIn()
    yield standin
    standin.close()


def transit_provider(standin: StandIn, token: str = TOKEN, ticks: Callable[[], float] = lambda: 0.0) -> Any:
    module = importlib.import_module("storage.transit")
    return module.TransitProvider(module.Transit(standin.url, lambda: token, ticks))


READING = ("systemd", "memory", "environment")
CHANGING = ("file", "transit")


@pytest.fixture
def prepare(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Case]:
    """Makes the case of one kind of provider."""

    def make(kind: str) -> Case:
        return _prepared(kind, request, tmp_path / "keys" / "lanyard.key", monkeypatch)

    return make


def _prepared(kind: str, request: pytest.FixtureRequest, file: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    encoded, held = base64.b64encode(KEK).decode(), KeyEncryptionKey("open.1", KEK)
    name = Path(file.name)
    match kind:
        case "file":
            make_key_file(file, "open.1")
            return Case(read_key_file(file, None), lambda: read_key_file(file, None))
        case "systemd":
            make_key_file(file, "open.1")
            monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
            return Case(read_key_file(name, None), lambda: read_key_file(name, None))
        case "memory":
            return Case(HeldKeys(held), lambda: HeldKeys(held))
        case "environment":
            return Case(_from_environment(encoded), lambda: _from_environment(encoded))
    standin = request.getfixturevalue("transit")
    made = transit_provider(standin)
    made.make("open.1")
    return Case(made, lambda: transit_provider(standin))


def _from_environment(encoded: str) -> KeyProvider:
    return EnvironmentProvider(encoded, practice=True)


@pytest.fixture(params=[*READING, *CHANGING])
def case(request: pytest.FixtureRequest, prepare: Callable[[str], Case]) -> Case:
    """Each provider in turn."""
    return prepare(request.param)


@pytest.fixture
def provider(case: Case) -> KeyProvider:
    return case.provider


@pytest.fixture(params=READING)
def reading(request: pytest.FixtureRequest, prepare: Callable[[str], Case]) -> Case:
    """Each provider that only reads its keys."""
    return prepare(request.param)


@pytest.fixture(params=CHANGING)
def both(request: pytest.FixtureRequest, prepare: Callable[[str], Case]) -> Case:
    """Each provider that makes and destroys keys, for two processes at once."""
    return prepare(request.param)


@pytest.fixture
def changing(both: Case) -> KeyProvider:
    return both.provider


# --- what all do --------------------------------------------------------------------------------------


def test_what_was_wrapped_comes_back_also_in_another_process(case: Case) -> None:
    kid = case.provider.current(OPEN)
    blob = case.provider.wrap(kid, KEY, CONTEXT)
    assert KEY not in blob
    assert case.provider.unwrap(kid, blob, CONTEXT) == KEY
    assert case.again().unwrap(kid, blob, CONTEXT) == KEY


def test_two_wrappings_of_one_key_differ(provider: KeyProvider) -> None:
    kid = provider.current(OPEN)
    assert provider.wrap(kid, KEY, CONTEXT) != provider.wrap(kid, KEY, CONTEXT)


@pytest.mark.parametrize("context", [b"", CONTEXT[:-1], CONTEXT + b"x", CONTEXT.upper(), b"\x00" + CONTEXT])
def test_nothing_opens_in_another_context(provider: KeyProvider, context: bytes) -> None:
    kid = provider.current(OPEN)
    blob = provider.wrap(kid, KEY, CONTEXT)
    with pytest.raises(CannotOpen):
        provider.unwrap(kid, blob, context)


def test_every_flipped_bit_is_noticed(provider: KeyProvider) -> None:
    kid = provider.current(OPEN)
    blob = provider.wrap(kid, KEY, CONTEXT)
    for bit in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            provider.unwrap(kid, bytes(flipped), CONTEXT)


def test_every_shorter_or_longer_blob_is_noticed(provider: KeyProvider) -> None:
    kid = provider.current(OPEN)
    blob = provider.wrap(kid, KEY, CONTEXT)
    for wrong in [blob[:end] for end in range(len(blob))] + [blob + b"\x00", b"\x00" + blob, blob + blob]:
        with pytest.raises(CannotOpen):
            provider.unwrap(kid, wrong, CONTEXT)


@pytest.mark.parametrize("kid", ["open.99", "archive-2032-11.1", ""])
def test_an_unknown_kid_neither_wraps_nor_unwraps(provider: KeyProvider, kid: str) -> None:
    blob = provider.wrap(provider.current(OPEN), KEY, CONTEXT)
    with pytest.raises(UnknownKey):
        provider.wrap(kid, KEY, CONTEXT)
    with pytest.raises(UnknownKey):
        provider.unwrap(kid, blob, CONTEXT)
    assert kid not in provider.kids()


def test_a_purpose_without_a_key_says_so(provider: KeyProvider) -> None:
    with pytest.raises(NoKeyYet):
        provider.current(archive_purpose("2032-11"))


def test_health_tells_no_key(provider: KeyProvider) -> None:
    assert "1 in" in provider.health()
    assert len(provider.health().splitlines()) == 1
    assert provider.destroyed() == ()
    for kek in getattr(provider, "_keys", {}).values():
        assert kek.hex() not in provider.health() + repr(provider)
        assert repr(kek) not in repr(provider)


def test_what_only_reads_its_keys_refuses_to_change_them(reading: Case) -> None:
    before = reading.provider.kids()
    for act in (reading.provider.make, reading.provider.destroy):
        with pytest.raises(KeyProblem) as refusal:
            act("archive-2032-11.1")
        assert len(str(refusal.value).splitlines()) == 1
    assert reading.provider.kids() == reading.again().kids() == before


# --- what all do that make and destroy keys -----------------------------------------------------------


def test_one_key_does_not_open_what_another_wrapped(changing: KeyProvider) -> None:
    changing.make("open.2")
    blob = changing.wrap("open.1", KEY, CONTEXT)
    with pytest.raises(CannotOpen):
        changing.unwrap("open.2", blob, CONTEXT)
    assert changing.unwrap("open.1", blob, CONTEXT) == KEY


def test_the_newest_key_of_a_purpose_wraps_and_older_ones_open(both: Case, changing: KeyProvider) -> None:
    blob = changing.wrap("open.1", KEY, CONTEXT)
    for number in range(2, 12):  # past nine: numbers, not letters, decide
        changing.make(f"open.{number}")
    changing.make("archive-2032-11.1")
    assert changing.current(OPEN) == both.again().current(OPEN) == "open.11"
    assert changing.current("archive:2032-11") == "archive-2032-11.1"
    assert both.again().unwrap("open.1", blob, CONTEXT) == KEY
    assert set(both.again().kids()) == {f"open.{n}" for n in range(1, 12)} | {"archive-2032-11.1"}


def test_what_runs_learns_of_a_key_another_process_made_and_destroyed(both: Case, changing: KeyProvider) -> None:
    other = both.again()
    other.make("open.2")
    assert changing.current(OPEN) == "open.2"
    blob = other.wrap("open.2", KEY, CONTEXT)
    assert changing.unwrap("open.2", blob, CONTEXT) == KEY
    other.destroy("open.1")
    assert changing.kids() == ("open.2",)


def test_a_key_that_is_there_is_not_made_again(changing: KeyProvider) -> None:
    blob = changing.wrap("open.1", KEY, CONTEXT)
    with pytest.raises(KeyProblem, match="there already"):
        changing.make("open.1")
    assert changing.unwrap("open.1", blob, CONTEXT) == KEY


def test_a_destroyed_key_is_gone_for_ever(both: Case, changing: KeyProvider) -> None:
    changing.make("archive-2032-11.1")
    blob = changing.wrap("archive-2032-11.1", KEY, CONTEXT)
    assert changing.unwrap("archive-2032-11.1", blob, CONTEXT) == KEY
    changing.destroy("archive-2032-11.1")
    changing.destroy("archive-2032-11.1")
    for holder in (changing, both.again()):
        with pytest.raises(UnknownKey):
            holder.unwrap("archive-2032-11.1", blob, CONTEXT)
        with pytest.raises(UnknownKey):
            holder.wrap("archive-2032-11.1", KEY, CONTEXT)
    try:
        changing.make("archive-2032-11.1")
    except KeyProblem:
        assert changing.destroyed() == ("archive-2032-11.1",)
    with pytest.raises(CannotOpen):  # a name that is used again has another key
        changing.unwrap("archive-2032-11.1", blob, CONTEXT)


def test_the_key_in_use_is_not_destroyed(changing: KeyProvider) -> None:
    changing.make("archive-2032-11.1")
    with pytest.raises(KeyProblem, match="in use"):
        changing.destroy("open.1")
    changing.make("open.2")
    with pytest.raises(KeyProblem, match="in use"):
        changing.destroy("open.2")
    changing.destroy("open.1")
    assert changing.current(OPEN) == "open.2"


# --- names --------------------------------------------------------------------------------------------


def test_kids_say_what_they_are_for() -> None:
    assert {purpose_of(kid) for kid in ("open.1", "kek-2026-11-23", "practice-1", "archive-2032-13.1")} == {OPEN}
    assert purpose_of("archive-2032-11.2") == "archive:2032-11" == archive_purpose("2032-11")
    assert next_kid(OPEN, ["kek-2026-11-23"]) == "open.1"
    assert next_kid(OPEN, ["open.9", "open.10", "archive-2032-11.30"]) == "open.11"
    assert next_kid("archive:2032-11", ["archive-2032-12.4"]) == "archive-2032-11.1"
    assert newest(OPEN, ["kek-2026-11-23", "kek-2026-01-01"]) == "kek-2026-01-01"  # the later in the file
    assert newest(OPEN, ["open.1", "kek-2026-11-23"]) == "open.1"


@pytest.mark.parametrize("month", ["2032-13", "2032-1", "2032", "", "2032-11-01", "../../x"])
def test_a_wrong_month_is_refused(month: str) -> None:
    with pytest.raises(ValueError, match="is no month"):
        archive_purpose(month)


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


def test_two_processes_that_add_keys_at_once_lose_none(tmp_path: Path) -> None:
    file = tmp_path / "lanyard.key"
    make_key_file(file, "open.1")
    code = (
        "import sys; from pathlib import Path; from storage.key_file import read_key_file\n"
        "held = read_key_file(Path(sys.argv[1]), None)\n"
        "for n in range(20): held.make(f'{sys.argv[2]}-{n}')"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(file), name], cwd=ROOT) for name in ("a", "b")]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(read_key_file(file, None).kids()) == 41


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
