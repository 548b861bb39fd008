"""What must hold after every fault, whatever was killed when: one checker, on the database and on what people saw.

Rules kept here (security.md 5.3):
- The database is believed only where the stand-in agrees: what a person's chat shows is what was delivered.
- A finding is a sentence; no findings is the only good outcome. A sabotaged build must have some.
- Everything is checked from the beginning of the campaign, each time.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from access.tables import Role
from conversations import wording
from conversations.states import ENDED, OWNED, State, Trigger
from conversations.tables import InboxState, OfferOutcome, OutboxState, Purpose
from tests.botapi import BotApi, Call, Message
from tests.faults.facts import Facts, Words, read_facts
from tests.faults.line_process import TOKEN, Installation, Member
from tests.faults.load import ACCEPT, MARK, RECEIPT, Said

PLACEHOLDER = re.compile(rf"Message(?: [A-Z0-9]{{6}})?(?:{re.escape(wording.REPEATED)})?")
SENDING = ("sendMessage", "editMessageText", "answerCallbackQuery")
HEAD_START = 0.4  # seconds after the birth of a process in which it cannot have called anybody yet


@dataclass
class Evidence:
    """What a campaign hands over to be checked."""

    api: BotApi
    installation: Installation
    said: Sequence[Said]
    births: Sequence[float]  # when each process was started


def findings(evidence: Evidence) -> list[str]:
    """Everything that is not as it must be."""
    with evidence.installation.opened() as line:
        found = _Inspection(evidence, read_facts(line))
    rules = (
        found.arrivals,
        found.words_kept,
        found.words_shown,
        found.words_crossed,
        found.acknowledged,
        found.owners,
        found.order_kept,
        found.order_shown,
        found.duplicates,
        found.left_over,
        found.trail,
        found.output,
    )
    return [f"{rule.__name__}: {finding}" for rule in rules for finding in rule()]


class _Inspection:
    def __init__(self, evidence: Evidence, facts: Facts) -> None:
        self.evidence = evidence
        self.facts = facts
        self.members = {member.id: member for member in evidence.installation.team}
        self.chats = {
            member.telegram: evidence.api.person(member.telegram).from_bot for member in evidence.installation.team
        }

    @cached_property
    def calls(self) -> list[Call]:
        return [call for call in self.evidence.api.calls() if call.method in SENDING]

    @cached_property
    def by_mark(self) -> dict[str, list[Words]]:
        kept: dict[str, list[Words]] = defaultdict(list)
        for words in self.facts.words:
            for word in MARK.findall(words.text):
                kept[word].append(words)
        return kept

    @cached_property
    def owners_of(self) -> dict[str, set[str]]:
        """Everybody who ever had a consultation."""
        owners: dict[str, set[str]] = defaultdict(set)
        for leaf in self.facts.leaves:
            if leaf["event"] == "consultation.moved" and leaf["facts"]["owner"]:
                owners[leaf["consultation"]].add(leaf["facts"]["owner"])
        return owners

    def shows(self, member: Member, word: str) -> list[Message]:
        return [message for message in self.chats[member.telegram] if word in message.text]

    # --- nothing lost ------------------------------------------------------------------------------

    def arrivals(self) -> Iterator[str]:
        """Everything Telegram handed over is in the inbox exactly once, and done."""
        stored: dict[str, list[str]] = defaultdict(list)
        for row in self.facts.inbox:
            stored[row.key].append(row.state)
        for update in self.evidence.api.updates:
            states = stored[str(update.update_id)]
            if not update.confirmed:
                yield f"update {update.update_id} was never acknowledged"
            if states != [InboxState.DONE.value]:
                yield f"update {update.update_id} ({update.kind}) is in the inbox as {states}"

    def words_kept(self) -> Iterator[str]:
        """Every line that somebody wrote is one message of one consultation, on their side."""
        for said in self.evidence.said:
            kept = self.by_mark.get(said.mark, [])
            if len(kept) != 1:
                yield f"{said.mark} by {said.by.name} is kept {len(kept)} times"
            elif kept[0].author != said.by.id:
                yield f"{said.mark} by {said.by.name} is kept as somebody else's"

    def words_shown(self) -> Iterator[str]:
        """Every line stands in the other side's chat exactly once; or nobody has it, and the officer knows."""
        for said in self.evidence.said:
            for words in self.by_mark.get(said.mark, []):
                row = self.facts.consultations[words.consultation]
                by_idva = said.by.role is Role.IDVA
                readers = {row.officer_id} if by_idva else self.owners_of[row.id] - {said.by.id}
                for reader in readers:
                    seen = len(self.shows(self.members[reader], said.mark))
                    if seen != 1 and not (seen == 0 and self._given_up(words, reader)):
                        yield f"{said.mark} is shown {seen} times to {self.members[reader].name}"
                if not readers and not self._waits_openly(row.id):
                    yield f"{said.mark} reached nobody, and {row.ref} ({row.state}) waits in silence"

    def _given_up(self, words: Words, reader: str) -> bool:
        """Whether it is shown as failed, and somebody was called."""
        failed = any(
            leaf["event"] == "words.not_sent"
            and leaf["consultation"] == words.consultation
            and leaf["facts"]["message"] == words.number
            and leaf["facts"]["to"] == reader
            for leaf in self.facts.leaves
        )
        told = self.members[words.author or ""]
        return failed and any("could not be delivered" in message.text for message in self.chats[told.telegram])

    def _waits_openly(self, consultation: str) -> bool:
        """Whether an unowned consultation is offered where somebody sees it, or its officer was told of the lead."""
        row = self.facts.consultations[consultation]
        state = State(row.state)
        if state in ENDED:
            return True
        told = self.chats[self.members[row.officer_id].telegram]
        if state in {State.LEAD_CALLED, State.KEPT}:
            return any(row.ref in message.text and "01632 960 001" in message.text for message in told)
        asked = [offer.idva_id for offer in self.facts.offers if offer.consultation_id == row.id and not offer.outcome]
        return any(
            row.ref in message.text and ACCEPT in message.labels
            for idva in asked
            for message in self.chats[self.members[idva].telegram]
        )

    # --- nothing crossed ---------------------------------------------------------------------------

    def words_crossed(self) -> Iterator[str]:
        """No call ever carried words to anybody but the people of their consultation, under its reference."""
        for call in self.calls:
            text = str(call.params.get("text", ""))
            for word in MARK.findall(text):
                for words in self.by_mark.get(word, []):
                    row = self.facts.consultations[words.consultation]
                    people = self.owners_of[row.id] | {row.officer_id}
                    if call.chat_id not in {self.members[person].telegram for person in people}:
                        yield f"{word} of {row.ref} was sent to {call.chat_id}"
                    if row.ref not in text:
                        yield f"{word} of {row.ref} was sent under another reference"

    # --- nothing twice -----------------------------------------------------------------------------

    def acknowledged(self) -> Iterator[str]:
        """Every line is acknowledged to its writer exactly once."""
        for said in self.evidence.said:
            for words in self.by_mark.get(said.mark, []):
                chat, ref = self.chats[said.by.telegram], self.facts.consultations[words.consultation].ref
                if words.number == 1:
                    acks = [one for one in chat if f"Received safely. Reference {ref}." in one.text]
                else:
                    acks = [one for one in chat if one.reply_to == said.message_id and RECEIPT.match(one.text)]
                if len(acks) != 1:
                    yield f"{said.mark} was acknowledged {len(acks)} times"

    def duplicates(self) -> Iterator[str]:
        """What chats show is what the outbox says it delivered; anything else is an excused, labelled placeholder."""
        delivered: dict[str, int] = {}
        for row in self.facts.outbox:
            if row.state == OutboxState.DELIVERED.value and row.edits is None and row.remote:
                if row.remote in delivered:
                    yield f"rows {delivered[row.remote]} and {row.seq} share message {row.remote}"
                delivered[row.remote] = row.seq
        orphans: Counter[tuple[int, int]] = Counter()
        for chat, messages in self.chats.items():
            for message in messages:
                if f"{chat}:{message.message_id}" in delivered:
                    continue
                if not PLACEHOLDER.fullmatch(message.text):
                    yield f"{chat} shows a message that no row of the outbox sent: {message.message_id}"
                elif (life := self._cut_short(chat, message.message_id)) is None:
                    yield f"{chat} shows a placeholder that nothing excuses: {message.message_id}"
                else:
                    orphans[chat, life] += 1
        yield from (f"{chat} shows {many} placeholders of one kill" for (chat, _), many in orphans.items() if many > 1)
        unanswered = sum(life < 0 for _, life in orphans)
        if unanswered > (unknown := self.evidence.api.unknown_by_method.get("sendmessage", 0)):
            yield f"{unanswered} placeholders without an answer, and only {unknown} answers were lost"
        yield from self._labels()

    def _cut_short(self, chat: int, message_id: int) -> int | None:
        """What excuses a placeholder: the life that sent it and did nothing more in that chat, or a lost answer."""
        calls = [call for call in self.calls if call.chat_id == chat]
        sends = [at for at, call in enumerate(calls) if call.result and call.result["message_id"] == message_id]
        if not sends or calls[sends[0]].status != 200:
            return -message_id  # the stand-in was told to lose the answer
        life = self._life(calls[sends[0]])
        return life if all(self._life(later) > life for later in calls[sends[0] + 1 :]) else None

    def _life(self, call: Call) -> int:
        """Which process made this call."""
        return sum(call.at > birth + HEAD_START for birth in self.evidence.births)

    def _labels(self) -> Iterator[str]:
        """Whatever was sent again says so on the lock screen."""
        lit = {
            f"{member.telegram}:{one.message_id}": one.text
            for member in self.evidence.installation.team
            for one in self.evidence.api.person(member.telegram).notifications
        }
        for row in self.facts.outbox:
            if row.state == OutboxState.DELIVERED.value and row.edits is None and row.remote in lit:
                labelled = lit[row.remote].endswith(wording.REPEATED)
                if labelled != bool(row.repeats):
                    yield f"row {row.seq} was sent again {row.repeats} times, and its label says {labelled}"
                if row.purpose == Purpose.CALL.value and row.repeats:
                    yield f"call {row.seq} was repeated"

    # --- one owner, one order ----------------------------------------------------------------------

    def owners(self) -> Iterator[str]:
        """One accepted offer a search, one owner at a time, and a state that follows from the moves."""
        accepted = Counter(
            (offer.consultation_id, offer.search)
            for offer in self.facts.offers
            if offer.outcome == OfferOutcome.ACCEPTED.value
        )
        yield from (f"two accepted offers in one search of {row}" for (row, _), many in accepted.items() if many > 1)
        states: dict[str, str] = {}
        for leaf in self.facts.leaves:
            if leaf["event"] == "consultation.moved":
                row, move = leaf["consultation"], leaf["facts"]
                if move["from"] != states.get(row, State.SEEKING.value):
                    yield f"{row} moved from {move['from']}, and was {states.get(row)}"
                if move["trigger"] == Trigger.ACCEPT.value and State(move["from"]) in OWNED:
                    yield f"{row} was accepted while somebody had it"
                states[row] = move["to"]
        for row_id, row in self.facts.consultations.items():
            if states.get(row_id) != row.state:
                yield f"{row.ref} is {row.state}, and the trail says {states.get(row_id)}"
            if (State(row.state) in OWNED) != (row.idva_id is not None) and State(row.state) not in ENDED:
                yield f"{row.ref} is {row.state} with owner {row.idva_id}"

    def order_kept(self) -> Iterator[str]:
        """Lines are kept in the order in which they were written."""
        written = {said.mark: at for at, said in enumerate(self.evidence.said)}
        author = {said.mark: said.by.id for said in self.evidence.said}
        kept: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for word, found in self.by_mark.items():
            for words in found:
                if word in written:
                    kept[words.consultation, author[word]].append((words.number, written[word]))
        for (consultation, _), pairs in kept.items():
            if [at for _, at in sorted(pairs)] != sorted(at for _, at in pairs):
                yield f"{self.facts.consultations[consultation].ref} keeps lines out of order"

    def order_shown(self) -> Iterator[str]:
        """Lines are shown to the other side in the order in which they are kept."""
        for chat, messages in self.chats.items():
            last: dict[tuple[str, str], int] = {}
            for message in messages:
                for word in MARK.findall(message.text):
                    for words in self.by_mark.get(word, []):
                        lane = (words.consultation, words.side)
                        if words.number < last.get(lane, 0):
                            yield f"{chat} sees {word} too late"
                        last[lane] = words.number

    # --- nothing left, nothing told ----------------------------------------------------------------

    def left_over(self) -> Iterator[str]:
        """Nothing waits, nothing is claimed, no timer is overdue."""
        for arrival in self.facts.inbox:
            if arrival.state == InboxState.WAITING.value:
                yield f"arrival {arrival.seq} waits"
        for row in self.facts.outbox:
            if row.state in {OutboxState.WAITING.value, OutboxState.CLAIMED.value}:
                yield f"row {row.seq} is {row.state} ({row.purpose})"
        for due in self.facts.due:
            if (self.facts.now - due.at).total_seconds() > 1:
                yield f"timer {due.timer} is overdue since {due.at:%H:%M:%S}"

    def trail(self) -> Iterator[str]:
        """Leaves have no gaps, over all and within a consultation; words left only after their leaf."""
        within: Counter[str] = Counter()
        for at, leaf in enumerate(self.facts.leaves):
            if leaf["index"] != at:
                yield f"leaf {at} is numbered {leaf['index']}"
            if leaf["consultation"] is not None:
                if leaf["cseq"] != within[leaf["consultation"]]:
                    yield f"leaf {at} is number {leaf['cseq']} of its consultation"
                within[leaf["consultation"]] += 1
        if len(self.facts.leaves) != self.facts.trail_size:
            yield f"{len(self.facts.leaves)} leaves, and the head says {self.facts.trail_size}"
        sent = Counter(leaf["facts"]["outbox"] for leaf in self.facts.leaves if leaf["event"] == "words.sent")
        for row in self.facts.outbox:
            if row.carries_words and row.state == OutboxState.DELIVERED.value and sent[row.id] != row.attempts:
                yield f"row {row.seq} was sent {row.attempts} times with {sent[row.id]} leaves"

    def output(self) -> Iterator[str]:
        """Nothing the program printed holds words, names or its token."""
        printed = self.evidence.installation.output.read_text(errors="replace")
        if found := MARK.search(printed):
            yield f"it printed words: {found.group()}"
        for secret in (TOKEN, TOKEN.partition(":")[2], *(member.name for member in self.members.values())):
            if secret in printed:
                yield f"it printed {secret}"
