"""Every figure against one reckoned by hand, from consultations really held; sums leaf by leaf as from scratch."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete, select

from access.people import NewPerson
from access.tables import Role
from audit.growth import LeafRow
from audit.reports import totals
from audit.reports.every import REPORTS, count
from audit.reports.figures import Question
from audit.reports.history import fold
from audit.reports.table import Table
from audit.reports.totals import LOCAL, ReportHead, ReportMonth, ReportShift, take_in
from conversations import consult, reports, restrict, review, rota, search, store, to_review
from conversations.advise import Advice, AdviceStatus, advise, understood
from conversations.case import Case
from conversations.errors import LineError, NoSuchReport, NotOver, RoleMissing, WrongPeriod
from conversations.reports import Period, Sharing
from conversations.review import Marked
from conversations.sampling import Sampling
from conversations.send_entry import send_entry
from conversations.tables_review import Mark, Standard
from tests.house import TEAM, House, OneWord, Scripted
from tests.test_signposting import DOGS, PETS
from tests.test_signposting import ENTRIES as CATALOGUE
from tests.test_signposting import SCRIPT as GUIDE

ROOT = Path(__file__).parent.parent
NOVEMBER = Period.of_months(date(2026, 11, 1), date(2026, 11, 1))
FORCES = TEAM | {
    "officer2": NewPerson("PC 5678", "PC 5678 Sample", "Sample Police", frozenset({Role.OFFICER})),
    "ruth": NewPerson("S-400", "Ruth Sample", "Example Hospitals NHS Trust", frozenset({Role.SUPERVISOR})),
}


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    made = make_house(team=FORCES)
    made.line = replace(made.line, guide=OneWord("knife"))
    return made


def act(house: House, ref: str, do: Callable[[Case], object]) -> None:
    """One use case on one consultation."""
    house.do(lambda work: do(Case.load(work, house.row(ref).id)))


def accepts(house: House, ref: str, name: str = "jane") -> None:
    act(house, ref, lambda case: search.accept(case, house.id(name)))


def withdraws(house: House, ref: str, name: str = "officer1") -> None:
    act(house, ref, lambda case: consult.withdraw(case, house.id(name)))


def advised(house: House, ref: str, name: str = "jane") -> None:
    """Advice, read back."""
    act(house, ref, lambda case: advise(case, house.id(name), Advice(AdviceStatus.ADVICE, "Ask", "DS")))
    act(house, ref, understood)


def four(house: House) -> list[str]:
    """Friday, 20 November 2026, 21:00, winter time. Jane is on duty for an hour and a half.

    one    21:00:00 officer1 asks; graded high; 21:01:00 answered; 21:02:00 asks on; 21:03:00 advised
    two    21:10:00 officer2 (another force) asks; 21:12:30 answered; withdrawn
    three  21:20:00 officer1 asks about a knife; 21:20:30 answered; withdrawn
    four   23:00:00 officer1 asks, nobody is on duty; 23:10:00 withdrawn
    """
    start = house.clock()
    house.on_duty("jane", hours=1.5)

    def at(minutes: float) -> None:
        house.clock.time = start + timedelta(minutes=minutes)

    one = house.asks()
    act(house, one, lambda case: consult.set_grade(case, "high"))
    accepts(house, one)
    at(1)
    house.says("jane", "Tell me more", one)
    at(2)
    house.says("officer1", "She is here", one)
    at(3)
    advised(house, one)
    at(10)
    two = house.asks("officer2")
    accepts(house, two)
    at(12.5)
    house.says("jane", "Tell me more", two)
    withdraws(house, two, "officer2")
    at(20)
    three = house.asks("officer1", "He has a knife")
    accepts(house, three)
    at(20.5)
    house.says("jane", "Tell me more", three)
    withdraws(house, three)
    at(120)
    four = house.asks()
    at(130)
    withdraws(house, four)
    return [one, two, three, four]


def counted(house: House, step: int = totals.STEP) -> None:
    """All that is in the trail."""
    more = True
    while more:
        more = house.do(lambda work: take_in(work.session, step))


def shown(house: House, name: str, period: Period = NOVEMBER, by: str = "sam") -> tuple[Table, ...]:
    counted(house)
    return house.do(lambda work: reports.look(work, house.id(by), name, period)).tables


def rows(table: Table) -> dict[str, tuple[object, ...]]:
    return {str(row[0]): row[1:] for row in table.rows}


def test_answer_times_are_those_reckoned_by_hand(house: House) -> None:
    four(house)
    times, soon = shown(house, "answer-times")
    assert rows(times) == {
        "Urgent": (2, 2, 2, "100 %", "0:30", "1:00"),
        "Not urgent": (2, 1, 0, "0 %", "2:30", "2:30"),
        "All": (4, 3, 2, "50 %", "1:00", "2:30"),
    }
    assert (times.n, times.missing) == (4, 0)
    assert {name: number for name, (number,) in rows(soon).items() if number} == {
        "Within 30 seconds": 1,
        "30 seconds to 1 minute": 1,
        "2 to 5 minutes": 1,
        "Not answered": 1,
    }


def test_minutes_waited_are_those_reckoned_by_hand(house: House) -> None:
    four(house)
    (waited,) = shown(house, "waiting")
    assert rows(waited) == {
        "Urgent": (2, 1.5, 1.0, 2.5, 1.2),  # 60 s and 30 s; then 60 s until the advice
        "Not urgent": (2, 12.5, 0.0, 12.5, 6.2),  # 2 1/2 minutes, and 10 for nothing
        "All": (4, 14.0, 1.0, 15.0, 3.8),
    }


def test_demand_and_cover_are_those_reckoned_by_hand(house: House) -> None:
    four(house)
    asked, on_duty = shown(house, "demand")
    friday = 5  # the place of its column
    assert {row[0]: row[friday] for row in asked.rows if any(row[1:])} == {"21:00": 3, "23:00": 1}
    assert sum(sum(row[1:]) for row in asked.rows) == 4  # type: ignore[arg-type, misc]
    # Three Fridays of November have gone by at 21:00 (6, 13, 20): one hour of three, and half an hour of three.
    cover = {row[0]: row[friday] for row in on_duty.rows if any(row[1:])}
    assert cover == {"21:00": 0.3, "22:00": 0.2}


def test_unanswered_and_out_of_hours_are_those_reckoned_by_hand(house: House) -> None:
    four(house)
    ends, hours = shown(house, "unanswered")
    assert {name: number for name, (number,) in rows(ends).items() if number} == {
        "The officer needed it no more": 1,
        "All": 1,
    }
    assert rows(hours) == {
        "While an IDVA was on duty": (3, 3, 2, 0, "100 %"),
        "While none was (out of hours)": (1, 0, 0, 1, "0 %"),
        "All": (4, 3, 2, 1, "75 %"),
    }


def test_flags_are_those_reckoned_by_hand(house: House) -> None:
    four(house)
    _, flags = shown(house, "topics-and-flags")
    assert rows(flags) == {"Weapon": (1, 0, 0, 0, 0)}
    assert (flags.n, flags.missing) == (4, 3)


def test_topics_and_entries_are_those_reckoned_by_hand(house: House) -> None:
    house.line = replace(house.line, guide=Scripted(GUIDE, list(CATALOGUE.values())))
    house.on_duty("jane")
    ref = house.asks("officer1", "She has a dog")
    house.asks("officer2", "What now?")
    accepts(house, ref)
    house.do(lambda work: send_entry(Case.load(work, house.row(ref).id), house.id("jane"), f"{DOGS.entry.id}.1"))
    topics, _ = shown(house, "topics-and-flags")
    assert [number for _, number in topics.rows] == [1]
    assert (topics.n, topics.missing) == (2, 1)
    (entries,) = shown(house, "entries")
    assert rows(entries) == {PETS.entry.id: (1, 0), DOGS.entry.id: (0, 1)}
    assert (entries.n, entries.missing) == (2, 1)


def test_grades_are_those_reckoned_by_hand(house: House) -> None:
    refs = four(house)
    house.do(lambda work: review.grade_later(work, refs[0], house.id("sam"), "medium"))
    (grades,) = shown(house, "grades")
    found = {
        (name, at): number for name, numbers in rows(grades).items() for at, number in enumerate(numbers) if number
    }
    assert found == {("High", 1): 1, ("Not given", 4): 3}
    assert (grades.n, grades.missing) == (4, 3)


def test_reviews_are_those_reckoned_by_hand(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_review, "SAMPLING", Sampling(drawn=0, twice=0))
    refs = four(house)
    begun = house.do(lambda work: review.begin(work, refs[0], house.id("sam")))
    marks = dict.fromkeys(Standard, Mark.YES) | {Standard.TIMELY: Mark.NO}
    done = house.do(lambda work: review.mark(work, begun.id, house.id("sam"), begun.version, Marked(marks, "", "")))
    assert rows(shown(house, "reviews")[0])["Timely"] == (0, 0, 0)  # not signed off: not counted
    house.do(lambda work: review.sign_off(work, begun.id, house.id("sam"), done.version))
    (table,) = shown(house, "reviews")
    assert rows(table) == dict.fromkeys(("Safe", "Right", "Recorded", "Kind"), (1, 0, 0)) | {"Timely": (0, 1, 0)}
    assert table.n == 1


def test_workload_is_that_reckoned_by_hand(house: House) -> None:
    four(house)
    (load,) = shown(house, "workload")
    assert rows(load) == {"Jane Example (N-100)": (3, 3, 0, 0, 0, 3, 1, 1.5)}


def test_forces_are_those_reckoned_by_hand(house: House) -> None:
    four(house)
    (forces,) = shown(house, "forces")
    assert rows(forces) == {
        "Example Constabulary": (3, 2, 2, 2, 1, "67 %"),
        "Sample Police": (1, 1, 0, 0, 0, "0 %"),
        "All": (4, 3, 2, 2, 1, "50 %"),
    }


def test_each_report_there_is_has_its_hand_reckoned_figures() -> None:
    text = Path(__file__).read_text()
    assert {name for name in REPORTS if f'"{name}"' not in text} == set()


def test_every_report_is_documented() -> None:
    text = (ROOT / "docs" / "reports.md").read_text()
    headings = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert headings == {report.title for report in REPORTS.values()}


def test_a_restricted_consultation_counts_like_any_other_and_nothing_names_it(house: House) -> None:
    refs = four(house)
    before = {name: shown(house, name) for name in REPORTS}
    act(house, refs[0], lambda case: restrict.restrict(case, house.id("officer1"), restrict.Suspect.POLICE))
    assert {name: shown(house, name, by="ruth") for name in REPORTS} == before
    told = json.dumps([[table.title, table.rows] for tables in before.values() for table in tables])
    assert not [ref for ref in refs if ref in told or house.row(ref).id in told]


def test_reports_open_no_words(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    four(house)
    counted(house)
    stored = b"".join(house.do(lambda work: list(work.session.scalars(select(ReportMonth.sums)))))
    for words in (b"knife", b"coercive", b"Tell me", b"Example", b"PC"):
        assert words not in stored


# -- Sums


def slowly(house: House) -> dict[str, Counter[str]]:
    """Every consultation from its leaves in one go, and duty from the shifts themselves: no sums, no steps."""
    with house.line.database.reading() as session:
        leaves = [json.loads(data) for data in session.scalars(select(LeafRow.data).order_by(LeafRow.index))]
    of: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for leaf in leaves:
        if leaf["consultation"]:
            of[leaf["consultation"]].append(leaf)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for told in of.values():
        history = fold(told)
        if history is not None:
            asked = datetime.fromtimestamp(history.asked_at / 1000, UTC).astimezone(LOCAL)
            covered = on_duty_at(leaves, history.leaf, history.asked_at)
            for name, number in count(Question(history, asked, covered)):
                found[f"{asked:%Y-%m}"][name] += number
    return {month: +sums for month, sums in found.items()}


def on_duty_at(leaves: list[dict[str, object]], before: int, at: int) -> bool:
    """Whether an IDVA's shift that had been entered then was running."""
    spans: list[list[object]] = []
    for leaf in leaves[:before]:
        facts = leaf["facts"]
        if leaf["event"] == "rota.changed" and facts["duty"] == "idva":  # type: ignore[index]
            spans.append([facts["person"], facts["starts"] * 1000, facts["ends"] * 1000])  # type: ignore[index]
        elif leaf["event"] == "duty.ended" and facts["duty"] == "idva":  # type: ignore[index]
            for span in spans:
                if span[0] == leaf["actor"] and span[1] <= leaf["t_ms"] < span[2]:  # type: ignore[operator]
                    span[2] = leaf["t_ms"]
    return any(starts <= at <= ends for _, starts, ends in spans)  # type: ignore[operator]


