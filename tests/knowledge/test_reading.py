"""Files of entries: read strictly, refused with file, line and reason (hostile inputs 73, 75, 77, 80)."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.entry import BadEntry
from knowledge.reading import read_entry, read_folder, require_distinct

GOOD = """---
id: example-line
title: Example Line
kind: service
topics: [pets]
area: [blackpool]
phone:
- number: 01632 960123
source:
- {name: An example, date: '2026'}
confirmation: x1
owner: catalogue curator
checked: 2026-11-23
review_by: 2027-02-23
---
Fosters pets.
"""


def test_a_good_file_is_read() -> None:
    entry = read_entry(GOOD, "good.md")
    assert (entry.id, entry.phones[0].number, entry.areas) == ("example-line", "01632 960123", ("blackpool",))


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("owner: catalogue curator\n", "", 1, "owner is missing"),
        ("review_by: 2027-02-23\n", "", 1, "review_by is missing"),
        ("area: [blackpool]\n", "", 1, "area is missing"),
        ("area: [blackpool]", "area: [atlantis]", 6, "no area is called 'atlantis'"),
        ("topics: [pets]", "topics: [dragons]", 5, "no topic is called 'dragons'"),
        ("kind: service", "kind: rumour", 4, "kind is one of"),
        ("review_by: 2027-02-23", "review_by: soon", 14, "review_by is a date"),
        ("title: Example Line", "title: Example Line\ntitle: Another", 4, "title stands there twice"),
        ("title: Example Line", "title: &a Example Line", 3, "anchors and aliases"),
        ("title: Example Line", "title: !!python/object:os.system x", 3, "tags (!) are not allowed"),
        ("title: Example Line", "title: [a, b]", 3, "title is one piece of text"),
        ("title: Example Line", "title: Example Line\nsecret: x", 4, "secret is not known here"),
        ("id: example-line", "id: Example Line", 2, "id holds lower-case letters"),
        ("topics: [pets]", "topics: [pets", 6, "not valid YAML"),
        ("- number: 01632 960123", "- 01632 960123", 8, "phone is a list of number and label"),
        ("title: Example Line", "title: " + "[" * 30 + "]" * 30, 3, "nested deeper"),
    ],
)
def test_what_is_wrong_is_refused_with_line_and_reason(old: str, new: str, line: int, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(BadEntry) as refused:
        read_entry(GOOD.replace(old, new), "bad.md")
    assert reason in refused.value.reason
    assert refused.value.line == line
    assert str(refused.value).startswith(f"bad.md, line {line}: ")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (GOOD.encode("utf-16"), "not UTF-8"),
        (GOOD.replace("Fosters", "Fosters \u2013").encode("windows-1252"), "not UTF-8"),
        (GOOD.encode() + b"x" * 70_000, "longer than 64 KB"),
        (b"no front matter", "begins with a line ---"),
    ],
)
def test_files_that_are_no_entries_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadEntry, match=reason):
        read_entry(data, "bad.md")


def test_no_and_dates_stay_what_was_written() -> None:
    entry = read_entry(GOOD.replace("area:", "cost: no\narea:"), "good.md")
    assert entry.cost == "no"


def test_two_entries_of_one_id_and_circles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(GOOD)
    (tmp_path / "b.md").write_text(GOOD)
    with pytest.raises(BadEntry, match="another entry with the id"):
        read_folder(tmp_path)
    one = read_entry(GOOD.replace("owner:", "supersedes: [other]\nowner:"), "a.md")
    other = read_entry(GOOD.replace("id: example-line", "id: other\nsupersedes: [example-line]"), "b.md")
    with pytest.raises(BadEntry, match="supersedes itself"):
        require_distinct([("a.md", one), ("b.md", other)])
