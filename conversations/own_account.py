"""What everybody may do with their own account: end sessions, bind a Telegram account, unbind it.

Rules kept here:
- Only one's own: what belongs to somebody else does not exist.
- When a person's Telegram account changes, the old chat and the new one are both told.
"""

from __future__ import annotations

from access import binding, enrolment
from access.people import telegram_of
from access.signin import end_session, open_sessions
from access.tables import CodePurpose, OneTimeCode
from audit.events import Event
from conversations import wording
from conversations.errors import NoSuchSession, NoTelegram
from conversations.post import note, note_stranger
from conversations.work import Work


def end_one(work: Work, person_id: str, handle: str) -> None:
    """End one of one's own sessions. Raises `NoSuchSession`."""
    for one in open_sessions(work.session, person_id, work.now):
        if one.handle == handle:
            end_session(work.session, one.token_hash, work.now)
            work.wake(person_id)
            work.record(Event.SIGNED_OUT, person_id, role=one.role.value, by="account page")
            return
    raise NoSuchSession


def end_others(work: Work, person_id: str, token_hash: str) -> None:
    """End all of one's sessions but this."""
    for one in open_sessions(work.session, person_id, work.now):
        if one.token_hash != token_hash:
            end_one(work, person_id, one.handle)


def make_telegram_link(work: Work, person_id: str, bot: str | None) -> str:
    """The link that binds a Telegram account once its number is typed; or, where nobody knows the bot's name, what to
    write to it. Raises `NoTelegram`."""
    if not work.line.doors.telegram:
        raise NoTelegram
    code = work.line.token()
    binding.ask_to_bind(work.session, code, person_id, work.now)
    work.record(Event.CODE_ISSUED, person_id, person=person_id, purpose=CodePurpose.TELEGRAM_PAGE.value)
    return f"https://t.me/{bot}?start={code}" if bot else f"/start {code}"


def code_presented(work: Work, code: str, user_id: str) -> str:
    """A Telegram account of nobody presents a code; gives what it is told. A code of the command line binds at once,
    one of a page when its number is typed there. Raises `CodeRefused`."""
    spent = _use(work, code)
    if spent.purpose == CodePurpose.TELEGRAM.value:
        old = telegram_of(work.session, work.line.keyring, spent.person_id)
        enrolment.bind_telegram(work.session, work.line.keyring, spent.person_id, user_id, work.now)
        return _bound(work, spent.person_id, old)
    number = f"{int(work.line.token(), 16) % 100:02d}"
    binding.claim_account(work.session, work.line.keyring, spent.person_id, user_id, number, work.now)
    work.wake(spent.person_id)
    text = wording.say("echo", number=number)
    note_stranger(work, user_id, text)
    return text


def _use(work: Work, code: str) -> OneTimeCode:
    try:
        return enrolment.use_code(work.session, code, CodePurpose.TELEGRAM_PAGE, work.now)
    except enrolment.CodeRefused:
        return enrolment.use_code(work.session, code, CodePurpose.TELEGRAM, work.now)


def number_typed(work: Work, person_id: str, number: str) -> binding.Echoed:
    """The number was typed into the page. A wrong one is counted: that has to be committed."""
    old = telegram_of(work.session, work.line.keyring, person_id)
    came = binding.echo(work.session, work.line.keyring, person_id, number, work.now)
    if came is binding.Echoed.BOUND:
        _bound(work, person_id, old)
    else:
        work.record(Event.CODE_REFUSED, person_id, why=f"number {came.value}")
    return came


def _bound(work: Work, person_id: str, old: str | None) -> str:
    work.record(Event.TELEGRAM_BOUND, person_id, instead=old is not None)
    name = "enrolled"
    if old is not None and old != telegram_of(work.session, work.line.keyring, person_id):
        note_stranger(work, old, wording.say("unbound"))
        name = "enrolled_instead"
    text = wording.say(name, emergency=work.line.policy.emergency)
    note(work, person_id, text)
    return text


def unbind(work: Work, person_id: str) -> None:
    """Let go of one's Telegram account; its chat is told. Raises `NoTelegram`."""
    if not binding.is_bound(work.session, person_id):
        raise NoTelegram
    old = telegram_of(work.session, work.line.keyring, person_id)
    binding.unbind(work.session, person_id)
    work.record(Event.TELEGRAM_UNBOUND, person_id)
    if old is not None:
        note_stranger(work, old, wording.say("unbound"))
