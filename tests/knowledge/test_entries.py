"""The shipped catalogue: every entry meets the rules, every topic and red flag has its entry."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from knowledge.entry import Confirmation, Entry, Kind
from knowledge.flags import Flag
from knowledge.reading import read_entry, read_folder, write_entry
from knowledge.rules import faults
from knowledge.topics import TOPICS

TODAY = date(2026, 11, 23)
SHIPPED = read_folder()
SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.id)
def test_every_shipped_entry_meets_the_rules(entry: Entry) -> None:
    assert faults(entry, TODAY) == ()


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.id)
def test_every_shipped_entry_is_written_as_it_is_read(entry: Entry) -> None:
    assert read_entry(write_entry(entry), entry.id) == entry


def test_every_topic_has_guidance_of_its_own_with_ways_officers_say_it() -> None:
    guidance = {entry.topics[0]: entry for entry in SHIPPED if entry.kind is Kind.GUIDANCE}
    assert guidance.keys() == TOPICS.keys()
    assert min(len(entry.says) for entry in guidance.values()) >= 12


def test_every_red_flag_brings_an_entry_up() -> None:
    assert {flag for entry in SHIPPED for flag in entry.flags} == {flag.value for flag in Flag}


def test_what_nobody_confirmed_is_reviewed_sooner() -> None:
    for entry in SHIPPED:
        days = (entry.review_by - entry.checked).days
        assert days <= (184 if entry.confirmation is Confirmation.TWO else 92), entry.id


def test_no_phrase_of_the_product_is_a_labelled_message() -> None:
    file = SHARED / "eval" / "questions.tsv"
    if not file.is_file():
        pytest.skip("the shared labelled messages are not here")
    with file.open(encoding="utf-8") as rows:
        labelled = {_bare(row["text"]) for row in csv.DictReader(rows, delimiter="\t")}
    root = Path(__file__).parents[2] / "knowledge"
    ours = [line for name in ("phrases.tsv", "flag_phrases.tsv") for line in (root / name).read_text().splitlines()]
    ours = [line.partition("\t")[2] for line in ours] + [text for entry in SHIPPED for text in entry.says]
    assert not labelled & {_bare(text) for text in ours}


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
