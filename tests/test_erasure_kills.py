"""`lanyard retention erase` killed at each of its steps: the consultation is wholly there, or wholly gone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from audit.trail import read_leaves
from conversations import catalogue, store
from conversations.line import Doors
from conversations.tables import Installation
from tests.erasing import TWO_SUPERVISORS, Blob, Talk, everything, files_of, remains, sealed_in, settings_for
from tests.house import House

ROOT = Path(__file__).parents[1]
BEFORE = (  # the commit: it never happened
    "erase.after_refusals",
    "erase.after_rows",
    "erase.after_arrivals",
    "erase.after_key",
    "erase.before_commit",
)
AFTER = (  # the commit: it is gone, and running the command again finishes the work
    "erase.after_commit",
    "erase.after_forget",
    "erase.after_certificate",
)
LONG_AGO = datetime(2010, 1, 4, 21, 0, tzinfo=UTC)  # the command has the real clock: due by any
KILLED = 137


@contextmanager
def dying(settings: Mapping[str, str], folder: Path) -> Iterator[Callable[[str, str], int]]:
    """A process that erases, and dies on demand."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.erasing", str(folder)],
        cwd=ROOT,
        env=os.environ | {f"LANYARD_{name}": value for name, value in settings.items()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def erase(failpoint: str, ref: str) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{failpoint} {ref}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield erase


def leaves(house: House) -> list[bytes]:
    with house.line.database.reading() as session:
        return read_leaves(session)


def is_gap_free(house: House) -> bool:
    read = [json.loads(leaf) for leaf in leaves(house)]
    return [leaf["index"] for leaf in read] == list(range(len(read)))


def left_of(house: House, consultation: str, theirs: list[Blob]) -> set[str]:
    """Which tables name it, but for the trail and the note that it was erased, or hold anything sealed of it."""
    tables = everything(house.line.database)
    named = {name for name, rows in tables.items() if any(consultation in row for row in rows)}
    still = {one.blob for one in sealed_in(house)}
    return named - {"leaf", "erased"} | {one.table for one in theirs if one.blob in still}


def marked(house: House) -> bool:
    with house.line.database.reading() as session:
        return session.get(Installation, "forget_due") is not None


def test_every_step_of_erasure_is_killed_at() -> None:
    files = [*(ROOT / "conversations").glob("*.py"), *(ROOT / "lanyard").glob("*.py")]
    named = {name for file in files for name in re.findall(r"failpoint\(\"(erase\.[^\"]+)\"", file.read_text())}
    assert named == {*BEFORE, *AFTER}


def test_killed_at_each_step_it_is_wholly_there_or_wholly_gone(
    make_house: Callable[..., House], database_url: str, tmp_path: Path
) -> None:
    house = make_house(team=TWO_SUPERVISORS, doors=Doors(telegram=True, relay=True))
    house.clock.time = LONG_AGO
    house.do(catalogue.seed)  # which the process would otherwise do when it starts
    talk, told = Talk(house), {}
    for number, name in enumerate((*BEFORE, *AFTER)):
        told[name] = (talk.whole(f"CANARY-{number}"), f"CANARY-{number}-")
        house.clock.forward(hours=9)  # in turn on two days: keys of the day are shared
    talk.carried()
    folder = tmp_path / "certificates"
    with dying(settings_for(tmp_path, database_url), folder) as erase:
        for name, (ref, canary) in told.items():
            consultation, blobs, before = house.row(ref).id, sealed_in(house), everything(house.line.database)
            theirs = [one for one in blobs if canary in one.words or consultation in one.scope]
            others = [one for one in blobs if one.scope.startswith("consultation:") and consultation not in one.scope]

            assert erase(name, ref) == KILLED
            if name in BEFORE:
                assert everything(house.line.database) == before, name
            else:
                assert left_of(house, consultation, theirs) == set(), name
                assert marked(house) == (name != "erase.after_certificate"), name

            assert erase("-", ref) == 0  # once more: does it, or finishes it
            assert left_of(house, consultation, theirs) == set(), name
            assert not marked(house)
            assert json.loads((folder / f"erased-{ref}.json").read_bytes())["files_let_go"] is True
            still = {one.blob for one in sealed_in(house)}
            assert [one for one in others if one.blob not in still] == [], name
            assert is_gap_free(house)
            if house.line.database.is_sqlite:
                assert remains(theirs, files_of(database_url)) == [], name
    erased = [leaf for leaf in leaves(house) if b'"consultation.erased"' in leaf]
    assert len(erased) == len(told)  # each once, however often the command ran
    with house.line.database.reading() as session:
        assert all(store.erased(session, ref) for ref, _ in told.values())
