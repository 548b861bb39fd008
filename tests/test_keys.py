"""Whoever holds the key-encryption keys behaves the same: one suite for all providers, then each one's refusals."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.key_file import make_key_file, read_key_file
from storage.providers import (
    OPEN,
    EnvironmentProvider,
    HeldKeys,
    KeyEncryptionKey,
    KeyProblem,
    KeyProvider,
    NoKeyYet,
    UnknownKey,
    archive_purpose,
    newest,
    next_kid,
    purpose_of,
)
from storage.sealing import CannotOpen
from tests.transit import StandIn, transit_provider

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
