"""When questions are asked, against who is on duty then."""

from __future__ import annotations

from audit.reports.figures import Question, Report, Sums, Tally
from audit.reports.table import Column, Plot, Rows, Table

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = range(24)


def count(question: Question) -> Tally:
    """By weekday and hour, where people are."""
    yield f"demand/{question.asked.weekday()}/{question.asked.hour}", 1


def tables(sums: Sums) -> list[Table]:
    """Questions, and IDVAs on duty on average, by hour and weekday."""
    cover = tuple(tuple(round(sums.cover.on_average.get((day, hour), 0.0), 1) for day in range(7)) for hour in HOURS)
    asked: Rows = tuple(
        (f"{hour:02}:00", *(sums.get("demand", str(day), str(hour)) for day in range(7))) for hour in HOURS
    )
    on_duty: Rows = tuple((f"{hour:02}:00", *cover[hour]) for hour in HOURS)
    columns = (Column("Hour"), *(Column(day, counts=True) for day in DAYS))
    plain = (Column("Hour"), *(Column(day) for day in DAYS))
    note = "In the picture a dashed frame marks hours in which fewer than one IDVA was on duty on average."
    return [
        Table("Questions by hour and weekday", columns, asked, sums.asked, 0, note, plot=Plot.HEAT, against=cover),
        Table("IDVAs on duty on average, by hour and weekday", plain, on_duty, sums.asked),
    ]


REPORT = Report(
    "demand", "Demand and cover", "When questions are asked, and how many IDVAs are on duty then.", count, tables
)
