"""One-time codes: binding a Telegram account, and limits on guessing.

Rules kept here:
- A code has 128 random bits, works once, for ten minutes, and only its hash is kept.
- A wrong, expired, used or foreign code is answered by one and the same text; guesses are counted for each
  account and for the whole line, and past the limit nothing is answered at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from access.people import binding_place
from access.tables import Attempt, CodePurpose, OneTimeCode, Role, TelegramBinding
from storage.keys import Keyring

CODE_LIFE = timedelta(minutes=10)  # ASVS 6.5.5
GUESSES_AN_HOUR = 5  # for one account
GUESSES_A_MINUTE = 50  # for everybody together
EVERYBODY = "everybody"


class CodeRefused(Exception):
    """This code does not work (any more)."""


def hash_of(code: str) -> str:
    """What is kept of a code."""
    return sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def issue_code(
    session: Session,
    code: str,
    purpose: CodePurpose,
    person_id: str,
    now: datetime,
    *,
    role: Role | None = None,
    life: timedelta = CODE_LIFE,
) -> None:
    """Keep a fresh random `code` for somebody."""
    session.add(
        OneTimeCode(
            code_hash=hash_of(code),
            purpose=purpose.value,
            person_id=person_id,
            role=role.value if role else None,
            expires_at=now + life,
            used_at=None,
        )
    )


def use_code(session: Session, code: str, purpose: CodePurpose, now: datetime) -> OneTimeCode:
    """Use a code up. Raises `CodeRefused`, also for the second of two at the same moment."""
    spent = session.execute(
        update(OneTimeCode)
        .where(
            OneTimeCode.code_hash == hash_of(code),
            OneTimeCode.purpose == purpose.value,
            OneTimeCode.used_at.is_(None),
            OneTimeCode.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeCode)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if spent is None:
        raise CodeRefused
    return spent


def void_codes(session: Session, person_id: str, now: datetime) -> None:
    """No code made for this person works any more."""
    unused = (OneTimeCode.person_id == person_id, OneTimeCode.used_at.is_(None))
    session.execute(update(OneTimeCode).where(*unused).values(used_at=now))


def peek_code(session: Session, code: str, purpose: CodePurpose, now: datetime) -> OneTimeCode | None:
    """The code if it would work, left unused."""
    row = session.get(OneTimeCode, hash_of(code))
    works = row is not None and row.purpose == purpose.value and row.used_at is None and row.expires_at > now
    return row if works else None


def bind_telegram(session: Session, keyring: Keyring, person_id: str, user_id: str, now: datetime) -> None:
    """Make this Telegram account the person's only one, and no one else's."""
    user_hash = keyring.keyed_hash(session, "telegram", user_id)
    session.execute(
        delete(TelegramBinding).where(
            (TelegramBinding.person_id == person_id) | (TelegramBinding.user_hash == user_hash)
        )
    )
    session.add(
        TelegramBinding(
            person_id=person_id,
            user_hash=user_hash,
            user_id=keyring.seal(session, binding_place(person_id), user_id),
            bound_at=now,
            dead_at=None,
        )
    )
    session.flush()


def count_guess(session: Session, who_hash: str, now: datetime) -> bool:
    """Count one wrong code; False when this account or the whole line is past its limit."""
    hour, minute = now.replace(minute=0, second=0, microsecond=0), now.replace(second=0, microsecond=0)
    mine = _count(session, who_hash, hour)
    everybodys = _count(session, EVERYBODY, minute)
    return mine <= GUESSES_AN_HOUR and everybodys <= GUESSES_A_MINUTE


def may_guess(session: Session, who_hash: str, now: datetime) -> bool:
    """Whether this account may still try a code."""
    hour, minute = now.replace(minute=0, second=0, microsecond=0), now.replace(second=0, microsecond=0)
    tried = select(func.coalesce(func.sum(Attempt.count), 0))
    mine = session.scalar(tried.where(Attempt.who_hash == who_hash, Attempt.window == hour)) or 0
    everybodys = session.scalar(tried.where(Attempt.who_hash == EVERYBODY, Attempt.window == minute)) or 0
    return mine < GUESSES_AN_HOUR and everybodys < GUESSES_A_MINUTE


def first_in(session: Session, who_hash: str, window: timedelta, now: datetime) -> bool:
    """Whether this happens for the first time in this hour or minute: for lines said at most that often."""
    return count_in(session, who_hash, window, now) == 1


def count_in(session: Session, who_hash: str, window: timedelta, now: datetime) -> int:
    """Count something that somebody does, and give how often it happened in this hour or minute."""
    start = now.replace(second=0, microsecond=0)
    if window >= timedelta(hours=1):
        start = start.replace(minute=0)
    return _count(session, who_hash, start)


def _count(session: Session, who_hash: str, window: datetime) -> int:
    row = session.get(Attempt, (who_hash, window), with_for_update=True)
    if row is None:
        row = Attempt(who_hash=who_hash, window=window, count=0)
        session.add(row)
    row.count += 1
    session.flush()
    return row.count
