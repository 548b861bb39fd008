"""What questions are about: topics of the guidance that came up at once, and red flags."""

from __future__ import annotations

from audit.reports.figures import Question, Report, Sums, Tally
from audit.reports.table import Cell, Column, Plot, Table

ANSWERS = {"not so": "Officer: not so", "yes": "Asked: yes", "no": "Asked: no", "unknown": "Asked: cannot say"}


def count(question: Question) -> Tally:
    """Each consultation once for each of its topics, flags, and answers about a flag."""
    one = question.history
    for topic in one.topics:
        yield f"topic/{topic}", 1
    for flag in one.raised:
        yield f"flag/{flag}/raised", 1
    for flag, said in one.flag_answers:
        yield f"flag/{flag}/{said}", 1
    yield ("topical/yes" if one.topics else "topical/no"), 1
    yield ("flagged/yes" if one.raised else "flagged/no"), 1


def tables(sums: Sums) -> list[Table]:
    """Topics and flags, the most frequent first."""
    topics = sorted(sums.under("topic").items(), key=lambda found: (-found[1], found[0]))
    columns = (Column("Topic"), Column("Questions", counts=True))
    about = Table(
        "Topics",
        columns,
        tuple((sums.name(topic), count) for topic, count in topics),
        sums.asked,
        sums.get("topical", "no"),
        "The main topic of each entry the officer was shown at once; a question may have several. Missing: none was.",
        plot=Plot.BARS,
    )
    return [about, _flags(sums)]


def _flags(sums: Sums) -> Table:
    found = sums.under("flag")
    flags = sorted({name.partition("/")[0] for name in found}, key=lambda flag: (-found.get(f"{flag}/raised", 0), flag))
    columns = (
        Column("Red flag"),
        Column("Raised", counts=True),
        *(Column(title, counts=True) for title in ANSWERS.values()),
    )
    rows: list[tuple[Cell, ...]] = [
        (sums.name(flag), *(found.get(f"{flag}/{what}", 0) for what in ("raised", *ANSWERS))) for flag in flags
    ]
    note = "A question may have several. Missing: questions in which none was raised."
    return Table("Red flags", columns, tuple(rows), sums.asked, sums.get("flagged", "no"), note, plot=Plot.BARS)


REPORT = Report(
    "topics-and-flags", "Topics and flags", "What questions were about, and which red flags came up.", count, tables
)
