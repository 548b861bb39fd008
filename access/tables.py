"""People, what they are bound to, and how they got in."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.sealing import Sealed, SealedText


class Role(Enum):
    """What someone is to the line. One person may hold several; a session or a message uses one."""

    OFFICER = "officer"  # asks, from a scene
    IDVA = "idva"  # answers, independent of the police
    IDVA_LEAD = "idva_lead"  # leads the IDVAs, for the trust
    SUPERVISOR = "supervisor"  # audits the advice, for the force
    SERGEANT = "sergeant"  # detective sergeant: triage, sets the later grade
    CURATOR = "curator"  # answers for the catalogue: approves, publishes, recalls
    ADMIN = "admin"  # adds people, gives roles, suspends; reads no words
    AUDITOR = "auditor"  # the trail, and nothing else


class Standing(Enum):
    """Whether someone may use the line now."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # takes effect at the next message, tap, request and queued send


class CodePurpose(Enum):
    """What a one-time code opens."""

    SIGN_IN = "sign_in"  # a web session in one role
    TELEGRAM = "telegram"  # binds the Telegram account that presents it
    TELEGRAM_PAGE = "telegram_web"  # the same, once the number it is told was typed into the page
    CHOICE = "choice"  # a web session in whichever of their roles somebody chooses, having signed in at a provider
    PASSKEY = "passkey"  # the same, having shown a passkey


class Way(Enum):
    """How a web session began."""

    LINK = "link"  # by a one-time link: may say which force or trust sign-in is theirs
    PROVIDER = "provider"  # by the sign-in of a force or trust
    PASSKEY = "passkey"  # by a passkey


class Person(Base):
    """A member of staff. The name and collar number are sealed under the person's own key."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    staff_hash: Mapped[str] = mapped_column(String(32), unique=True)  # keyed hash of the staff id
    name: Mapped[Sealed] = mapped_column(SealedText)
    number: Mapped[Sealed] = mapped_column(SealedText)  # collar number or staff id
    service: Mapped[str] = mapped_column(String(120))  # force or NHS trust: an organisation, not sealed
    area: Mapped[str | None] = mapped_column(String(32))  # one of the catalogue's; None: the line's own
    standing: Mapped[str] = mapped_column(String(12), default=Standing.ACTIVE.value)
    practice: Mapped[bool] = mapped_column(Boolean, default=False)  # made up for practice; never among real people
    added_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]  # the enrolment's end; None: it begins at their next sign-in
    signed_in_at: Mapped[datetime | None]  # the last time, on the web


class PersonRole(Base):
    """A role somebody holds."""

    __tablename__ = "person_role"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(12), primary_key=True)


class TelegramBinding(Base):
    """The one Telegram account of a person. By user id, never by name or number."""

    __tablename__ = "telegram_binding"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    user_hash: Mapped[str] = mapped_column(String(32), unique=True)  # keyed hash of the Telegram user id
    user_id: Mapped[Sealed] = mapped_column(SealedText)
    bound_at: Mapped[datetime]
    dead_at: Mapped[datetime | None]  # the person blocked the bot or the account is gone


class TelegramClaim(Base):
    """A Telegram account that opened somebody's link, until the number it was told is typed into the page."""

    __tablename__ = "telegram_claim"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    user_id: Mapped[Sealed] = mapped_column(SealedText)
    number: Mapped[str] = mapped_column(String(2))
    wrong: Mapped[int]
    expires_at: Mapped[datetime]


class OneTimeCode(Base):
    """A code that works once. Only its SHA-256 is kept: 128 random bits need no salt."""

    __tablename__ = "one_time_code"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str | None] = mapped_column(String(12))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class WebSession(Base):
    """Somebody signed in, in one role. Only the token's SHA-256 is kept."""

    __tablename__ = "web_session"
    __table_args__ = (Index(None, "person_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(12))
    way: Mapped[str] = mapped_column(String(8), default=Way.LINK.value)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LinkedIdentity(Base):
    """The sign-in of a force or trust that is somebody's: one at each provider, and each only one person's."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("person_id", "provider"),)

    identity_hash: Mapped[str] = mapped_column(String(32), primary_key=True)  # keyed hash of issuer and subject
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    provider: Mapped[str] = mapped_column(String(32))
    linked_at: Mapped[datetime]


class SignInFlow(Base):
    """Somebody is away at a provider, or with their passkey. Deleted when they come back; only the SHA-256 of their
    cookie is kept."""

    __tablename__ = "sign_in_flow"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(String(32))
    session_hash: Mapped[str | None] = mapped_column(String(64))  # the session that links; None: signing in
    entry_hash: Mapped[str | None] = mapped_column(String(64))  # the Mini App that was opened; None: not in one
    expires_at: Mapped[datetime]


class MiniAppEntry(Base):
    """Somebody opened the Mini App, by Telegram's word alone: a way to the sign-in, and to no words. While it stands
    its `initData` lets nobody in again. Only the SHA-256 of token and data are kept."""

    __tablename__ = "mini_app_entry"

    data_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    page: Mapped[str] = mapped_column(String(64))  # where they go on to
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  # they signed in


class Passkey(Base):
    """A passkey of somebody: what proves it, and nothing that signs. Each is only one person's."""

    __tablename__ = "passkey"
    __table_args__ = (Index(None, "person_id"),)

    credential_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the credential's id
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    count: Mapped[int] = mapped_column(BigInteger)  # of its signatures, as its device says; 0: it does not count
    kind: Mapped[str] = mapped_column(String(8))
    transports: Mapped[str] = mapped_column(String(60))
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Attempt(Base):
    """How often a door was tried with a wrong code, by whom and in which hour; nothing else about them."""

    __tablename__ = "attempt"
    who_hash: Mapped[str] = mapped_column(String(32), primary_key=True)
    window: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
