"""A person at Telegram: their chat with the bot as the stand-in shows it, its buttons tapped by label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from conversations import wording
from tests.botapi import Message, Person, Tap
from tests.journeys.actors import Actor, Entry

if TYPE_CHECKING:
    from tests.journeys.stage import Stage

_RECEIPTS = {"Received": "received", "Delivered": "delivered", "Not delivered": "failed"}


class AtTelegram(Actor):
    """In a private chat with the bot."""

    place = "Telegram"

    def __init__(self, stage: Stage, name: str, person: Person) -> None:
        super().__init__(stage, name)
        self.person = person
        self._taps: list[Tap] = []
        self._sent: dict[str, Message] = {}
        self._held: list[Message] = []

    # --- the chat ---------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        topics = self.person.topics
        return [
            Entry(
                (message.message_id, message.text),
                message.text,
                message.labels,
                topics.get(message.thread or 0) or self.stage.ref_in(message.text),
            )
            for message in self.person.from_bot
        ]

    def delivery_of(self, words: str) -> str:
        mine = self._sent[words].message_id
        receipts = [message.text for message in self.person.from_bot if message.reply_to == mine]
        starts = (start for start in _RECEIPTS if any(text.startswith(start) for text in receipts))
        return _RECEIPTS[next(starts)] if receipts else "not there"

    async def can_take(self, ref: str) -> bool:
        return any("Accept" in entry.labels and ref in entry.text for entry in self.entries())

    def hear_answers(self) -> None:
        """What the taps of the last act were answered."""
        for tap in self._taps:
            self.answered(tap.wait_for_answer()["text"])
        self._taps.clear()

    # --- what they do -----------------------------------------------------------------------------

    async def write(self, words: str, ref: str | None, *, anew: bool = False) -> None:
        if anew:
            self._sent[words] = self.person.write(f"/new {words}")
            return
        place: dict[str, int] = {}
        if ref is not None:
            place = self._place_of(ref)
        self._sent[words] = self.person.write(words, place.get("reply_to"), place.get("thread"))

    def _place_of(self, ref: str) -> dict[str, int]:
        """The topic of a consultation; where there is none, its newest message, to be replied to."""
        topic = next((number for number, name in self.person.topics.items() if name == ref), None)
        if topic is not None:
            return {"thread": topic}
        newest = next((one for one in reversed(self.person.from_bot) if ref in one.text), None)
        assert newest is not None, f"{self.name} has no message of {ref} to reply to"
        return {"reply_to": newest.message_id}

    async def change(self, old: str, new: str) -> None:
        self._sent[new] = self.person.edit(self._sent.pop(old), new)

    async def tap(self, label: str, ref: str | None, times: int = 1) -> None:
        message = self._with_button(label, ref)
        if times == 2:
            self._taps.extend(self.person.double_tap(message, label))
            return
        self._taps.extend(self.person.tap(message, label) for _ in range(times))

    def _with_button(self, label: str, ref: str | None) -> Message:
        topic = {name: number for number, name in self.person.topics.items()}.get(ref or "")
        for message in reversed(self.person.from_bot):
            here = ref is None or ref in message.text or (topic is not None and message.thread == topic)
            if here and label in message.labels:
                return message
        shown = [list(message.labels) for message in self.person.from_bot if message.labels]
        raise AssertionError(f"{self.name} sees no button {label!r}, but {shown}")

    def hold_on(self) -> None:
        self._held = list(self.person.from_bot)

    async def tap_held(self, label: str) -> None:
        message = next(one for one in reversed(self._held) if label in one.labels)
        self._taps.append(self.person.tap(message, label))

    async def accept(self, ref: str) -> None:
        await self.tap(wording.label("accept"), ref)

    async def decline(self, ref: str, reason: str) -> None:
        await self.tap(wording.label("decline", reason), ref)

    async def withdraw(self, ref: str | None) -> None:
        self.person.write("/withdraw")

    async def set_log(self, number: str, ref: str) -> None:
        self.person.write(f"/log {number}")

    async def deal_with(self, ref: str) -> None:
        await self.tap(wording.label("lead_took"), ref)

    async def advise(self, ref: str | None, form: Mapping[str, str]) -> None:
        lines = ["/advise", *(f"{name.replace(' it', '')}: {text}" for name, text in form.items())]
        await self.write("\n".join(lines), ref)

    def open_form(self, ref: str) -> None:
        """Passing on is a form of the desk page: the chat must have given the link to it."""
        link = self.stage.house.line.doors.link(f"/desk/{ref}")
        seen = any(link in entry.text for entry in self.entries())
        assert seen, f"nothing in {self.name}'s chat leads to {link}, where the form is"
