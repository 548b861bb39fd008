"""Foreign files: refused whole, with file, line and reason; nothing of them is taken (hostile inputs 73-82)."""

from __future__ import annotations

import io
import json
import time
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from knowledge.entry import BadEntry, Published
from knowledge.imports import COLUMNS, Defaults, read_file
from knowledge.open_referral import public, service
from knowledge.reading import read_folder

TODAY = date(2026, 11, 23)
GOOD: dict[str, Any] = service(public([Published(entry, 1) for entry in read_folder()])[0])


def refused(file: Path, reason: str, line: int | None = None) -> None:
    began = time.perf_counter()
    with pytest.raises(BadEntry) as error:
        read_file(file, TODAY, Defaults())
    assert reason in error.value.reason
    assert error.value.file == file.name
    assert time.perf_counter() - began < 5
    if line is not None:
        assert error.value.line == line


def changed(**more: Any) -> dict[str, Any]:
    return GOOD | more


def provenance(**more: Any) -> dict[str, Any]:
    return GOOD | {"x_lanyard": {**GOOD["x_lanyard"], **more}}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.json", b"", "empty"),
        ("a.txt", b"{}", "only .json and .csv"),
        ("a.zip", b"PK\x03\x04", "unpack an archive first"),
        ("a.json", json.dumps(GOOD).encode("utf-16"), "not UTF-8"),
        ("a.json", b'{"name": "caf\xe9"}', "not UTF-8"),
        ("a.json", b'{"id": 1,\n "name": }', "not valid JSON"),
        ("a.json", b'{"name": "x", "name": "y"}', "stands twice"),
        ("a.json", b'{"name": NaN}', "NaN is no number"),
        ("a.json", b"[" * 200_000, "nested too deeply"),
        ("a.json", b"[1, 2]", "no list of services"),
        ("a.json", b'"text"', "no list of services"),
        ("a.csv", b"slug,name\n", "the columns are"),
        ("a.csv", (",".join(COLUMNS) + "\n" + "x\n").encode(), "1 columns instead of"),
        ("a.csv", (",".join(COLUMNS) + '\n"never closed\n').encode(), "not valid CSV"),
        ("a.csv", (",".join(COLUMNS) + "\n" + "x" * 5000 + "\n").encode(), "field larger than"),
    ],
)
def test_files_of_the_wrong_kind(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    refused(file, reason)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big.json"
    with file.open("wb") as opened:
        opened.truncate(200 * 1024 * 1024)
    refused(file, "larger than 10 MB")


def test_a_zip_bomb_under_a_false_name_is_no_text(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/passwd", b"0" * 5_000_000)
    file = tmp_path / "bomb.json"
    file.write_bytes(packed.getvalue())
    with pytest.raises(BadEntry):
        read_file(file, TODAY, Defaults())


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (provenance(review_by=""), "review_by is missing"),
        (provenance(owner=""), "owner is missing"),
        (provenance(areas=[]) | {"service_areas": []}, "area is missing"),
        (provenance(topics=[]) | {"attributes": []}, "topic is missing"),
        (provenance(topics=["dragons"]), "no topic is called"),
        (provenance(areas=["atlantis"]), "no area is called"),
        (provenance(flags=["ufo"]), "no red flag is called"),
        (provenance(confirmation="sure"), "sure"),
        (provenance(hours="now and then"), "no opening hours"),
        (changed(url="https://169.254.169.254/latest/meta-data"), "bare network address"),
        (changed(url="file:///etc/passwd"), "not a plain https address"),
        (changed(url="https://localhost/"), "not a public address"),
        (changed(url="https://ex\u0430mple.org"), "a person has to look at it"),
        (changed(description="<img src=x onerror=alert(1)>"), "HTML"),
        (changed(description="[x](javascript:alert(1))"), "HTML or a script"),
        (changed(description="word " * 300), "at most 120"),
        (changed(phones=[{"number": "0909 879 0000"}]), "costs extra"),
        (changed(phones=[{"number": "12"}]), "no valid British number"),
        (changed(name=""), "name is missing"),
        (changed(phones=7), "not iterable"),
        (changed(x_lanyard=[]), "x_lanyard is an object"),
    ],
)
def test_services_that_are_wrong(tmp_path: Path, found: dict[str, Any], reason: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps([found], indent=1))
    refused(file, reason)


def test_the_line_of_the_service_that_is_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    bad = provenance(id="second", review_by="") | {"id": "second-one"}
    file.write_text(json.dumps([GOOD, bad], indent=1))
    line = next(at for at, text in enumerate(file.read_text().splitlines(), 1) if "second-one" in text)
    refused(file, "review_by is missing", line)


def test_two_of_one_id_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps([GOOD, GOOD]))
    refused(file, "stands there twice")


def test_a_circle_of_superseding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    one, other = provenance(id="one", supersedes=["two"]), provenance(id="two", supersedes=["one"])
    file.write_text(json.dumps([one, other]))
    refused(file, "supersedes itself")


def test_somebody_elses_feed_is_taken_with_what_it_cannot_know(tmp_path: Path) -> None:
    foreign = {
        "id": "6f1ed1a0-0000-4000-8000-000000000000",
        "name": "Example Fostering",
        "description": "Fosters pets.",
        "status": "active",
        "assured_date": "2026-10-01",
        "organization": {"id": "x", "name": "Example Council", "description": "x"},
        "phones": [{"id": "y", "number": "01253 477592"}],
        "service_areas": [{"id": "z", "name": "Blackpool"}],
        "schedules": [{"id": "s", "byday": "MO,TU", "opens_at": "09:00", "closes_at": "17:00"}],
        "licenses": "kept",
    }
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"contents": [foreign]}))
    refused(file, "review_by is missing")
    (entry,) = read_file(file, TODAY, Defaults("catalogue curator", date(2027, 1, 1), "pets"))
    assert (entry.id, entry.areas, entry.topics) == ("example-fostering", ("blackpool",), ("pets",))
    assert (entry.hours, entry.extra) == ("Mo,Tu 09:00-17:00", {"licenses": "kept"})
    assert not entry.hours_confirmed