def kept(house: House) -> dict[str, Counter[str]]:
    query = select(ReportMonth.month, ReportMonth.sums)
    found = house.do(lambda work: [(month, Counter(json.loads(sums))) for month, sums in work.session.execute(query)])
    return {month: sums for month, sums in found if sums}


def forgotten(house: House) -> None:
    """The sums, thrown away."""
    for table in (ReportMonth, ReportShift, ReportHead):
        house.do(lambda work, gone=table: work.session.execute(delete(gone)))  # type: ignore[misc]


def asks_something(house: House, chance: Random) -> str:
    return house.asks(chance.choice(("officer1", "officer2")), chance.choice(("What now?", "A knife")))


def some_days(house: House, chance: Random, moves: int) -> None:
    """Whatever comes: questions, answers, shifts, ends, in any order; what is not possible is not done."""
    refs = [asks_something(house, chance)]
    doings: tuple[Callable[[str, str], object], ...] = (
        lambda _ref, _owner: refs.append(asks_something(house, chance)),
        lambda _ref, _owner: house.on_duty(chance.choice(("jane", "amira")), hours=chance.choice((1, 8))),
        lambda _ref, _owner: house.do(lambda work: rota.go_off_duty(work, house.id("jane"), store.IDVA_DUTY)),
        lambda ref, _owner: accepts(house, ref, chance.choice(("jane", "amira"))),
        lambda ref, owner: house.says(owner, "Tell me", ref),
        lambda ref, owner: advised(house, ref, owner),
        lambda ref, _owner: act(house, ref, lambda case: consult.set_grade(case, chance.choice(("high", "medium")))),
        lambda ref, _owner: house.says(house.name(house.row(ref).officer_id) or "", "And now?", ref),
    )
    for _ in range(moves):
        house.clock.forward(minutes=chance.choice((0, 0, 1, 7, 240)))
        if not chance.randrange(12):
            house.wait(minutes=2)
        ref = chance.choice(refs)
        with suppress(LineError):
            chance.choice(doings)(ref, house.name(house.row(ref).idva_id) or "jane")


