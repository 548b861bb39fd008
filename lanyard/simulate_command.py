"""What `lanyard simulate` does: play a day with a rota, and say how long officers waited and where nobody was there."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import ceil

from conversations.search import LOCAL
from lanyard.commands import say
from lanyard.simulation import Answer, Manners, Plan, Simulation, Stand

PROMPT = 120  # seconds


def simulate(asked: Namespace) -> int:
    """Play it, and print what came of it."""
    plan = Plan(asked.day, tuple(asked.shift or Plan.shifts), asked.questions, seed=asked.seed)
    say(f"{plan.questions} questions on {plan.day:%A %d %B %Y}, IDVAs on {_shifts(plan)}. Everybody is made up.")
    say("Assumed: " + ", ".join(f"{name} {value:g}" for name, value in asdict(Manners()).items()) + ".")
    simulation = Simulation(plan)
    stands = simulation.play()
    say(_told("At midnight", next(stands)))
    say(_told("At noon of the next day", last := next(stands)))
    for line in _times(simulation.answers()):
        say(line)
    for line in _by_hour(simulation):
        say(line)
    return 1 if last.lost else 0


def shift(text: str) -> tuple[int, int]:
    """`14-22`, in hours of the day."""
    first, _, second = text.partition("-")
    if not (first.isdecimal() and second.isdecimal() and int(first) < 24 and int(second) <= 24 and first != second):
        raise ArgumentTypeError(f"{text!r} is no shift: write two hours of the day, as 14-22 or 22-6")
    return int(first), int(second) % 24


def _shifts(plan: Plan) -> str:
    return ", ".join(f"{start}-{end}" for start, end in plan.shifts)


def _told(when: str, stand: Stand) -> str:
    return f"{when}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in asdict(stand).items()) + "."


def _times(answers: Sequence[Answer]) -> Iterator[str]:
    for name, of in (("urgent", [one for one in answers if one.urgent]), ("all", answers)):
        times = _seconds(of)
        yield (
            f"First answer, {name}: {len(times)} of {len(of)}, {_prompt(times)} within 2 minutes; "
            f"median {_clocked(_at(times, 0.5))}, 90th percentile {_clocked(_at(times, 0.9))}"
        )


def _by_hour(simulation: Simulation) -> Iterator[str]:
    yield "hour    IDVAs   asked   within 2 minutes   median wait"
    answers = simulation.answers()
    for hour in range(24):
        of = [one for one in answers if one.asked_at.astimezone(LOCAL).hour == hour]
        times, there = _seconds(of), simulation.on_duty(hour)
        gap = "   nobody there" if of and not there else ""
        yield f"{hour:02}:00 {there:8.1f} {len(of):7} {_prompt(times):18} {_clocked(_at(times, 0.5)):>13}{gap}"


def _seconds(answers: Sequence[Answer]) -> list[float]:
    return sorted(one.after for one in answers if one.after is not None)


def _prompt(times: Sequence[float]) -> int:
    return sum(time <= PROMPT for time in times)


def _at(times: Sequence[float], share: float) -> float | None:
    """The smallest that at least this share of all does not exceed."""
    return times[ceil(share * len(times)) - 1] if times else None


def _clocked(time: float | None) -> str:
    minutes, seconds = divmod(round(time or 0), 60)
    return "-" if time is None else f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
