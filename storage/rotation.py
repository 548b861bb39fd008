"""Rotation: wrapping the keys of all scopes under the newest key-encryption key, batch by batch; and looking.

Rules kept here:
- What was sealed is never touched: only data keys are wrapped anew.
- One transaction a batch. Dying anywhere leaves every row whole under one key or the other; running it again goes
  on from there, and running it once more changes nothing.
- The check row goes first and the index row last. So from the first batch on a start with the old key alone is
  refused, and until the last batch so is a start with the new key alone.
- A key is retired only when no row needs it, and while no row can be written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import ColumnElement, case, func, or_, select, text
from sqlalchemy.orm import Session

from storage.failpoint import failpoint
from storage.keys import CHECK_SCOPE, INDEX_SCOPE, DataKey, Keyring
from storage.providers import OPEN, KeyProblem, KeyProvider, newest, next_kid, purpose_of
from storage.sealing import CannotOpen

BATCH = 500


class Working(Protocol):
    """A transaction under way: `storage.database.Transaction`, or what wraps one."""

    @property
    def session(self) -> Session:
        """Its session."""


Work = TypeVar("Work", bound=Working)


@dataclass(frozen=True)
class Batch:
    """One batch that was wrapped anew."""

    number: int
    rows: int
    kids: tuple[str, ...]  # what they are wrapped under now


@dataclass(frozen=True)
class Rotated:
    """What a rotation did. Scopes that did not open stay as they were."""

    rows: int
    batches: int
    unopened: tuple[str, ...]


@dataclass(frozen=True)
class Under:
    """The rows under one key-encryption key."""

    kid: str
    rows: int
    unopened: int
    uncommitted: int  # from before commitments: the next rotation gives them one
    standing: str  # "current", "older", "destroyed" or "missing"


def make_next(provider: KeyProvider) -> str:
    """Make the next open key. What is new is wrapped under it from now on."""
    kid = next_kid(OPEN, (*provider.kids(), *provider.destroyed()))
    provider.make(kid)
    return kid


def rotate(
    keyring: Keyring,
    begin: Callable[[], AbstractContextManager[Work]],
    batch: int = BATCH,
    report: Callable[[Work, Batch], None] = lambda _work, _batch: None,
) -> Rotated:
    """Wrap every row under the newest key of its purpose. `report` is called in each batch's own transaction."""
    rows, number, unopened = 0, 0, set[str]()
    while True:
        with begin() as work:
            kids = _rewrap_some(keyring, work.session, batch, unopened)
            if kids is None:
                return Rotated(rows, number, tuple(sorted(unopened)))
            if kids:
                rows, number = rows + kids.total(), number + 1
                report(work, Batch(number, kids.total(), tuple(sorted(kids))))
        failpoint("keys.batch")  # dying here: this batch is done, the next one is not begun


def rows_behind(session: Session, provider: KeyProvider) -> int:
    """How many rows are under a key that a newer one has replaced: a rotation is due, or was broken off."""
    return _rows_under(session, _replaced(provider))


def examine(keyring: Keyring, session: Session) -> list[Under]:
    """Try every row. Gives one entry for each key that there is, or that a row asks for."""
    kids, destroyed = keyring.provider.kids(), keyring.provider.destroyed()
    rows, unopened, uncommitted = Counter[str](), Counter[str](), Counter[str]()
    for row in session.scalars(select(DataKey).execution_options(yield_per=BATCH)):
        rows[row.kid] += 1
        uncommitted[row.kid] += row.commitment is None
        try:
            keyring.unwrap(row)
        except CannotOpen:
            unopened[row.kid] += 1
    return [
        Under(kid, rows[kid], unopened[kid], uncommitted[kid], _standing(kid, kids, destroyed))
        for kid in dict.fromkeys((*kids, *sorted(rows)))
    ]


def retire(keyring: Keyring, session: Session) -> tuple[str, ...]:
    """Destroy every key that a newer one of its purpose has replaced. Raises `KeyProblem` while a row needs one.

    Alarming on purpose: backups from before the rotation open no more. Every replica must have read the new key.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE data_key IN SHARE ROW EXCLUSIVE MODE"))  # waits for writers, keeps others out
    else:
        session.connection()
    provider = keyring.provider
    replaced = _replaced(provider)
    needed = _rows_under(session, replaced)
    if needed:
        raise KeyProblem(f"{needed} rows still need a key that would be retired. Run: lanyard keys rotate")
    for kid in replaced:
        provider.destroy(kid)  # dying here: the others are destroyed when this is run again
    return replaced


def _rewrap_some(keyring: Keyring, session: Session, batch: int, unopened: set[str]) -> Counter[str] | None:
    """Wrap up to a batch of rows anew. Gives how many came under which kid; None when none is left."""
    order = case((DataKey.scope == CHECK_SCOPE, 0), (DataKey.scope == INDEX_SCOPE, 2), else_=1)
    query = (
        select(DataKey)
        .where(_is_older(keyring.provider), DataKey.scope.not_in(unopened))
        .order_by(order, DataKey.scope)
        .limit(batch)
        .with_for_update()
    )
    found, kids = session.scalars(query).all(), Counter[str]()
    for row in found:
        kid = keyring.provider.current(purpose_of(row.kid))
        try:
            keyring.rewrap(row, kid)
        except CannotOpen:
            unopened.add(row.scope)
            continue
        session.flush()
        failpoint("keys.row")  # dying here: the whole batch is undone
        kids[kid] += 1
    return kids if found else None


def _is_older(provider: KeyProvider) -> ColumnElement[bool]:
    """Rows that open, under a key that is not the newest of its purpose; or that have no commitment yet."""
    uncommitted = DataKey.kid.in_(provider.kids()) & DataKey.commitment.is_(None)
    return or_(DataKey.kid.in_(_replaced(provider)), uncommitted)


def _replaced(provider: KeyProvider) -> tuple[str, ...]:
    kids = provider.kids()
    return tuple(kid for kid in kids if kid != newest(purpose_of(kid), kids))


def _rows_under(session: Session, kids: tuple[str, ...]) -> int:
    return session.scalar(select(func.count()).select_from(DataKey).where(DataKey.kid.in_(kids))) or 0


def _standing(kid: str, kids: tuple[str, ...], destroyed: tuple[str, ...]) -> str:
    if kid not in kids:
        return "destroyed" if kid in destroyed else "missing"
    return "current" if kid == newest(purpose_of(kid), kids) else "older"
