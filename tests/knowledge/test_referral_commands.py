"""`lanyard knowledge export`, `import` and `links`: what they print, refuse and store, and what a kill leaves."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Mount

from access.people import find_by_staff_id
from audit.trail import read_leaves
from conversations.work import working
from knowledge import library
from knowledge.embedding import Embedder, ModelMissing
from knowledge.entry import Entry
from knowledge.live_guide import LiveGuide
from knowledge.reading import read_folder
from knowledge.tables import State
from lanyard import asking_pages
from lanyard.__main__ import main
from lanyard.commands import at_home
from lanyard.wiring import House, Server
from tests.knowledge.foreign import foreign
from tests.place import Place, only_settings

ROOT = Path(__file__).parents[2]
GIVEN = ("--owner", "catalogue lead", "--review-by", "2027-05-01", "--topic", "pets")
DIES_AFTER_THE_SECOND = """
import itertools, os, signal, sys
from conversations import catalogue
from lanyard.__main__ import main
propose, calls = catalogue.propose, itertools.count(1)
def dying(*given):
    propose(*given)
    if next(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
catalogue.propose = dying
main(sys.argv[1:])
"""
DIES_IN_THE_SWITCH = """
import os, signal
from datetime import UTC, datetime
from knowledge import library
from lanyard.commands import at_home
with at_home() as house, house.line.database.transaction() as tx:
    row = library.in_state(tx.session, library.State.PROPOSED)[0]
    row.state = library.State.APPROVED.value
    library.publish(tx.session, row.proposed_by, datetime(2026, 11, 23, tzinfo=UTC))
    assert library.live_number(tx.session) == 2
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def installed(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An installation with a curator and an officer."""
    only_settings(monkeypatch, place.env)
    assert main(["people", "add", "C-500", "Cleo Example", "Example Hospitals NHS Trust", "curator"]) == 0
    assert main(["people", "add", "PC 1234", "PC 1234 Example", "Example Constabulary", "officer"]) == 0
    return place


@pytest.fixture
def home(installed: Place) -> Iterator[House]:
    with at_home() as house:
        yield house


def file_of(folder: Path, *services: dict[str, Any]) -> str:
    """A feed."""
    file = folder / "feed.json"
    file.write_text(json.dumps(list(services), indent=1))
    return str(file)


def feed(folder: Path, many: int = 1) -> str:
    """A feed of made-up services."""
    ids = [f"0b0f5e8a-9d1d-4f0c-8f53-{n:012}" for n in range(many)]
    return file_of(folder, *(foreign(id=one, name=f"Example Fostering {n}") for n, one in enumerate(ids)))


def live(house: House) -> list[Entry]:
    with house.line.database.reading() as session:
        return [one.entry for one in library.live(session)]


def waiting(house: House) -> list[str]:
    with house.line.database.reading() as session:
        return [row.entry_id for row in library.in_state(session, State.PROPOSED)]


def test_export_writes_the_shipped_directory_without_settings_or_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANYARD_DATABASE", "nonsense")
    public = {one.id for one in read_folder() if one.public}
    assert main(["knowledge", "export", "--format", "open-referral"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert {one["x_lanyard"]["id"] for one in page["contents"]} == public
    assert main(["knowledge", "export", "--format", "csv"]) == 0
    assert {row["slug"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))} == public


def test_export_of_the_live_catalogue_follows_it(home: House, capsys: pytest.CaptureFixture[str]) -> None:
    with working(home.line) as work:
        library.withdraw(work.session, "samaritans", person(home, "C-500"), "An example", work.now)
    capsys.readouterr()
    assert main(["knowledge", "export", "--live"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert len(page["contents"]) > 50
    assert "samaritans" not in {one["x_lanyard"]["id"] for one in page["contents"]}


def person(house: House, staff_id: str) -> str:
    with house.line.database.reading() as session:
        return find_by_staff_id(session, house.line.keyring, staff_id).id


def test_import_prints_what_would_change_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["knowledge", "export", "--format", "csv"]) == 0
    table = tmp_path / "directory.csv"
    table.write_text(capsys.readouterr().out.replace("116 123", "116 000"))
    assert main(["knowledge", "import", str(table)]) == 0
    printed = capsys.readouterr().out
    assert "changed  samaritans" in printed
    assert "- - number: 116 123" in printed
    assert "+ - number: 116 000" in printed
    assert main(["knowledge", "import", feed(tmp_path), *GIVEN]) == 0
    assert "new      example-fostering-0: Example Fostering 0" in capsys.readouterr().out


@pytest.mark.parametrize("by", [(), ("--by", "C-500")])
def test_a_wrong_file_is_refused_whole_in_one_line_and_the_live_catalogue_stays(
    home: House, tmp_path: Path, by: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = live(home)
    file = file_of(tmp_path, foreign(), foreign(id="7"))
    capsys.readouterr()
    assert main(["knowledge", "import", file, *GIVEN, *by]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lanyard: feed.json, line ")
    assert printed.err.count("\n") == 1
    assert (live(home), waiting(home)) == (before, [])


def test_a_curator_proposes_what_changes_once_and_the_trail_says_so(
    home: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = live(home)
    file = feed(tmp_path, 3)
    for _ in range(2):
        assert main(["knowledge", "import", file, *GIVEN, "--by", "C-500"]) == 0
    assert "0 proposed" in capsys.readouterr().out
    assert waiting(home) == ["example-fostering-0", "example-fostering-1", "example-fostering-2"]
    assert live(home) == before
    with home.line.database.reading() as session:
        kinds = [json.loads(leaf)["event"] for leaf in read_leaves(session)]
    assert kinds.count("entry.proposed") == 3


@pytest.mark.parametrize("by", ["PC 1234", "nobody"])
def test_whoever_may_not_propose_stores_nothing(home: House, tmp_path: Path, by: str) -> None:
    assert main(["knowledge", "import", feed(tmp_path), *GIVEN, "--by", by]) == 2
    assert waiting(home) == []


def killed(place: Place, script: str, *arguments: str) -> None:
    """Run a script until it kills itself."""
    env = os.environ | {f"LANYARD_{name}": value for name, value in place.env.items()}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_half_way_through_an_import_nothing_of_it_is_there(installed: Place, tmp_path: Path) -> None:
    with at_home() as house:
        before = live(house)
    file = feed(tmp_path, 3)
    killed(installed, DIES_AFTER_THE_SECOND, "knowledge", "import", file, *GIVEN, "--by", "C-500")
    with at_home() as house:
        assert (live(house), waiting(house)) == (before, [])
    assert main(["knowledge", "import", file, *GIVEN, "--by", "C-500"]) == 0
    with at_home() as house:
        assert len(waiting(house)) == 3


def test_killed_half_way_through_the_switch_the_old_release_is_live(installed: Place, tmp_path: Path) -> None:
    assert main(["knowledge", "import", feed(tmp_path), *GIVEN, "--by", "C-500"]) == 0
    with at_home() as house:
        before = live(house)
    killed(installed, DIES_IN_THE_SWITCH)
    with at_home() as house:
        assert (live(house), waiting(house)) == (before, ["example-fostering-0"])
        with house.line.database.reading() as session:
            assert library.live_number(session) == 1


def no_model() -> Embedder:
    raise ModelMissing("left out")


def test_the_server_gives_out_what_is_live_and_takes_up_a_new_release(home: House) -> None:
    server = Server(home)
    server._guide = LiveGuide(no_model)  # by words alone: quick, and all the same to the directory
    front = next(route.app for route in server.app.routes if isinstance(route, Mount)).state.front  # type: ignore[attr-defined]
    assert front.directory() is None
    server._renew_guide()
    first = front.directory()
    assert [one.entry for one in first] == live(home)
    server._renew_guide()
    assert front.directory() is first
    with working(home.line) as work:
        library.withdraw(work.session, "samaritans", person(home, "C-500"), "An example", work.now)
    server._renew_guide()
    assert len(front.directory()) == len(first) - 1


def test_links_lists_what_is_bad(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(asking_pages, "resolve", lambda _host: ["127.0.0.1"])
    assert main(["knowledge", "links"]) == 1
    printed = capsys.readouterr().out.splitlines()
    with_page = [one for one in read_folder() if one.web]
    assert len(printed) == len(with_page) + 1
    assert all("private network" in line for line in printed[:-1])
