"""Every kind of event the trail can hold, with its category under the Data Protection Act 2018 s.62. Pure."""

from __future__ import annotations

from enum import Enum


class Category(Enum):
    """The operations s.62 wants logged, and the rest."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"  # reading
    DISCLOSURE = "disclosure"  # words shown or sent to somebody
    COMBINATION = "combination"
    ERASURE = "erasure"
    SYSTEM = "system"  # sign-ins, refusals, outages: not an operation on personal data


class Event(Enum):
    """What happened. The value is the name in the leaf and never changes once used."""

    def __init__(self, label: str, category: Category) -> None:
        self.label = label
        self.category = category

    MESSAGE_RECEIVED = ("message.received", Category.COLLECTION)
    MESSAGE_EDITED = ("message.edited", Category.ALTERATION)
    MESSAGE_HELD = ("message.held", Category.COLLECTION)  # not sent on yet: whose it is was asked
    HELD_RESOLVED = ("message.held_resolved", Category.ALTERATION)
    DETAIL_SET = ("consultation.detail_set", Category.ALTERATION)  # grade, safety, incident log number
    MOVED = ("consultation.moved", Category.ALTERATION)  # a state change, with trigger, from and to
    OFFERED = ("consultation.offered", Category.DISCLOSURE)
    OFFER_ANSWERED = ("consultation.offer_answered", Category.ALTERATION)
    LINKED = ("consultation.linked", Category.COMBINATION)  # routed by an earlier one on the same incident
    WORDS_READ = ("words.read", Category.CONSULTATION)
    WORDS_SENT = ("words.sent", Category.DISCLOSURE)  # committed before the words leave
    WORDS_DELIVERED = (
        "words.delivered",
        Category.SYSTEM,
    )  # the result of a sending, or of a page being shown
    WORDS_NOT_SENT = ("words.not_sent", Category.SYSTEM)
    DUTY_BEGAN = ("duty.began", Category.SYSTEM)
    DUTY_ENDED = ("duty.ended", Category.SYSTEM)
    PERSON_ADDED = ("person.added", Category.COLLECTION)
    STANDING_SET = ("person.standing_set", Category.ALTERATION)
    CODE_ISSUED = ("access.code_issued", Category.SYSTEM)
    CODE_REFUSED = ("access.code_refused", Category.SYSTEM)
    TELEGRAM_BOUND = ("access.telegram_bound", Category.COLLECTION)
    TELEGRAM_LOST = ("access.telegram_lost", Category.SYSTEM)
    SIGNED_IN = ("access.signed_in", Category.SYSTEM)
    SIGNED_OUT = ("access.signed_out", Category.SYSTEM)
    TAP_REFUSED = ("tap.refused", Category.SYSTEM)
    INPUT_REFUSED = ("input.refused", Category.SYSTEM)  # kind only, never content
    INPUT_IGNORED = ("input.ignored", Category.SYSTEM)
    INPUT_QUARANTINED = ("input.quarantined", Category.SYSTEM)
    RELAY_CHOSEN = ("line.relay_chosen", Category.SYSTEM)  # with the impact assessment's reference
    OUTAGE_NOTICED = ("line.outage_noticed", Category.SYSTEM)
    CLOCK_SKEW = ("line.clock_skew", Category.SYSTEM)
