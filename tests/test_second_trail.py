"""The second trail: high-risk acts are on another volume before they happen, and one taken out later is noticed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.second import SecondTrail, SecondTrailDamaged, SecondTrailUnwritable, compare
from audit.trail import leaf_at
from conversations.erasure import Rule, erase
from conversations.work import Work
from lanyard import wiring
from lanyard.__main__ import main
from lanyard.settings import BadSettings, read_settings
from storage.database import Database
from tests.erasing import TWO_SUPERVISORS, ended, erases, leaves_of, settings_for
from tests.house import House
from tests.place import only_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder / "second.jsonl"


@pytest.fixture
def house(database_url: str, file: Path) -> Iterator[House]:
    database = Database(database_url, SecondTrail(file))
    yield House(database, team=TWO_SUPERVISORS)
    database.close()


@pytest.fixture
def over(house: House) -> str:
    """A consultation that can be erased."""
    ref = ended(house, "CANARY of the second trail")
    house.clock.forward(days=3)
    return ref


def lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines() if file.exists() else []


def compared(house: House, file: Path) -> tuple[int, int, int]:
    with house.line.database.reading() as session:
        found = compare(lines(file), lambda index: leaf_at(session, index))
    return len(found.kept), len(found.undone), len(found.missing)


def test_a_high_risk_act_is_written_elsewhere_first_and_an_ordinary_one_is_not(
    house: House, file: Path, over: str
) -> None:
    already = len(lines(file))
    house.asks("officer2")
    assert len(lines(file)) == already
    erases(house, over)
    will, did = map(json.loads, lines(file)[already:])
    assert json.loads(will["leaf"]) == leaves_of(house)[will["will"]]
    assert json.loads(will["leaf"])["event"] == "consultation.erased"
    assert (did["did"], did["hash"]) == (will["will"], will["hash"])
    assert b"CANARY" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert compared(house, file) == (len(lines(file)) // 2, 0, 0)


def test_where_it_cannot_be_written_the_act_is_refused_and_help_is_not(house: House, file: Path, over: str) -> None:
    file.unlink(missing_ok=True)
    file.mkdir()
    before = leaves_of(house)
    with pytest.raises(SecondTrailUnwritable, match=r"cannot be written .* Nothing was done"):
        erases(house, over)
    assert leaves_of(house) == before
    assert house.row(over).ref == over
    assert house.asks("officer2")


def test_an_act_that_was_undone_is_told_from_one_that_was_taken_out(house: House, file: Path, over: str) -> None:
    already = len(lines(file)) // 2
    with pytest.raises(SystemExit):
        house.do(lambda work: _erased_and_dead(work, house, over))
    assert compared(house, file) == (already, 1, 0)
    house.clock.forward(seconds=1)
    erases(house, over)
    assert compared(house, file) == (already + 1, 1, 0)
    found = compare(lines(file), lambda _index: None)
    assert (len(found.kept), len(found.undone), len(found.missing)) == (0, 1, already + 1)
    found = compare(lines(file), lambda _index: None, [range(1000)])
    assert (len(found.owned_up), len(found.missing)) == (already + 2, 0)


def test_one_taken_out_whose_line_did_was_never_written_counts_as_never_committed(
    house: House, file: Path, over: str
) -> None:
    erases(house, over)
    whole = lines(file)
    index = json.loads(whole[-1])["did"]
    with house.line.database.reading() as session:
        there = compare(whole[:-1], lambda at: leaf_at(session, at))
        gone = compare(whole, lambda at: None if at == index else leaf_at(session, at))
        unnoticed = compare(whole[:-1], lambda at: None if at == index else leaf_at(session, at))
    assert (index in there.kept, there.undone, there.missing) == (True, [], [])
    assert (gone.undone, gone.missing) == ([], [index])
    assert (unnoticed.undone, unnoticed.missing) == ([index], [])


def _erased_and_dead(work: Work, house: House, ref: str) -> None:
    """Erased, and dead after the second trail has it and before the commit."""
    erase(work, house.row(ref).id, house.id("sam"), Rule.REQUEST)
    work.tx.before_commit(sys.exit)


def test_the_command_compares_them(
    house: House,
    file: Path,
    over: str,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    only_settings(monkeypatch, settings_for(tmp_path, database_url))
    assert main(["audit", "second"]) == 2
    assert "LANYARD_SECOND_TRAIL is not set" in capsys.readouterr().err
    monkeypatch.setenv("LANYARD_SECOND_TRAIL", str(file))
    monkeypatch.setattr(wiring, "now", house.clock)
    erasing = ["retention", "erase", over, "--by", "S-300", "--rule", "request", "--certificates", str(tmp_path / "c")]
    assert main(erasing) == 0  # which writes both, too
    assert main(["audit", "second"]) == 0
    acts = len(lines(file)) // 2
    assert f"{acts} high-risk acts stand in both; 0 were never committed" in capsys.readouterr().out
    with file.open("ab") as opened:
        opened.write(b'{"did": 999, "hash": "' + b"0" * 64 + b'"}\n')
    assert main(["audit", "second"]) == 1
    assert "MISSING from the trail, though committed: leaves 999." in capsys.readouterr().out
    file.unlink()
    assert main(["audit", "second"]) == 2
    assert "Was its volume mounted?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change", [lambda line: line[:-5], lambda line: line.replace(b"erased", b"erasee"), lambda _: b"7"]
)
def test_a_damaged_line_is_named(house: House, file: Path, over: str, change: Callable[[bytes], bytes]) -> None:
    erases(house, over)
    kept = lines(file)
    kept[-2] = change(kept[-2])
    with pytest.raises(SecondTrailDamaged, match=f"Line {len(kept) - 1} "):
        compare(kept, lambda _index: None)


def test_it_may_not_lie_beside_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'data' / 'lanyard.db'}"
    more = {"database": url, "lead_phone": "01632 960 001"}
    assert read_settings(**more, second_trail=tmp_path / "elsewhere" / "second").second_trail
    with pytest.raises(BadSettings, match="LANYARD_SECOND_TRAIL lies beside the database"):
        read_settings(**more, second_trail=tmp_path / "data" / "second")
