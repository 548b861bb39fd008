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

    MESSAGE_RECEIVED = ("message.received", Category.COLLECTION)  # words were taken in and sealed
    MESSAGE_EDITED = ("message.edited", Category.ALTERATION)  # a new wording was added; earlier ones stay
    NOTE_WRITTEN = ("note.written", Category.COLLECTION)  # an IDVA's private note, for the IDVAs' side alone
    NOTICE_SAID = ("notice.said", Category.SYSTEM)  # the line itself said something in a thread
    MESSAGE_HELD = ("message.held", Category.COLLECTION)  # not sent on yet: whose it is was asked
    HELD_RESOLVED = ("message.held_resolved", Category.ALTERATION)  # its writer, or time, decided
    DETAIL_SET = ("consultation.detail_set", Category.ALTERATION)  # grade, safety, incident log number
    MOVED = ("consultation.moved", Category.ALTERATION)  # a state change, with trigger, from and to
    RESTRICTED = ("consultation.restricted", Category.ALTERATION)  # only its two sides and named people know of it
    READER_NAMED = ("consultation.reader_named", Category.ALTERATION)  # one more person may know of it
    RESTRICTION_LIFTED = ("consultation.restriction_lifted", Category.ALTERATION)  # it is there for others again
    GLASS_BROKEN = ("glass.broken", Category.CONSULTATION)  # opened in an emergency by somebody who has no part in it
    GLASS_REVIEWED = ("glass.reviewed", Category.SYSTEM)  # the other organisation said whether that was justified
    OFFERED = ("consultation.offered", Category.DISCLOSURE)  # somebody was asked to take it, and may see the question
    OFFER_ANSWERED = ("consultation.offer_answered", Category.ALTERATION)  # how an offer ended
    LINKED = ("consultation.linked", Category.COMBINATION)  # routed by an earlier one on the same incident
    HOLD_PLACED = ("hold.placed", Category.ERASURE)  # a legal hold: nothing of it may be erased
    HOLD_LIFT_ASKED = ("hold.lift_asked", Category.ERASURE)  # the first of two people wants a legal hold lifted
    HOLD_LIFTED = ("hold.lifted", Category.ERASURE)  # the second, another person, lifted it
    KEPT_ON = ("consultation.kept_on", Category.ERASURE)  # reviewed, and kept until another day
    MONTH_DESTROYED = ("keys.month_destroyed", Category.ERASURE)  # what was archived in a month opens in no backup
    CONSULTATION_ERASED = ("consultation.erased", Category.ERASURE)  # its words, its key and its rows are destroyed
    WORDS_READ = ("words.read", Category.CONSULTATION)  # words were opened for a reader
    WORDS_SENT = ("words.sent", Category.DISCLOSURE)  # committed before words leave
    WORDS_DELIVERED = (
        "words.delivered",
        Category.SYSTEM,
    )  # the result of a sending, or of a page being shown
    WORDS_NOT_SENT = ("words.not_sent", Category.SYSTEM)  # words could not be delivered, and who had to know was told
    FLAG_RAISED = ("flag.raised", Category.ALTERATION)  # a red flag, by a rule or by the officer's yes
    FLAG_ASKED = ("flag.asked", Category.SYSTEM)  # a check question was put to the officer
    FLAG_ANSWERED = ("flag.answered", Category.ALTERATION)  # the officer answered it, or said that a flag is not so
    REVIEW_SEED_FIXED = ("review.seed_fixed", Category.SYSTEM)  # what draws a month's sample, by its SHA-256
    REVIEW_BEGUN = ("review.begun", Category.SYSTEM)  # somebody who had no part in it reviews it
    REVIEW_MARKED = ("review.marked", Category.ALTERATION)  # against the standards
    REVIEW_ASKED = ("review.asked", Category.DISCLOSURE)  # the IDVA was asked about it
    REVIEW_ANSWERED = ("review.answered", Category.COLLECTION)  # the IDVA answered
    REVIEW_SIGNED_OFF = ("review.signed_off", Category.SYSTEM)  # the review changes no more
    GRADED_LATER = ("consultation.graded_later", Category.ALTERATION)  # by a person, after it ended
    # The catalogue's words are public and about nobody: that one was shown discloses no personal data.
    ENTRY_SHOWN = ("entry.shown", Category.SYSTEM)  # an officer was shown a version of an entry, and how
    ENTRY_PROPOSED = ("entry.proposed", Category.SYSTEM)  # a new version waits for a second curator
    ENTRY_APPROVED = ("entry.approved", Category.SYSTEM)  # by another person than who proposed it
    ENTRY_REFUSED = ("entry.refused", Category.SYSTEM)  # by a curator; the reason stands with the version
    ENTRY_TAKEN_BACK = ("entry.taken_back", Category.SYSTEM)  # by whoever proposed it
    ENTRY_WITHDRAWN = ("entry.withdrawn", Category.SYSTEM)  # taken out of the live catalogue at once
    CATALOGUE_SWITCHED = ("catalogue.switched", Category.SYSTEM)  # another release is live from here on
    RECALLED = ("recall.begun", Category.SYSTEM)  # an entry or an advice was wrong: a correction went out
    RECALL_SENT_AGAIN = ("recall.sent_again", Category.SYSTEM)  # to those who had not acknowledged it
    RECALL_ACKNOWLEDGED = ("recall.acknowledged", Category.SYSTEM)  # somebody has read a correction
    MEANING_ASKED = ("consultation.meaning_asked", Category.SYSTEM)  # what a short form means was asked, not guessed
    ROTA_CHANGED = (
        "rota.changed",
        Category.ALTERATION,
    )  # a shift was added, moved, prolonged, taken off or swapped (times: Unix seconds)
    ROTA_PUBLISHED = ("rota.published", Category.ALTERATION)  # several shifts were changed in one act: how many
    ROTA_SECOND_ASKED = ("rota.second_asked", Category.SYSTEM)  # it would leave the next 24 hours uncovered
    ROTA_SECOND_DECIDED = ("rota.second_decided", Category.SYSTEM)  # a second person published it all the same, or not
    COVER_LOST = ("rota.cover_lost", Category.SYSTEM)  # an hour of the next 24 that had an IDVA has none any more
    LEAVE_SET = ("rota.leave_set", Category.ALTERATION)  # somebody is away, or no longer
    SWAP_ASKED = ("rota.swap_asked", Category.ALTERATION)  # an IDVA asks another to take a shift
    SWAP_ANSWERED = ("rota.swap_answered", Category.ALTERATION)  # agreed, refused or taken back
    DUTY_BEGAN = ("duty.began", Category.SYSTEM)  # somebody came on duty
    START_ASKED = ("duty.start_asked", Category.SYSTEM)  # the test call at the start of a shift went out
    START_ANSWERED = ("duty.start_answered", Category.SYSTEM)  # the IDVA showed that they can be reached
    START_MISSED = ("duty.start_missed", Category.SYSTEM)  # nobody answered it in time; the duty leads were told
    DUTY_ENDED = ("duty.ended", Category.SYSTEM)  # somebody went off duty
    PERSON_ADDED = ("person.added", Category.COLLECTION)  # a member of staff was added
    STANDING_SET = ("person.standing_set", Category.ALTERATION)  # access was taken away or given back
    ROLES_SET = ("person.roles_set", Category.ALTERATION)  # somebody was given other roles
    AREA_SET = ("person.area_set", Category.ALTERATION)  # where somebody works: what is near is put forward first
    LEASE_RENEWED = ("person.lease_renewed", Category.ALTERATION)  # somebody's enrolment runs anew
    CODE_ISSUED = ("access.code_issued", Category.SYSTEM)  # a one-time code was made for somebody
    CODE_REFUSED = ("access.code_refused", Category.SYSTEM)  # a one-time code did not work
    TELEGRAM_BOUND = ("access.telegram_bound", Category.COLLECTION)  # a Telegram account was bound to somebody
    TELEGRAM_UNBOUND = ("access.telegram_unbound", Category.ALTERATION)  # its person let go of a Telegram account
    TELEGRAM_LOST = ("access.telegram_lost", Category.SYSTEM)  # the bot was blocked or the account is gone
    IDENTITY_LINKED = ("access.identity_linked", Category.COLLECTION)  # a force or trust sign-in is somebody's from now
    IDENTITY_UNLINKED = ("access.identity_unlinked", Category.ERASURE)  # it no longer is
    IDENTITY_REFUSED = ("access.identity_refused", Category.SYSTEM)  # one that is nobody's, or is not believed
    MINI_APP_OPENED = ("access.mini_app_opened", Category.SYSTEM)  # somebody, by Telegram's word: no words yet
    MINI_APP_REFUSED = ("access.mini_app_refused", Category.SYSTEM)  # why; once a minute for each reason, never who
    PASSKEY_ADDED = ("access.passkey_added", Category.COLLECTION)  # a passkey is somebody's from now
    PASSKEY_REMOVED = ("access.passkey_removed", Category.ERASURE)  # its person took it away
    PASSKEY_REFUSED = ("access.passkey_refused", Category.SYSTEM)  # one that proves nothing, is nobody's, or was copied
    SIGNED_IN = ("access.signed_in", Category.SYSTEM)  # a web session began
    SIGNED_OUT = ("access.signed_out", Category.SYSTEM)  # a web session was ended
    TAP_REFUSED = ("tap.refused", Category.SYSTEM)  # a button with a wrong, foreign or expired token
    INPUT_REFUSED = ("input.refused", Category.SYSTEM)  # kind only, never content
    INPUT_IGNORED = ("input.ignored", Category.SYSTEM)  # something that gets no answer: groups, bots, service messages
    INPUT_QUARANTINED = ("input.quarantined", Category.SYSTEM)  # an arrival we cannot handle, kept apart
    RELAY_CHOSEN = ("line.relay_chosen", Category.SYSTEM)  # with the impact assessment's reference
    OUTAGE_NOTICED = ("line.outage_noticed", Category.SYSTEM)  # the line was down for longer than a day
    CLOCK_SKEW = ("line.clock_skew", Category.SYSTEM)  # a sender's clock is more than five minutes ahead of ours
    TRAIL_RECOVERED = ("trail.recovered", Category.SYSTEM)  # the end of the trail was lost, and somebody owned up to it
    TRAIL_SEARCHED = ("trail.searched", Category.CONSULTATION)  # somebody looked for leaves, and by what
    EXPORTED = ("trail.exported", Category.DISCLOSURE)  # a bundle or a report left the house
    KEY_MADE = ("keys.made", Category.SYSTEM)  # a key-encryption key was made; its id only
    KEYS_REWRAPPED = ("keys.rewrapped", Category.SYSTEM)  # one batch of a rotation: how many, under which key
    KEY_RETIRED = ("keys.retired", Category.SYSTEM)  # a replaced key-encryption key was destroyed
    KEYS_ESCROWED = ("keys.escrowed", Category.SYSTEM)  # the key file was written out under a passphrase


URGENT = frozenset(
    {
        Event.STANDING_SET,
        Event.ROLES_SET,
        Event.PERSON_ADDED,
        Event.IDENTITY_LINKED,
        Event.PASSKEY_ADDED,
        Event.TRAIL_RECOVERED,
        Event.EXPORTED,
        Event.RESTRICTED,
        Event.READER_NAMED,
        Event.RESTRICTION_LIFTED,
        Event.GLASS_BROKEN,
        Event.GLASS_REVIEWED,
        Event.HOLD_LIFTED,
        Event.CONSULTATION_ERASED,
        Event.MONTH_DESTROYED,
        Event.KEY_MADE,
        Event.KEY_RETIRED,
        Event.KEYS_ESCROWED,
    }
)
"""High-risk acts: permission changes, exports, erasures, keys. Signed at once, not at the next turn, and written to the
second trail, where there is one, before they take effect."""
