"""Binding a Telegram account from a page: who presents the link is told a number, and types it into the page.

Rules kept here:
- A link that went astray binds nothing: whoever opens it sees the number, whoever asked for it has the page.
- Three wrong numbers or ten minutes end it; then a new link is needed. A newer link takes an older one's place.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from access.enrolment import CODE_LIFE, bind_telegram, issue_code
from access.people import scope_of
from access.tables import CodePurpose, OneTimeCode, TelegramBinding, TelegramClaim
from storage.keys import Keyring
from storage.sealing import Place

MOST_WRONG = 3


class Echoed(Enum):
    """What came of a typed number."""

    BOUND = "bound"
    WRONG = "wrong"  # it may be typed again
    OVER = "over"  # a new link is needed


def ask_to_bind(session: Session, code: str, person_id: str, now: datetime) -> None:
    """Keep a fresh `code` for a link that this person may open at Telegram; no earlier one works any more."""
    earlier = (OneTimeCode.person_id == person_id, OneTimeCode.purpose == CodePurpose.TELEGRAM_PAGE.value)
    session.execute(update(OneTimeCode).where(*earlier, OneTimeCode.used_at.is_(None)).values(used_at=now))
    session.execute(delete(TelegramClaim).where(TelegramClaim.person_id == person_id))
    issue_code(session, code, CodePurpose.TELEGRAM_PAGE, person_id, now)


def claim_account(session: Session, keyring: Keyring, person_id: str, user_id: str, number: str, now: datetime) -> None:
    """This Telegram account has opened the person's link, and was told the two digits of `number`."""
    session.execute(delete(TelegramClaim).where(TelegramClaim.person_id == person_id))
    session.add(
        TelegramClaim(
            person_id=person_id,
            user_id=keyring.seal(session, _place(person_id), user_id),
            number=number,
            wrong=0,
            expires_at=now + CODE_LIFE,
        )
    )
    session.flush()


def is_asked(session: Session, person_id: str, now: datetime) -> bool:
    """Whether a number is waited for on this person's page."""
    claim = session.get(TelegramClaim, person_id)
    return claim is not None and claim.expires_at > now


def echo(session: Session, keyring: Keyring, person_id: str, number: str, now: datetime) -> Echoed:
    """The person typed this number. Wrong ones are counted, so the caller commits whatever comes of it."""
    claim = session.get(TelegramClaim, person_id, with_for_update=True)
    if claim is None or claim.expires_at <= now:
        return Echoed.OVER
    if claim.number != number:
        claim.wrong += 1
        if claim.wrong < MOST_WRONG:
            return Echoed.WRONG
        session.delete(claim)
        return Echoed.OVER
    user_id = keyring.open(session, _place(person_id), claim.user_id)
    session.delete(claim)
    bind_telegram(session, keyring, person_id, user_id, now)
    return Echoed.BOUND


def is_bound(session: Session, person_id: str) -> bool:
    """Whether a Telegram account is this person's, reachable or not."""
    return session.get(TelegramBinding, person_id) is not None


def unbind(session: Session, person_id: str) -> None:
    """Whatever Telegram account was this person's is no longer."""
    session.execute(delete(TelegramBinding).where(TelegramBinding.person_id == person_id))
    session.execute(delete(TelegramClaim).where(TelegramClaim.person_id == person_id))


def _place(person_id: str) -> Place:
    return Place("telegram_claim", "user_id", person_id, scope_of(person_id))
