"""The page stays quick over the sums of a year of 200,000 consultations."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import event

from access.tables import Role
from audit.reports.every import REPORTS
from audit.reports.every import count as counts_of
from audit.reports.figures import Question
from audit.reports.history import History
from audit.reports.totals import LOCAL, ReportMonth, ReportShift
from knowledge.flags import Flag
from knowledge.topics import TOPICS
from tests.house import TEAM, House
from tests.test_console import Pages

DAYS, EACH_DAY = 365, 548  # 200,020
ENTRIES = [f"entry-{number}" for number in range(120)]
QUERIES = 14  # of the whole page, signing in and rights included
OF_NAMES = 6  # more, where IDVAs are named: their rows, and two a name


def question(chance: Random, idvas: list[str], day: date) -> Question:
    """One that came to something."""
    after = chance.randrange(900_000)
    idva = chance.choice(idvas)
    history = History(
        asked_at=0,
        leaf=0,
        service=f"force-{chance.randrange(40)}",
        answered_after=after,
        answer_urgent=chance.random() < 0.3,
        waits=[after, 60_000],
        end="withdraw",
        topics={chance.choice(list(TOPICS))},
        raised={chance.choice(list(Flag)).value},
        stated="medium",
    )
    history.entries.update((chance.choice(ENTRIES), "suggested") for _ in range(3))
    history.idvas.update({(idva, "taken"): 1, (idva, "words"): 5, (idva, "advice"): 1})
    return Question(history, datetime(day.year, day.month, day.day, chance.randrange(24), tzinfo=LOCAL), covered=True)


def a_year(house: House, until: date) -> None:
    """The sums of 200,020 consultations, and ten IDVAs' shifts."""
    chance, idvas = Random(1), [house.id(name) for name in ("jane", "amira")] + [f"{one:032x}" for one in range(8)]
    months: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for back in range(DAYS):
        day = until - timedelta(days=back)
        for _ in range(EACH_DAY):
            for name, number in counts_of(question(chance, idvas, day)):
                months[f"{day:%Y-%m}"][name] += number
        begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
        with house.work() as work:
            for at, idva in enumerate(idvas):
                starts = begin + at * 7_200_000
                shift = ReportShift(leaf=back * 10 + at, person_id=idva, starts_at=starts, ends_at=starts + 28_800_000)
                work.session.add(shift)
    with house.work() as work:
        for month, sums in months.items():
            work.session.add(ReportMonth(month=month, sums=json.dumps(sums).encode()))


def test_a_page_over_200_000_consultations_is_quick_and_asks_few_queries(
    make_house: Callable[..., House], tmp_path: Path
) -> None:
    house = make_house(team=TEAM)
    a_year(house, date(2026, 11, 20))
    pages = Pages(house, tmp_path)
    pages.sign_in("sam", Role.SUPERVISOR)
    queries: list[str] = []
    event.listen(house.line.database.engine, "before_cursor_execute", lambda *told: queries.append(told[2]))
    took: dict[str, list[float]] = {"": [], "?since=2025-12&until=2026-11": []}
    for _ in range(3):
        for name in REPORTS:
            for asked, times in took.items():
                queries.clear()
                began = time.process_time()
                answer = pages.client.get(f"/reports/supervisor/{name}{asked}")
                times.append(time.process_time() - began)
                assert answer.status_code == 200
                assert len(queries) <= QUERIES + (OF_NAMES if REPORTS[name].people else 0), "\n".join(
                    one[:70] + "..." + one[-90:] for one in queries
                )
    pages.client.close()
    month, year = (sorted(times)[int(len(times) * 0.95)] * 1000 for times in took.values())
    print(f"95th percentile: a month {month:.0f} ms, a year {year:.0f} ms")
    assert month < 100
    assert year < 100
