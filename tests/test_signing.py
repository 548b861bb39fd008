"""Signing, publishing, witnessing and starting over one installation: growth goes on, anything else is refused."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.checkpoint import FileStore, LogForked, LogIsBehind, RecordLost
from audit.events import Event
from audit.notes import VerifierKey, cosigner_key, verify_note
from audit.trail import Leaf, read_leaves, record
from audit.witness import WitnessKey, serve_witness
from lanyard.__main__ import main
from lanyard.settings import read_settings
from lanyard.signing import DatabaseLog, Notary, TrailProblem, read_signing_key, recover, require_whole
from storage.database import Database
from tests.place import Place, only_settings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command: status, what it printed, what it said on standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        only_settings(monkeypatch, place.env)
        capsys.readouterr()
        status = main(arguments)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@pytest.fixture
def signed(place: Place, command: Command) -> Place:
    """An installation with a signer's key and a folder for checkpoints."""
    folder = place.folder
    public = command("audit", "key", str(folder / "signer.key"), "--name", "lanyard/1")[1]
    (folder / "log.pub").write_text(public)
    place.env |= {
        "CHECKPOINTS": str(folder / "elsewhere"),
        "LOG_KEYS_FILE": str(folder / "log.pub"),
        "SIGNER_KEY_FILE": str(folder / "signer.key"),
        "SIGNER_RECORD": str(folder / "signer"),
    }
    assert command("people", "list")[0] == 0  # also puts the settings in place
    return place


@pytest.fixture
def database(signed: Place) -> Iterator[Database]:
    opened = Database(f"sqlite:///{signed.database}")
    yield opened
    opened.close()


def grow(database: Database, count: int, event: Event = Event.SIGNED_IN) -> None:
    for _ in range(count):
        with database.transaction() as tx:
            record(tx, Leaf(event, NOON, "line"))


def notary(database: Database) -> Notary:
    return Notary(read_settings(), database, lambda _line: None)


def test_growth_is_signed_and_published_and_a_start_over_it_goes_well(signed: Place, database: Database) -> None:
    grow(database, 5)
    made = notary(database).look(NOON)
    assert made is not None
    size, root = DatabaseLog(database).size_and_root()
    assert (made.checkpoint.size, made.checkpoint.root) == (size, root)
    assert (signed.folder / "elsewhere" / "lanyard_1" / "checkpoint").read_bytes() == made.note
    grow(database, 3)
    require_whole(read_settings(), database)


def test_signed_after_a_minute_or_a_hundred_leaves_and_at_once_when_urgent(signed: Place, database: Database) -> None:
    grow(database, 1)
    keeper = notary(database)
    assert keeper.look(NOON)
    grow(database, 99)
    assert keeper.look(NOON + timedelta(seconds=59)) is None
    grow(database, 1)
    assert keeper.look(NOON + timedelta(seconds=59))
    grow(database, 1)
    assert keeper.look(NOON + timedelta(seconds=100)) is None
    assert keeper.look(NOON + timedelta(seconds=119))
    grow(database, 1, Event.STANDING_SET)
    assert keeper.look(NOON + timedelta(seconds=120))


@pytest.mark.parametrize("lost", range(1, 21))
def test_a_restored_backup_is_refused_by_signer_and_line_until_somebody_owns_up_to_it(
    signed: Place, command: Command, lost: int
) -> None:
    backup = signed.folder / "backup.db"
    first = Database(f"sqlite:///{signed.database}")
    grow(first, 4)
    first.close()
    shutil.copy(signed.database, backup)
    later = Database(f"sqlite:///{signed.database}")
    grow(later, lost)
    assert notary(later).look(NOON)
    later.close()
    shutil.copy(backup, signed.database)

    restored = Database(f"sqlite:///{signed.database}")
    with pytest.raises(LogIsBehind):
        notary(restored).look(NOON)
    status, _, said = command("people", "list")
    assert (status, said.count("\n")) == (2, 1)
    assert "it is an older copy" in said
    assert "lanyard audit recover" in said
    # One leaf of the catalogue that comes with the program, four of people.
    assert recover(read_settings(), restored, "INC-1") == (2, 5, 5 + lost)
    require_whole(read_settings(), restored)
    again = notary(restored).look(NOON)
    assert again is not None
    assert again.checkpoint.origin == "lanyard/2"
    with restored.reading() as session:
        last = json.loads(read_leaves(session)[-1])
    assert last["event"] == "trail.recovered"
    assert last["facts"] == {"epoch": 2, "lost_from": 5, "lost_to": 5 + lost, "reference": "INC-1"}
    restored.close()
    shutil.copy(backup, signed.database)  # and rolled back once more, behind the new epoch
    once_more = Database(f"sqlite:///{signed.database}")
    with pytest.raises(TrailProblem, match="a later epoch was published"):
        require_whole(read_settings(), once_more)
    once_more.close()


