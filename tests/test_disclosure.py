"""What leaves the house: proved by itself, complete, readable on paper, and never before it was recorded."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from audit.bundle import write_consultations, write_log
from audit.checkpoint import FileStore, Signed, Signer
from audit.disclosure import Dossier, both_times, to_pdf, visible
from audit.notes import PrivateKey, log_key
from conversations import search, store, view
from conversations.advise import Advice, AdviceStatus, advise, understood
from conversations.case import Case
from conversations.consult import edit, set_incident
from conversations.disclose import Intent, intend, of_reference, told, words_of
from conversations.erasure import Rule, erase
from conversations.work import Work
from lanyard.__main__ import main
from lanyard.signing import DatabaseLog
from tests.house import NINE_PM, House
from tests.place import Place, only_settings

KEY = PrivateKey.from_private_bytes(b"k" * 32)
FIRST, CHANGED, OTHER = "Hands round her neck \u202e 👩 #let x = 1", "Both hands, ten seconds", "another matter"
PURPOSE, RECIPIENT = "criminal proceedings", "COURT-77"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log.pub"
    file.write_text(log_key("lanyard/1", KEY).format() + "\n")
    return file


@pytest.fixture
def talked(house: House) -> str:
    """A whole consultation with a change, and another one of the same officer."""
    house.on_duty("jane")
    ref = house.asks(text=FIRST)

    def act(work: Work) -> None:
        case = Case.load(work, house.row(ref).id)
        search.accept(case, house.id("jane"))
        set_incident(case, "0123")
        edit(case, store.messages_of(work.session, case.row.id)[0], house.id("officer1"), "Both hands, ten seconds")
        advise(
            case,
            house.id("jane"),
            Advice(AdviceStatus.ADVICE, "Ambulance now", "DS by 22:00", "SARC", "If she blacks out"),
        )

    house.do(act)
    house.do(lambda work: view.thread(work, ref, house.id("officer1")))
    house.do(lambda work: understood(Case.load(work, house.row(ref).id)))
    house.asks(text=OTHER)
    return ref


def signed(house: House, tmp_path: Path) -> Signed:
    return Signer(KEY, "lanyard/1", FileStore(tmp_path / "signer"), DatabaseLog(house.line.database)).sign()


def checked(*arguments: object) -> tuple[int, str]:
    ran = subprocess.run(
        ["python3", "-I", str(Path(__file__).parent.parent / "audit" / "check.py"), *map(str, arguments)],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stdout + ran.stderr


def disclose(house: House, ref: str, tmp_path: Path) -> tuple[Path, Dossier]:
    intent = Intent((house.row(ref).id,), house.id("sam"), RECIPIENT, PURPOSE)
    house.do(lambda work: intend(work, intent))
    words = house.do(lambda work: words_of(work, intent))
    note = signed(house, tmp_path)
    out = tmp_path / "bundle.zip"
    with house.line.database.reading() as session:
        write_consultations(session, intent.consultations, note.checkpoint.size, note.note, out, words)
    parts = house.do(lambda work: (told(work, house.row(ref).id, words, note.checkpoint.size),))
    point = note.checkpoint
    return out, Dossier(NINE_PM, "Sam", RECIPIENT, PURPOSE, point.origin, point.size, point.root, parts)


def test_the_whole_log_is_a_bundle_that_stands_alone(house: House, talked: str, log: Path, tmp_path: Path) -> None:
    note = signed(house, tmp_path)
    out = tmp_path / "log.zip"
    with house.line.database.reading() as session:
        write_log(session, note.checkpoint.size, note.note, out)
    assert checked(out, "--key", log)[0] == 0


def test_a_log_with_an_erased_consultation_verifies(house: House, talked: str, log: Path, tmp_path: Path) -> None:
    house.clock.forward(days=4_000)
    house.do(lambda work: erase(work, house.row(talked).id, house.id("sam"), Rule.PERIOD))
    note = signed(house, tmp_path)
    out = tmp_path / "log.zip"
    with house.line.database.reading() as session:
        write_log(session, note.checkpoint.size, note.note, out)
    code, said = checked(out, "--key", log)
    assert code == 0, said


def test_a_consultation_goes_with_every_wording_and_its_proof(
    house: House, talked: str, log: Path, tmp_path: Path
) -> None:
    out, _ = disclose(house, talked, tmp_path)
    code, said = checked(out, "--key", log)
    assert code == 0, said
    with ZipFile(out) as bundle:
        words = json.loads(bundle.read("words.json"))["messages"]
        leaves = [json.loads(base64.b64decode(one["leaf"])) for one in json.loads(bundle.read("proofs.json"))["leaves"]]
    assert {FIRST, CHANGED} <= {one["words"] for one in words}
    assert OTHER not in json.dumps(words)
    assert {leaf["consultation"] for leaf in leaves} == {house.row(talked).id}
    assert leaves[-1]["event"] == "trail.exported"
    assert leaves[-1]["facts"]["recipient"] == RECIPIENT


@pytest.mark.parametrize("change", ["words", "salt", "leaf"])
def test_a_disclosed_word_that_was_changed_is_caught(
    house: House, talked: str, log: Path, tmp_path: Path, change: str
) -> None:
    out, _ = disclose(house, talked, tmp_path)
    forged = tmp_path / "forged.zip"
    with ZipFile(out) as old, ZipFile(forged, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "words.json":
                told_ = json.loads(data)
                first = told_["messages"][0]
                first[change] = {
                    "words": "He said she fell",
                    "salt": base64.b64encode(b"s" * 32).decode(),
                    "leaf": first["leaf"] + 1,
                }[change]
                data = json.dumps(told_).encode()
            new.writestr(name, data)
    assert checked(forged, "--key", log)[0] == 1


def test_no_words_without_a_recorded_disclosure(house: House, talked: str) -> None:
    intent = Intent((house.row(talked).id,), house.id("sam"), RECIPIENT, PURPOSE)
    with pytest.raises(LookupError):
        house.do(lambda work: words_of(work, intent))


def test_an_incident_brings_all_its_consultations(house: House, talked: str) -> None:
    found = house.do(lambda work: [row.ref for row in of_reference(work, "0123", "Example Constabulary")])
    assert found == [talked]
    assert house.do(lambda work: of_reference(work, "0123", "Sample Constabulary")) == []


def test_on_paper_it_is_tagged_and_holds_every_wording_and_who_read_it(
    house: House, talked: str, tmp_path: Path
) -> None:
    _, dossier = disclose(house, talked, tmp_path)
    pdf: Any = PdfReader(BytesIO(to_pdf(dossier)))
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in pdf.trailer["/Root"]
    assert pdf.trailer["/Root"]["/Lang"] == "en-GB"
    assert b"pdfuaid:part" in pdf.trailer["/Root"]["/Metadata"].get_data()
    pages = [page.extract_text() for page in pdf.pages]
    assert len(pages) >= 2
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
    text = "\n".join(pages)
    for expected in (CHANGED, "[U+202E]", "#let x = 1", "21:00:00 UTC", "words.read", "PC 1234 Example", RECIPIENT):
        assert expected in text
    assert OTHER not in text


def test_times_are_in_utc_and_on_the_wall_and_nothing_is_hidden() -> None:
    assert both_times(datetime(2026, 7, 23, 21, tzinfo=UTC)) == "2026-07-23 21:00:00 UTC (22:00:00 BST)"
    assert both_times(datetime(2026, 11, 23, 21, tzinfo=UTC)) == "2026-11-23 21:00:00 UTC (21:00:00 GMT)"
    assert visible("a\u202eb\0\ud800\n") == "a[U+202E]b[U+0000][U+D800]\n"


def test_what_no_font_can_show_stands_there_by_its_code_point(house: House, talked: str, tmp_path: Path) -> None:
    _, dossier = disclose(house, talked, tmp_path)
    odd = "".join(chr(at) for at in range(0x4E00, 0x4E20)) + "\U0001f469 \U00012000 \ue000"
    assert to_pdf(replace(dossier, purpose=odd)).startswith(b"%PDF-")


def test_the_command_exports_and_the_command_checks(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, ran = place.folder, _runner(place, monkeypatch)
    assert main(["audit", "key", str(folder / "signer.key"), "--name", "lanyard/1"]) == 0
    (folder / "log.pub").write_text(capsys.readouterr().out)
    place.env |= {
        "CHECKPOINTS": str(folder / "elsewhere"),
        "LOG_KEYS_FILE": str(folder / "log.pub"),
        "SIGNER_KEY_FILE": str(folder / "signer.key"),
        "SIGNER_RECORD": str(folder / "signer"),
    }
    out = str(folder / "log.zip")
    assert ran("people", "add", "PC 1234", "PC 1234 Example", "Example Constabulary", "officer") == 0
    assert ran("audit", "export", out, "--recipient", "AUDIT-1", "--purpose", "inspection") == 0
    assert ran("audit", "check", out, "--key", str(folder / "log.pub")) == 0
    assert ran("audit", "export", out, "--recipient", "AUDIT-1", "--purpose", "inspection") == 2
    assert "never written over" in capsys.readouterr().err


def _runner(place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    def run(*arguments: str) -> int:
        only_settings(monkeypatch, place.env)
        return main(arguments)

    return run
