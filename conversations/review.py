"""Reviewing a consultation that has ended: begin, mark, ask the IDVA, answer, sign off; and the grade given later.

Rules kept here:
- After the event: nothing here touches a consultation's state, its timers or what is owed to anybody.
- Nobody reviews what they had a part in, and nobody is the second reviewer after being the first.
- Everything is decided under the consultation's lock, as erasure is: of a review and an erasure at the same moment
  one waits for the other, and a review of what is erased finds nothing.
- A form says which version of the review it was made from: of two that sign off at once one wins, the other is told.
- The second reviewer sees nothing of the first's until both have signed off; then each sees the other's, for good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from access.permissions import Action
from audit.events import Event
from audit.growth import LeafRow
from conversations import store
from conversations.errors import (
    CommentTooLong,
    HadAPart,
    NobodyToAsk,
    NoSuchGrade,
    NotAllMarked,
    NotBegun,
    NothingAsked,
    NotToReview,
    NotYours,
    ReviewChanged,
    ReviewedAlready,
    StillLive,
)
from conversations.standing import require, seen_by
from conversations.states import ENDED, State
from conversations.tables import Consultation, Message, Offer, OfferOutcome
from conversations.tables_review import Mark, Review, ReviewQuestion, ReviewState, Standard
from conversations.to_review import chosen
from conversations.wording import GRADES
from conversations.work import Work, scope_of
from storage.sealing import Sealed

LONGEST = 4_000  # characters of a comment, a question or an answer


@dataclass(frozen=True)
class Marked:
    """What a reviewer's form says. A standard that is not in it is not marked yet."""

    marks: Mapping[Standard, Mark]
    comment: str = ""
    learning: str = ""


def begin(work: Work, ref: str, by: str) -> Review:
    """Begin to review, or go on. Raises `RoleMissing`, `NotYours`, `HadAPart`, `NotToReview` or `ReviewedAlready`."""
    require(work, by, Action.REVIEW)
    row = _known(work, ref, by)
    if by in had_a_part(work, row):
        raise HadAPart
    found = chosen(work, row)
    if found is None:
        raise NotToReview
    own = next((one for one in found.reviews if one.reviewer_id == by), None)
    if own is not None:
        return own
    if len(found.reviews) >= found.people:
        raise ReviewedAlready
    place = len(found.reviews) + 1
    review = Review(
        id=work.new_id(),
        consultation_id=row.id,
        reviewer_id=by,
        place=place,
        state=ReviewState.OPEN.value,
        version=1,
        began_at=work.now,
    )
    work.session.add(review)
    work.session.flush()
    work.record(Event.REVIEW_BEGUN, by, row.id, review=review.id, place=place, people=found.people)
    return review


def own(work: Work, ref: str, by: str) -> Review:
    """One's own review of this one. Raises `RoleMissing`, `NotYours` or `NotBegun`."""
    require(work, by, Action.REVIEW)
    row = _known(work, ref, by)
    query = select(Review).where(Review.consultation_id == row.id, Review.reviewer_id == by)
    found = work.session.scalar(query)
    if found is None:
        raise NotBegun
    return found


def mark(work: Work, review_id: str, by: str, version: int, marked: Marked) -> Review:
    """Keep the marks, comment and learning of one's own review. Raises `NotYours`, `ReviewChanged` or
    `CommentTooLong`."""
    review = _own(work, review_id, by, version)
    for standard in Standard:
        value = marked.marks.get(standard)
        setattr(review, standard.value, value.value if value else None)
    review.comment = _sealed(work, review, "comment", marked.comment)
    review.learning = _sealed(work, review, "learning", marked.learning)
    review.version += 1
    facts = {standard.value: getattr(review, standard.value) for standard in Standard}
    work.record(Event.REVIEW_MARKED, by, review.consultation_id, review=review.id, **facts)
    return review


def ask(work: Work, review_id: str, by: str, version: int, question: str) -> ReviewQuestion:
    """Ask the IDVA who had it last. Raises `NotYours`, `ReviewChanged`, `NobodyToAsk` or `NothingAsked`."""
    review = _own(work, review_id, by, version)
    row = work.session.get_one(Consultation, review.consultation_id)
    idva = row.idva_id or row.last_idva_id
    if idva is None:
        raise NobodyToAsk
    words, question_id = _required(question), work.new_id()
    asked = ReviewQuestion(
        id=question_id,
        review_id=review.id,
        consultation_id=row.id,
        idva_id=idva,
        question=work.seal("review_question", "question", question_id, scope_of(row.id), words),
        asked_at=work.now,
    )
    work.session.add(asked)
    review.state, review.version = ReviewState.ASKED.value, review.version + 1
    work.record(Event.REVIEW_ASKED, by, row.id, review=review.id, question=question_id, to=idva)
    work.wake(idva)
    return asked