@pytest.mark.parametrize("at", range(20))
def test_a_rewritten_history_is_refused_by_signer_and_line(signed: Place, at: int) -> None:
    """The whole trail made anew, one leaf different, every hash right."""
    honest = Database(f"sqlite:///{signed.database}")
    grow(honest, 25)
    assert notary(honest).look(NOON)
    grow(honest, 2)
    with honest.reading() as session:
        count = len(read_leaves(session))
    honest.close()
    forged = Database(f"sqlite:///{signed.folder / 'forged.db'}")
    shutil.copy(signed.database, signed.folder / "forged.db")
    with forged.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER leaf_no_delete"))
        connection.execute(text("DELETE FROM leaf"))
        connection.execute(text("UPDATE trail_head SET size = 0, frontier = NULL"))
    for index in range(count):
        grow(forged, 1, Event.SIGNED_OUT if index == at else Event.SIGNED_IN)
    with pytest.raises(LogForked):
        notary(forged).look(NOON)
    with pytest.raises(TrailProblem, match="not the one that was published"):
        require_whole(read_settings(), forged)
    with pytest.raises(TrailProblem, match="Nothing is lost"):
        recover(read_settings(), forged, "INC-1")
    forged.close()


def test_a_signer_that_lost_its_record_refuses(signed: Place, database: Database) -> None:
    grow(database, 3)
    assert notary(database).look(NOON)
    shutil.rmtree(signed.folder / "signer")
    grow(database, 1)
    with pytest.raises(RecordLost):
        notary(database).look(NOON + timedelta(hours=1))


def test_somebody_at_the_published_checkpoints_is_noticed(signed: Place, database: Database) -> None:
    grow(database, 3)
    assert notary(database).look(NOON)
    file = signed.folder / "elsewhere" / "lanyard_1" / "checkpoint"
    file.write_bytes(file.read_bytes().replace(b"\n4\n", b"\n2\n"))
    with pytest.raises(TrailProblem, match="cannot be trusted"):
        require_whole(read_settings(), database)


def test_the_partners_witness_cosigns_and_its_line_is_published(
    signed: Place, database: Database, command: Command
) -> None:
    public = command("audit", "key", str(signed.folder / "partner.key"), "--name", "partner.example", "--witness")[1]
    key = WitnessKey("partner.example", read_signing_key(signed.folder / "partner.key"))
    assert VerifierKey.parse(public.strip()) == cosigner_key(key.name, key.private)
    log = VerifierKey.parse((signed.folder / "log.pub").read_text().strip())
    store = FileStore(signed.folder / "partner")
    server = serve_witness(("127.0.0.1", 0), store, {log.name: [log]}, key, lambda: NOON)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        signed.env["WITNESSES"] = json.dumps({url: public.strip()})
        assert command("people", "list")[0] == 0
        keeper = notary(database)
        for turn in range(3):
            grow(database, 10)
            assert keeper.look(NOON + timedelta(minutes=2 * turn))
            note = (signed.folder / "elsewhere" / "lanyard_1" / "checkpoint").read_bytes()
            assert verify_note(note, [log, VerifierKey.parse(public.strip())]).names == {"lanyard/1", key.name}
    finally:
        server.shutdown()
        server.server_close()


def test_a_witness_that_is_away_holds_nothing_up(signed: Place, database: Database, command: Command) -> None:
    public = command("audit", "key", str(signed.folder / "partner.key"), "--name", "partner.example", "--witness")[1]
    signed.env["WITNESSES"] = json.dumps({"http://127.0.0.1:9": public.strip()})
    assert command("people", "list")[0] == 0
    grow(database, 1)
    assert notary(database).look(NOON)


def test_checkpoints_without_their_key_are_refused(place: Place, command: Command) -> None:
    place.env["CHECKPOINTS"] = str(Path("elsewhere"))
    status, _, said = command("people", "list")
    assert status == 2
    assert "need each other" in said
