"""What can be wrong with what somebody asked for. An error's docstring is its message."""

from __future__ import annotations


class LineError(Exception):
    """That cannot be done."""

    def __str__(self) -> str:
        return " ".join((self.__doc__ or "").split())


class NotYours(LineError):
    """There is no such consultation."""  # what one may not see does not exist


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


class UnclearAdvice(LineError):
    """Not sent. Write /advise and below it, each on a line of its own: Do now: … Tell: … Services: … Would change: …
    The last two may be left out."""


class TapRefused(LineError):
    """This button has expired."""


class RoleMissing(LineError):
    """You do not have that role."""
