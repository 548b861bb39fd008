"""What a reviewer and an IDVA who was asked see of a review. The reading is recorded before any words open.

Rules kept here:
- The reviewer sees what the two sides said to each other, never what IDVAs note for each other.
- What the other reviewer made of it stands beside one's own once both have signed off, and stays there.
- The IDVA sees the question, and which consultation it is about; not the marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from access.people import Known
from access.permissions import Action
from conversations import view
from conversations.agreement import Agreement, agreement
from conversations.review import others_of, own
from conversations.sampling import Reason
from conversations.standing import require
from conversations.tables import Consultation
from conversations.tables_review import Review, ReviewQuestion, ReviewState, Standard
from conversations.to_review import ToReview, chosen
from conversations.work import Work, scope_of
from storage.sealing import Sealed

MOST_QUESTIONS = 50  # of one IDVA, on one page


@dataclass(frozen=True)
class Made:
    """What one reviewer made of it."""

    by: Known
    mine: bool
    place: int
    marks: dict[str, str | None]  # by standard
    comment: str
    learning: str
    signed_at: datetime | None


@dataclass(frozen=True)
class Asked:
    """A question to the IDVA."""

    id: str
    ref: str
    question: str
    answer: str
    asked_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True)
class ReviewShown:
    """One review as its reviewer sees it."""

    consultation: str
    thread: view.ThreadShown
    why: frozenset[Reason]
    later_grade: str | None
    state: str
    version: int
    made: tuple[Made, ...]  # one's own first
    asked: tuple[Asked, ...]

    @property
    def differ(self) -> frozenset[str]:
        """The standards that two reviewers marked differently."""
        return frozenset(one.value for one in Standard if len({made.marks[one.value] for made in self.made}) > 1)


def look(work: Work, ref: str, by: str) -> ReviewShown:
    """One's own review. Raises `RoleMissing`, `NotYours` or `NotBegun`."""
    review = own(work, ref, by)
    row = work.session.get_one(Consultation, review.consultation_id)
    found = chosen(work, row)
    thread = view.looked_into(work, row, by, "review", notes=False)
    questions = select(ReviewQuestion).where(ReviewQuestion.review_id == review.id).order_by(ReviewQuestion.asked_at)
    return ReviewShown(
        consultation=row.id,
        thread=thread,
        why=found.why if found else frozenset(),
        later_grade=row.later_grade,
        state=review.state,
        version=review.version,
        made=tuple(_made(work, one, by) for one in (review, *others_of(work, review))),
        asked=tuple(_asked(work, row, one) for one in work.session.scalars(questions)),
    )


def asked_of(work: Work, idva_id: str) -> list[Asked]:
    """What reviewers asked this IDVA, unanswered first, then the newest. Raises `RoleMissing`."""
    require(work, idva_id, Action.ANSWER_REVIEW)
    query = select(ReviewQuestion).where(ReviewQuestion.idva_id == idva_id)
    query = query.order_by(ReviewQuestion.answered_at.is_not(None), ReviewQuestion.asked_at.desc())
    found = []
    for one in work.session.scalars(query.limit(MOST_QUESTIONS)):
        row = work.session.get_one(Consultation, one.consultation_id)
        work.reading(idva_id, row.id, purpose="asked in a review")
        found.append(_asked(work, row, one))
    return found


def agreed(found: Sequence[ToReview]) -> dict[str, Agreement]:
    """How far two reviewers agree, by standard: of those that both have signed off."""
    signed = ReviewState.SIGNED_OFF.value
    both = [
        one.reviews for one in found if len(one.reviews) == 2 and all(review.state == signed for review in one.reviews)
    ]
    return {
        standard.value: agreement([(getattr(a, standard.value), getattr(b, standard.value)) for a, b in both])
        for standard in Standard
    }


def _made(work: Work, review: Review, reader: str) -> Made:
    return Made(
        by=work.person(review.reviewer_id),
        mine=review.reviewer_id == reader,
        place=review.place,
        marks={one.value: getattr(review, one.value) for one in Standard},
        comment=_words(work, "review", "comment", review.id, review.consultation_id, review.comment),
        learning=_words(work, "review", "learning", review.id, review.consultation_id, review.learning),
        signed_at=review.signed_at,
    )


def _asked(work: Work, row: Consultation, one: ReviewQuestion) -> Asked:
    return Asked(
        id=one.id,
        ref=row.ref,
        question=_words(work, "review_question", "question", one.id, row.id, one.question),
        answer=_words(work, "review_question", "answer", one.id, row.id, one.answer),
        asked_at=one.asked_at,
        answered_at=one.answered_at,
    )


def _words(work: Work, table: str, column: str, row: str, consultation: str, sealed: Sealed | None) -> str:
    return work.open_words(table, column, row, scope_of(consultation), sealed) if sealed is not None else ""
