"""Queries about what came up in a consultation: red flags, and entries that were put forward."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from conversations.tables import FlagState, RedFlag, Suggestion


def flags_of(session: Session, consultation_id: str) -> dict[str, RedFlag]:
    """Every red flag of a consultation by its slug, in the order in which they came up."""
    query = select(RedFlag).where(RedFlag.consultation_id == consultation_id).order_by(RedFlag.at, RedFlag.flag)
    return {row.flag: row for row in session.scalars(query)}


def raised_in(session: Session, consultation_id: str) -> list[RedFlag]:
    """The red flags that stand."""
    return [row for row in flags_of(session, consultation_id).values() if row.state == FlagState.RAISED.value]


def suggestions_of(session: Session, consultation_id: str) -> list[Suggestion]:
    """What was put forward in a consultation, in the order in which it came up."""
    query = select(Suggestion).where(Suggestion.consultation_id == consultation_id).order_by(Suggestion.rank)
    return list(session.scalars(query))