@pytest.mark.parametrize("seed", range(3))
def test_sums_leaf_by_leaf_are_those_of_a_slow_recount(house: House, seed: int) -> None:
    chance = Random(seed)
    for _ in range(3):  # counted in between, by any step: what was counted is counted again once more is known
        some_days(house, chance, 16)
        counted(house, chance.choice((1, 3, 50)))
    by_leaf = kept(house)
    assert sum(sums["asked"] for sums in by_leaf.values()) > 2
    assert by_leaf == slowly(house)
    forgotten(house)
    counted(house, 1)
    assert kept(house) == by_leaf
    forgotten(house)
    counted(house)
    assert kept(house) == by_leaf


def test_other_definitions_begin_from_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    four(house)
    counted(house)
    before = kept(house)
    house.do(lambda work: setattr(work.session.get(ReportMonth, "2026-11"), "sums", b'{"asked": 99}'))
    monkeypatch.setattr(totals, "VERSION", totals.VERSION + 1)
    assert house.do(lambda work: totals.progress(work.session)).counted == 0
    counted(house)
    assert kept(house) == before


# -- Who may


@pytest.mark.parametrize("name", ["officer1", "jane"])
def test_neither_officer_nor_idva_reads_reports(house: House, name: str) -> None:
    with pytest.raises(RoleMissing):
        shown(house, "demand", by=name)