def answer(work: Work, question_id: str, by: str, words: str) -> None:
    """The IDVA who was asked answers, once. Raises `NotYours`, `ReviewChanged` or `NothingAsked`."""
    asked = work.session.get(ReviewQuestion, question_id)
    if asked is None or asked.idva_id != by or not work.person(by).active:
        raise NotYours
    store.lock(work.session, asked.consultation_id)
    work.session.refresh(asked)
    if asked.answered_at is not None:
        raise ReviewChanged
    scope = scope_of(asked.consultation_id)
    asked.answer = work.seal("review_question", "answer", asked.id, scope, _required(words))
    asked.answered_at = work.now
    work.session.flush()
    review = work.session.get_one(Review, asked.review_id, populate_existing=True)
    if review.state == ReviewState.ASKED.value and not _unanswered(work, review):
        review.state = ReviewState.OPEN.value
    review.version += 1
    work.record(Event.REVIEW_ANSWERED, by, asked.consultation_id, review=review.id, question=asked.id)
    work.wake(review.reviewer_id)


def sign_off(work: Work, review_id: str, by: str, version: int) -> None:
    """The review is done and changes no more. Raises `NotYours`, `ReviewChanged` or `NotAllMarked`."""
    review = _own(work, review_id, by, version)
    if any(getattr(review, standard.value) is None for standard in Standard):
        raise NotAllMarked
    review.state, review.signed_at = ReviewState.SIGNED_OFF.value, work.now
    review.version += 1
    work.record(Event.REVIEW_SIGNED_OFF, by, review.consultation_id, review=review.id, place=review.place)


def others_of(work: Work, review: Review) -> list[Review]:
    """What others made of it: once this one and theirs are signed off, and from then on for good."""
    signed = ReviewState.SIGNED_OFF.value
    if review.state != signed:
        return []
    query = select(Review).where(Review.consultation_id == review.consultation_id, Review.id != review.id)
    return list(work.session.scalars(query.where(Review.state == signed).order_by(Review.place)))


def grade_later(work: Work, ref: str, by: str, grade: str) -> None:
    """A person says how the risk was graded afterwards. Raises `RoleMissing`, `NotYours`, `StillLive` or
    `NoSuchGrade`."""
    require(work, by, Action.GRADE_LATER)
    if grade not in GRADES:
        raise NoSuchGrade
    row = _known(work, ref, by)
    if State(row.state) not in ENDED:
        raise StillLive
    row.later_grade = grade
    work.record(Event.GRADED_LATER, by, row.id, stated=row.grade, later=grade)


def had_a_part(work: Work, row: Consultation) -> set[str]:
    """Everybody who wrote in it, owned it, took it or moved it: none of them reviews it."""
    people = {row.officer_id, row.idva_id, row.last_idva_id}
    people |= set(work.session.scalars(select(Message.author_id).where(Message.consultation_id == row.id)))
    accepted = (Offer.consultation_id == row.id, Offer.outcome == OfferOutcome.ACCEPTED.value)
    people |= set(work.session.scalars(select(Offer.idva_id).where(*accepted)))
    moves = (LeafRow.consultation_id == row.id, LeafRow.event == Event.MOVED.label)
    people |= {json.loads(leaf)["actor"] for leaf in work.session.scalars(select(LeafRow.data).where(*moves))}
    return {person for person in people if person}


def _known(work: Work, ref: str, by: str) -> Consultation:
    """Locked, if this person may know of it. Raises `NotYours`."""
    row = store.lock(work.session, store.by_ref(work.session, ref).id)
    if not seen_by(work, [row], by):
        raise NotYours
    return row


def _own(work: Work, review_id: str, by: str, version: int) -> Review:
    """One's own review, under the consultation's lock, as it was when the form was made."""
    require(work, by, Action.REVIEW)
    found = work.session.get(Review, review_id)
    if found is None or found.reviewer_id != by:
        raise NotYours
    store.lock(work.session, found.consultation_id)
    review = work.session.get(Review, review_id, populate_existing=True)
    if review is None:
        raise NotYours  # erased while we waited
    if review.version != version or review.state == ReviewState.SIGNED_OFF.value:
        raise ReviewChanged
    return review


def _unanswered(work: Work, review: Review) -> bool:
    query = select(ReviewQuestion.id).where(ReviewQuestion.review_id == review.id, ReviewQuestion.answered_at.is_(None))
    return work.session.scalar(query.limit(1)) is not None


def _sealed(work: Work, review: Review, column: str, words: str) -> Sealed | None:
    cleaned = _cleaned(words)
    if not cleaned:
        return None
    if len(cleaned) > LONGEST:
        raise CommentTooLong
    return work.seal("review", column, review.id, scope_of(review.consultation_id), cleaned)


def _required(words: str) -> str:
    cleaned = _cleaned(words)
    if not 0 < len(cleaned) <= LONGEST:
        raise NothingAsked
    return cleaned


def _cleaned(words: str) -> str:
    """As the box counts it: a form sends each new line as two characters."""
    return words.replace("\r\n", "\n").strip()
