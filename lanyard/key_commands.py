"""What the commands `lanyard keys …` do: make, doctor, rotate, escrow, restore. Each prints for people.

Rules kept here:
- Nothing here shows a key. A leaf of the trail names key ids and counts, never a key.
- What gives keys away, or takes them away for ever, is in the trail.
- A file that is there is never written over.
"""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from audit.events import Event
from conversations.work import BY_THE_LINE, Work, working
from lanyard.commands import house_of, say
from lanyard.schema import require_current
from lanyard.settings import BadSettings, KeySource, Settings, read_secret, read_settings
from lanyard.wiring import House, key_provider, open_database
from storage import rotation
from storage.escrow import open_escrow, seal_escrow
from storage.key_file import FileProvider, make_key_file, write_new
from storage.keys import Keyring
from storage.providers import OPEN, KeyProblem, KeyProvider, purpose_of
from storage.rotation import Batch, Under

FIRST_KID = "open.1"


def make(_asked: Namespace) -> int:
    """A fresh key-encryption key where the settings say, if there is none."""
    settings = read_settings()
    if settings.keys is not KeySource.FILE:
        return _make_elsewhere(key_provider(settings))
    try:
        make_key_file(settings.key_file, FIRST_KID)
    except FileExistsError:
        raise BadSettings(f"{settings.key_file} is there already, and is never written over.") from None
    except OSError as error:
        raise BadSettings(f"{settings.key_file} cannot be made ({error.strerror}).") from None
    say(f"Made {settings.key_file}. Keep a copy where the database is not: without it nothing opens.")
    return 0


def doctor(_asked: Namespace) -> int:
    """Where the keys are, how many rows each wraps, and whether all open. Status 1 when something is wrong."""
    settings = read_settings()
    database = open_database(settings)
    try:
        require_current(database)
        provider = key_provider(settings)
        say(f"Keys: {provider.health()}")
        with database.reading() as session:
            return _tell(rotation.examine(Keyring(provider), session))
    finally:
        database.close()


def rotate(asked: Namespace) -> int:
    """Make the next key and wrap everything under it; goes on where it was broken off."""
    if asked.batch < 1:
        raise BadSettings("--batch must be 1 or more.")
    house = house_of(read_settings())
    try:
        if asked.retire:
            return _retire(house)
        _next_key(house)
        if asked.key_only:
            say("Now let every running line read it (restart those that cannot), then run: lanyard keys rotate")
            return 0
        return _rewrap(house, asked.batch)
    finally:
        house.line.database.close()


def escrow(asked: Namespace) -> int:
    """Write the key file, sealed under a passphrase, to be kept far from here."""
    settings, out = read_settings(), Path(asked.file)
    if out.exists():
        raise BadSettings(f"{out} is there already, and is never written over.")
    provider = _file_provider(settings)
    sealed = seal_escrow(provider.content(), read_secret(Path(asked.passphrase_file)))
    house = house_of(settings)
    try:
        with working(house.line) as work:  # committed before the keys leave: no leaf, no copy
            work.record(Event.KEYS_ESCROWED, BY_THE_LINE, keys=len(provider.kids()))
        _write_new(out, sealed)
    finally:
        house.line.database.close()
    say(f"Wrote {out}: {len(provider.kids())} keys. Keep it apart from its passphrase, and both apart from here.")
    say("It still holds a month's key after that month was destroyed here: make a new one then, destroy this one.")
    return 0


def restore(asked: Namespace) -> int:
    """Make the key file again from an escrow file."""
    settings, source = read_settings(), Path(asked.file)
    if settings.keys is not KeySource.FILE:
        raise BadSettings("LANYARD_KEYS is not file: restore belongs to the key file. Use what holds the keys.")
    if settings.key_file.exists():
        raise BadSettings(f"{settings.key_file} is there already, and is never written over.")
    try:
        raw = source.read_bytes()
    except OSError as error:
        raise BadSettings(f"{source} cannot be read ({error.strerror}).") from None
    content = open_escrow(raw, read_secret(Path(asked.passphrase_file)), source)
    try:
        write_new(settings.key_file, content)
    except OSError as error:
        raise BadSettings(f"{settings.key_file} cannot be written ({error.strerror}).") from None
    say(f"Wrote {settings.key_file}: {len(content.keys)} keys. Next: lanyard keys doctor")
    return 0


def _make_elsewhere(provider: KeyProvider) -> int:
    if any(purpose_of(kid) == OPEN for kid in provider.kids()):
        raise BadSettings("There is a key already. For a newer one: lanyard keys rotate")
    say(f"Made {rotation.make_next(provider)}.")
    return 0


def _tell(found: list[Under]) -> int:
    for under in found:
        lost = f", {under.unopened} do not open" if under.unopened else ""
        say(f"{under.kid}\t{under.standing}\t{under.rows} rows{lost}")
    # What a destroyed key wrapped is meant not to open.
    wrong = sum(under.unopened for under in found if under.standing != "destroyed")
    if wrong:
        say(f"{wrong} rows do not open. Restore the right key file from escrow, or the database from a backup.")
        return 1
    behind = sum(under.rows if under.standing == "older" else under.uncommitted for under in found)
    if behind:
        say(f"{behind} rows are under an older key or lack a commitment. Run: lanyard keys rotate")
    say(f"All {sum(under.rows - under.unopened for under in found)} rows open that should.")
    return 0


def _next_key(house: House) -> None:
    """A new key, unless one is waiting already: a rotation that was broken off goes on with its own."""
    provider = house.line.keyring.provider
    with working(house.line) as work:
        if rotation.rows_behind(work.session, provider):
            say(f"Going on with {provider.current(OPEN)}.")
            return
        kid = rotation.make_next(provider)  # dying here: a key without its leaf, that wraps nothing yet
        work.record(Event.KEY_MADE, BY_THE_LINE, kid=kid)
    say(f"Made {kid}.")


def _rewrap(house: House, batch: int) -> int:
    def record(work: Work, done: Batch) -> None:
        work.quietly()
        work.record(Event.KEYS_REWRAPPED, BY_THE_LINE, batch=done.number, rows=done.rows, kids=",".join(done.kids))

    done = rotation.rotate(house.line.keyring, lambda: working(house.line), batch, record)
    say(f"Wrapped {done.rows} rows anew in {done.batches} batches.")
    if done.unopened:
        say(f"{len(done.unopened)} rows did not open and stay as they were. Run: lanyard keys doctor")
        return 1
    say("Older keys are kept, for backups from before. Once those are gone: lanyard keys rotate --retire")
    return 0


def _retire(house: House) -> int:
    with working(house.line) as work:
        kids = rotation.retire(house.line.keyring, work.session)
        for kid in kids:  # dying here: destroyed without a leaf; the key file names it among the destroyed
            work.record(Event.KEY_RETIRED, BY_THE_LINE, kid=kid)
    say(f"Retired {', '.join(kids)}: backups under them open no more." if kids else "There is no replaced key.")
    return 0


def _file_provider(settings: Settings) -> FileProvider:
    provider = key_provider(settings)
    if not isinstance(provider, FileProvider):
        raise KeyProblem("Escrow is for the key file. Keys held elsewhere are backed up by what holds them.")
    return provider


def _write_new(path: Path, content: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadSettings(f"{path} cannot be written ({error.strerror}).") from None
