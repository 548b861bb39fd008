"""Which consultations of a month are to be reviewed, why, and by how many people: the rule applied to what there is.

Rules kept here:
- A month's seed is in the trail, by its hash, before it draws anything.
- Nothing is chosen in advance: the rule is asked each time, so what it says can never be out of step with the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, select

from access.permissions import Action
from audit.events import Event
from conversations import store
from conversations.sampling import Ended, Reason, Sampling, month_of, published, reasons, twice
from conversations.standing import require, seen_by
from conversations.states import ENDED
from conversations.tables import Consultation, FlagState, Installation, RedFlag
from conversations.tables_review import Review
from conversations.work import BY_THE_LINE, Work

SAMPLING = Sampling()
EVER_RAISED = (FlagState.RAISED.value, FlagState.NOT_SO.value)


@dataclass(frozen=True)
class ToReview:
    """One consultation to be reviewed. No words."""

    row: Consultation
    ended_at: datetime
    why: frozenset[Reason]
    people: int  # how many review it: one, or two
    reviews: tuple[Review, ...]


def of_month(work: Work, by: str, month: str) -> list[ToReview]:
    """What is to be reviewed of those that ended in this month (2032-11), the newest first; five queries however many
    there are. Raises `RoleMissing` or ValueError."""
    require(work, by, Action.REVIEW)
    begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    found = _chosen(work, (Consultation.ended_at >= begins, Consultation.ended_at < ends))
    seen = {row.id for row in seen_by(work, [one.row for one in found], by)}
    return [one for one in found if one.row.id in seen]


def chosen(work: Work, row: Consultation) -> ToReview | None:
    """This one, if it is to be reviewed."""
    return next(iter(_chosen(work, (Consultation.id == row.id,))), None)


def seed_of(work: Work, month: str) -> bytes:
    """The seed of a month; its hash is put into the trail before anything is drawn by it."""
    seed = work.hash("review seed", month).encode()
    name = f"review_seed:{month}"
    if work.session.get(Installation, name) is None:
        store.mark(work.session, name, published(seed))
        work.record(Event.REVIEW_SEED_FIXED, BY_THE_LINE, month=month, sha256=published(seed))
    return seed


def _chosen(work: Work, which: Sequence[ColumnElement[bool]]) -> list[ToReview]:
    ended = [*which, Consultation.state.in_([state.value for state in ENDED])]
    flagged = select(RedFlag.consultation_id).where(RedFlag.state.in_(EVER_RAISED))
    query = select(Consultation, Consultation.id.in_(flagged)).where(*ended)
    query = query.order_by(Consultation.ended_at.desc(), Consultation.id)
    found = []
    for row, was_flagged in work.session.execute(query):
        if row.ended_at is None:
            continue
        seed = seed_of(work, month_of(row.ended_at))
        facts = Ended(row.id, row.urgent, was_flagged, row.grade, row.later_grade)
        if why := reasons(facts, SAMPLING, seed):
            people = 2 if twice(row.id, SAMPLING, seed) else 1
            found.append(ToReview(row, row.ended_at, why, people, ()))
    return _with_reviews(work, found, ended)


def _with_reviews(work: Work, found: list[ToReview], ended: Sequence[ColumnElement[bool]]) -> list[ToReview]:
    reviews: dict[str, list[Review]] = {}
    query = select(Review).join(Consultation, Consultation.id == Review.consultation_id).where(*ended)
    for review in work.session.scalars(query.order_by(Review.consultation_id, Review.place)):
        reviews.setdefault(review.consultation_id, []).append(review)
    return [replace(one, reviews=tuple(reviews.get(one.row.id, ()))) for one in found]
