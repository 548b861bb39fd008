"""People at work at Telegram: officers ask and write on, IDVAs take and answer, each line with a mark of its own.

Rules kept here:
- Everybody acts only on what their own chat shows. Nobody waits for the line: they write while it is dead, too.
- A mark is one made-up word of letters, unique for ever: wherever it turns up, it is known whose words those are.
- Chance comes from a seed. How long things take does not, so a seed repeats the plan and not the race.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from access.tables import Role
from tests.botapi import BotApi, Call, Message, Person
from tests.faults.line_process import Installation, Member

MARK = re.compile(r"\bqzx[a-z]{6}\b")
ACCEPT, GRADE = "Accept", "Medium"
BREATH = 0.02  # seconds between looks
RECEIPT = re.compile(r"Received\. |Delivered to |Not delivered\. ")
ACKNOWLEDGED = re.compile(rf"Received safely|{RECEIPT.pattern}")
BACKLOG = 25  # lines not acknowledged yet, at which people wait: only a machine too slow for the rate gets there


def mark(number: int) -> str:
    """The mark of the n-th line."""
    letters = ""
    for _ in range(6):
        number, digit = divmod(number, 26)
        letters = chr(97 + digit) + letters
    return "qzx" + letters


@dataclass(frozen=True)
class Said:
    """One line that somebody wrote."""

    mark: str
    by: Member
    message_id: int  # in the writer's chat
    answers: str | None = None  # the mark it answers


class Load:
    """Officers and IDVAs, at a steady rate."""

    def __init__(self, api: BotApi, installation: Installation, chance: Random, rate: float = 5.0) -> None:
        self.said: list[Said] = []
        self.taps = 0
        self.ignores = 0.0  # the share of offers and buttons that nobody touches
        self._api = api
        self._chance = chance
        self._every = 1 / rate
        self._next_at = 0.0
        self._read = 0
        self._officers = installation.members(Role.OFFICER)
        self._members = {member.telegram: member for member in installation.team}
        self._people = {member.telegram: api.person(member.telegram, member.name) for member in installation.team}
        self._to_tap: list[tuple[Member, int, str]] = []
        self._to_answer: list[tuple[Member, int, str]] = []
        self._seen: set[tuple[int, str]] = set()
        self._acknowledged: set[tuple[int, int]] = set()

    def arrive(self) -> None:
        """Everybody presses Start."""
        for person in self._people.values():
            person.start()

    def person(self, member: Member) -> Person:
        """Somebody's account."""
        return self._people[member.telegram]

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Work for some time; whether `until` came true before."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until():
                return True
            self.react()
            self.write_if_due()
            time.sleep(BREATH)
        return until()

    def wait(self, until: Callable[[], bool]) -> None:
        """React, but write nothing."""
        while not until():
            self.react()
            time.sleep(BREATH)

    def write_some(self, many: int) -> None:
        """So many officers write, at once."""
        for officer in self._chance.sample(self._officers, many):
            self.write(officer)

    def write_if_due(self) -> None:
        """Keep the rate: an answer or an officer's line, whenever one is due."""
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = max(self._next_at + self._every, now - 1.0)
        if len(self.said) - len(self._acknowledged) > BACKLOG:
            return
        if self._to_answer and self._chance.random() < 0.5:
            self._answer()
        else:
            self.write(self._chance.choice(self._officers))

    def write(self, officer: Member) -> Said:
        """An officer writes: a question, or on with the one that is open."""
        return self._say(officer)

    def react(self) -> None:
        """See what is new in every chat; take what is offered."""
        for call in self._news():
            self._see(call)
        while self._to_tap:
            member, message_id, label = self._to_tap.pop()
            message = self.person(member).message(message_id)
            if message is not None and label in message.labels:
                self.person(member).tap(message, label)
                self.taps += 1

    @property
    def answers_due(self) -> int:
        """How many lines of officers nobody has answered yet."""
        return len(self._to_answer)

    def answer_everything(self) -> None:
        """IDVAs answer every line that they see and have not answered."""
        while self._to_answer:
            self._answer()

    def accept_again(self) -> None:
        """IDVAs tap whatever offer is still on their screens."""
        for member in self._members.values():
            if member.role is Role.IDVA:
                for message in self.person(member).from_bot:
                    self._want(member, message, ACCEPT)

    def withdraw_all(self) -> None:
        """Officers end what they asked."""
        self._to_answer.clear()
        for officer in self._officers:
            self.person(officer).write("/withdraw")

    def _want(self, member: Member, message: Message, label: str) -> None:
        if label in message.labels:
            self._to_tap.append((member, message.message_id, label))

    def _answer(self) -> None:
        idva, message_id, answered = self._to_answer.pop(0)
        self._say(idva, reply_to=message_id, answers=answered)

    def _say(self, by: Member, reply_to: int | None = None, answers: str | None = None) -> Said:
        word = mark(len(self.said))
        written = self.person(by).write(f"{word} said {by.role.value}", reply_to=reply_to)
        said = Said(word, by, written.message_id, answers)
        self.said.append(said)
        return said

    def _news(self) -> list[Call]:
        """Calls that have ended since the last look, in order; polls are no news."""
        calls = self._api.calls()
        news = []
        while self._read < len(calls):
            call = calls[self._read]
            if call.method != "getUpdates":
                if call.outcome == "open":
                    break
                news.append(call)
            self._read += 1
        return news

    def _see(self, call: Call) -> None:
        member = self._members.get(call.chat_id or 0)
        if member is None or not call.applied or call.method != "editMessageText":
            return
        message_id = int(call.params["message_id"])
        message = self.person(member).message(message_id)
        if message is None:
            return
        if ACKNOWLEDGED.search(message.text):
            self._acknowledged.add((member.telegram, message_id))
        wanted = ACCEPT if member.role is Role.IDVA else GRADE
        if (message_id, wanted) not in self._seen and self._chance.random() >= self.ignores:
            self._want(member, message, wanted)
        self._seen.add((message_id, wanted))
        if member.role is Role.IDVA:
            for word in MARK.findall(message.text):
                if (member.telegram, word) not in self._seen:
                    self._seen.add((member.telegram, word))
                    self._to_answer.append((member, message_id, word))
