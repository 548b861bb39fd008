"""A person at our own chat: page, live updates and acknowledgements, by the use cases that the pages call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from access.tables import Role
from bot.web_channel import arrival
from conversations import consult, search, view
from conversations.advise import Advice, AdviceStatus, advise
from conversations.case import Case
from conversations.errors import NotYours
from conversations.messages import ChannelName, Incoming, Kind
from conversations.receive import receive
from conversations.tables import OfferOutcome
from conversations.transfer import accept_transfer, refuse_transfer
from conversations.work import Work
from tests.journeys.actors import ADVICE_FORM, CAST, Actor, Entry

if TYPE_CHECKING:
    from tests.journeys.stage import Stage


class AtWeb(Actor):
    """In front of a page that is open, unless they look away."""

    place = "the web"

    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__(stage, name)
        self.looking = True
        self.acted = False  # whoever does something on a page is shown the page again
        self._shown: dict[tuple[object, ...], Entry] = {}
        self._deliveries: dict[str, str] = {}
        self._tokens: dict[tuple[object, ...], dict[str, str]] = {}
        self._offered: set[str] = set()
        self._sent: dict[str, str] = {}
        self._held: dict[str, str] = {}
        self._count = 0

    @property
    def is_officer(self) -> bool:
        return Role.OFFICER in CAST[self.name][1].roles

    # --- the page ---------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """The page's live update: lists, threads, offers; then the browser says what is on the screen."""
        for ref, unread in self.stage.do(self._load):
            if unread:
                self._show(ref, unread)

    def _show(self, ref: str, message_ids: list[str]) -> None:
        self.stage.do(lambda work: view.shown(work, ref, self.id, message_ids))

    def _load(self, work: Work) -> list[tuple[str, list[str]]]:
        listed = view.officers_list(work, self.id) if self.is_officer else view.idvas_list(work, self.id)
        for key in [key for key in self._shown if key[0] == "offer"]:
            del self._shown[key]
        self._offered = set()
        for offer in view.offers(work, self.id):
            ref = offer.consultation.ref
            self._offered.add(ref)
            words = f"{ref} {offer.consultation.officer.title}: {offer.first_words} {offer.note}"
            self._keep(Entry(("offer", offer.id), words, ref=ref))
        refs = {one.ref for one in listed} | {entry.ref for entry in self._shown.values() if entry.ref}
        return [(ref, self._load_thread(work, ref)) for ref in sorted(refs)]

    def _load_thread(self, work: Work, ref: str) -> list[str]:
        try:
            thread = view.thread(work, ref, self.id)
        except NotYours:
            return []
        for message in thread.messages:
            if message.mine:
                self._deliveries[message.words] = message.delivery
            tokens = {button.label: button.token for row in message.buttons for button in row}
            for at, wording in enumerate(message.versions):
                changed = " · changed" if at else ""
                text = f"{message.author}{changed}: {wording.words}" if message.author else wording.words
                key = (ref, message.number, at)
                self._tokens[key] = tokens
                self._keep(Entry(key, text, tuple(tokens), ref))
        return list(thread.unread)

    def _keep(self, entry: Entry) -> None:
        self._shown[entry.key] = entry

    def entries(self) -> list[Entry]:
        return list(self._shown.values())

    def delivery_of(self, words: str) -> str:
        return self._deliveries.get(words, "not there")

    async def can_take(self, ref: str) -> bool:
        await self.refresh()
        return ref in self._offered

    # --- what they do -----------------------------------------------------------------------------

    async def write(self, words: str, ref: str | None, *, anew: bool = False) -> None:
        self._count += 1
        made_id = f"m{self._count}"
        self._sent[words] = made_id
        pane = None if anew else ref or self._pane()
        await self.stage.works.intake.store(arrival(self.id, pane, words, made_id))

    def _pane(self) -> str | None:
        """Where somebody writes who has only one open."""
        lists = view.officers_list if self.is_officer else view.idvas_list
        live = [one.ref for one in self.stage.do(lambda work: lists(work, self.id)) if one.live]
        assert len(live) < 2, f"{self.name} has several open: say for whose question this is written"
        return live[0] if live else None

    async def change(self, old: str, new: str) -> None:
        self._sent[new] = self._sent.pop(old)
        edit = Incoming(ChannelName.WEB, self.id, Kind.EDIT, new, message=self._sent[new])
        self.answered(self.stage.do(lambda work: receive(work, edit)).answer)

    async def tap(self, label: str, ref: str | None, times: int = 1) -> None:
        found = [one for one in self._shown.values() if label in one.labels and ref in (None, one.ref)]
        assert found, f"{self.name} sees no button {label!r}"
        for _ in range(times):
            self._press(self._tokens[found[-1].key][label])

    def _press(self, token: str) -> None:
        press = Incoming(ChannelName.WEB, self.id, Kind.TAP, token=token)
        self.answered(self.stage.do(lambda work: receive(work, press)).answer)

    def hold_on(self) -> None:
        self._held = {label: token for tokens in self._tokens.values() for label, token in tokens.items()}

    async def tap_held(self, label: str) -> None:
        self._press(self._held[label])

    async def accept(self, ref: str) -> None:
        def act(work: Work) -> None:
            case = self._case(work, ref)
            if case.transfer_offer() == self.id:
                accept_transfer(case, self.id)
            else:
                search.accept(case, self.id)

        await self.at_page(act)

    async def decline(self, ref: str, reason: str) -> None:
        def act(work: Work) -> None:
            case = self._case(work, ref)
            if case.transfer_offer() == self.id:
                refuse_transfer(case, OfferOutcome.DECLINED)
            else:
                search.decline(case, self.id, reason)

        await self.at_page(act)

    async def withdraw(self, ref: str | None) -> None:
        assert ref is not None
        await self.at_page(lambda work: consult.withdraw(self._case(work, ref), self.id))

    async def set_log(self, number: str, ref: str) -> None:
        await self.at_page(lambda work: consult.set_incident(self._case(work, ref), number))

    async def deal_with(self, ref: str) -> None:
        await self.at_page(lambda work: search.lead_took(self._case(work, ref), self.id))

    async def advise(self, ref: str, form: Mapping[str, str]) -> None:
        said = dict.fromkeys(ADVICE_FORM.values(), "") | {ADVICE_FORM[name]: form[name] for name in form}
        advice = Advice(AdviceStatus.named(said.pop("status")), **said)
        await self.at_page(lambda work: advise(self._case(work, ref), self.id, advice))

    def open_form(self, ref: str) -> None:
        """The form stands under the thread."""

    def answered(self, text: str | None) -> None:
        super().answered(text)
        self.acted = True

    async def at_page(self, act: Callable[[Work], object]) -> None:
        """Do what a page's button does; a refusal is shown."""
        await self.stage.at_page(self, act)

    def _case(self, work: Work, ref: str) -> Case:
        return self.stage.case(work, ref)
