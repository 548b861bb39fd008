"""What can be wrong with what somebody asked for. An error's docstring is its message."""

from __future__ import annotations


class LineError(Exception):
    """That cannot be done."""

    def __str__(self) -> str:
        return " ".join((self.__doc__ or "").split())


class NotYours(LineError):
    """There is no such consultation."""  # what one may not see does not exist


class NoSuchCorrection(NotYours):
    """There is no such correction."""


class Taken(LineError):
    """Somebody else has taken it."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by  # who took it, as may be shown


class Closed(LineError):
    """This consultation is closed. Write again to ask something new."""


class NoLongerOffered(LineError):
    """This offer is no longer open."""


class OwnQuestion(LineError):
    """You asked this yourself; a colleague has to answer it."""


class OffDuty(LineError):
    """You are not on duty. Go on duty first."""


class StillHolding(LineError):
    """You still have open consultations. Give advice, or pass them to a colleague, before going off duty."""


class TooLateToReopen(LineError):
    """This was closed more than 14 days ago. Ask a new question."""


class NobodyToPassTo(LineError):
    """That colleague cannot take it now: not on duty, or no room."""


class EmptyAdvice(LineError):
    """Say at least what to do now and who to tell."""


class EmptyNote(LineError):
    """Nothing is written in the note."""


class WrongSnippet(LineError):
    """A wording of your own has 1 to 600 characters, and there are 30 at most. Nothing was changed."""


class NoSuchSnippet(LineError):
    """This wording is not there any more."""


class NoAdviceStatus(LineError):
    """Say what it is. Status: information, advice, advice with concern, or needs a decision by the officer's
    supervisor."""


class UnclearAdvice(LineError):
    """Not sent. Write /advise and below it, each on a line of its own: Status: … Do now: … Tell: … Services: …
    Would change: … The last two may be left out."""


class StillLive(LineError):
    """This consultation has not ended, so it cannot be erased."""


class UnderHold(LineError):
    """This consultation is under a legal hold. Two people have to lift it before it can be erased."""


class TooFresh(LineError):
    """This ended less than two days ago: messages may still be on their way. It can be erased after that."""


class NotDue(LineError):
    """Its retention period has not run out. It can be erased now only on a granted request or an order."""


class KeptTooLong(LineError):
    """Keep it until a day after today, ten years from now at most. Then it is reviewed again."""


class NoSuchMonth(LineError):
    """There is no key of this month: write it as 2032-11. `lanyard keys doctor` lists the keys there are."""


class MonthNotOver(LineError):
    """This month is not over: more may be archived under its key."""


class StillArchived(LineError):
    """Consultations still lie under this month's key: decide on each first (lanyard retention due)."""


class SecondPerson(LineError):
    """You asked for this hold to be lifted yourself; a second supervisor has to do it."""


class LiftNotAsked(LineError):
    """Nobody has asked for this hold to be lifted yet."""


class NoHold(LineError):
    """There is no such legal hold on this consultation."""


class WhichHold(LineError):
    """There are several legal holds on this consultation. Say which: --reference R"""


class UnclearReference(LineError):
    """A reference is 2 to 40 letters, digits, spaces or . / _ - with a digit among them; it never describes anybody."""


class NobodyKnown(LineError):
    """Nobody here has that staff id."""


class NotRestricted(LineError):
    """This consultation is not restricted."""


class NoReason(LineError):
    """Say in at least ten characters why this cannot wait for the people whose consultation it is."""


class GlassNotReviewed(LineError):
    """Your last emergency access has not been reviewed yet. Ring the duty lead."""


class NobodyToTell(LineError):
    """Nobody of the other organisation could be told, so it stays closed. Ring the duty lead."""


class HadAPart(LineError):
    """You had a part in this consultation; somebody else reviews it."""


class NotBegun(LineError):
    """Begin this review first, from the list of reviews."""


class NotToReview(LineError):
    """This consultation is not among those to be reviewed."""


class ReviewedAlready(LineError):
    """Somebody else is reviewing this, or has reviewed it."""


class ReviewChanged(LineError):
    """This review was changed or signed off in the meantime. Nothing was saved: look at it again."""


class NotAllMarked(LineError):
    """Mark every standard before you sign off: yes, no or not applicable."""


class CommentTooLong(LineError):
    """A comment or learning point has at most 4,000 characters. Nothing was saved."""


class NoSuchGrade(LineError):
    """A grade is high, medium or standard, or not done."""


class NothingAsked(LineError):
    """Write what you want to ask or answer, in at most 4,000 characters."""


class NobodyToAsk(LineError):
    """No IDVA had this consultation, so there is nobody to ask."""


class RoleMissing(LineError):
    """You do not have that role."""


class NoSuchMember(NotYours):
    """There is no such person."""


class NoSuchSession(NotYours):
    """There is no such session."""


class NoTelegram(LineError):
    """There is no Telegram account to connect or to let go of here."""


class OnOneself(LineError):
    """Nobody changes their own roles or access. A colleague has to do it."""


class AboveYou(LineError):
    """Only an administrator may do this: supervisors answer for officers and IDVAs."""


class AlreadyHere(LineError):
    """Somebody with this staff id is already here."""


class StaffRefused(LineError):
    """Somebody cannot be added like this."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self._reason = reason

    def __str__(self) -> str:
        return self._reason


class EntryGone(LineError):
    """That entry is no longer in the catalogue: it was changed or withdrawn. Ask the IDVA."""


class NotConfirmed(LineError):
    """Confirm first that you have read it and that nobody could be recognised by it."""


class NoAdvice(LineError):
    """No advice was given in this consultation."""


class NothingToSay(LineError):
    """Write what is right instead, in at most 2,000 characters."""


class DutyTooLong(LineError):
    """Nobody is on duty for more than 14 hours at a time."""


class WrongPeriod(LineError):
    """The period has to end after it begins."""


class NotOver(LineError):
    """A report leaves the house once its period is over."""


class NoSuchReport(NotYours):
    """There is no such report."""


class RotaRefused(StaffRefused):
    """The rota cannot be changed like this."""


class RotaMoved(LineError):
    """The rota has changed since you looked at it. Nothing was done: look at it again."""


class RotaNeedsAnother(LineError):
    """You asked for this yourself: a second person has to decide on it."""


class NoSuchShift(LineError):
    """There is no such shift on the rota any more, or it has begun."""


class NoSuchSwap(LineError):
    """This swap is no longer open."""


class OnLeave(LineError):
    """That is within leave. Have the lead end the leave first."""