def test_no_such_report_and_no_such_period(house: House) -> None:
    with pytest.raises(NoSuchReport):
        shown(house, "words")
    for first, last in ((date(2026, 11, 1), date(2026, 10, 1)), (date(2025, 11, 1), date(2026, 11, 1))):
        with pytest.raises(WrongPeriod):
            Period.of_months(first, last)


def test_what_leaves_is_of_a_quarter_that_is_over_and_stands_in_the_trail(house: House) -> None:
    four(house)
    counted(house)
    sharing = Sharing("Example ICB", "Quarterly meeting")
    with pytest.raises(NotOver):
        house.do(lambda work: reports.share(work, house.id("sam"), "workload", (2026, 4), sharing))
    house.clock.time = datetime(2027, 1, 1, 9, tzinfo=UTC)
    assert house.do(reports.quarters_over) == [(2026, 4), (2026, 3), (2026, 2), (2026, 1)]
    taken = house.do(lambda work: reports.share(work, house.id("sam"), "workload", (2026, 4), sharing))
    assert (taken.first, taken.last) == (date(2026, 10, 1), date(2026, 12, 31))
    assert [row[0] for row in taken.tables[0].rows] == ["IDVA 1"]  # no name
    with house.line.database.reading() as session:
        leaf = json.loads(session.scalars(select(LeafRow.data).order_by(LeafRow.index.desc())).first() or "")
    assert leaf["event"] == "trail.exported"
    facts = {"report": "workload", "recipient": "Example ICB", "purpose": "Quarterly meeting", "words": False}
    assert leaf["facts"].items() >= facts.items()
