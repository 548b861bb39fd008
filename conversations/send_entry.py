"""An IDVA sends an entry of the catalogue to the officer: one tap, the words as they were approved."""

from __future__ import annotations

from conversations.case import Case
from conversations.consult import require_owner
from conversations.post import deliver, write_message
from conversations.relay import header
from conversations.signposting import note_as_shown, published_as
from conversations.signs import suggestions_of
from conversations.states import Trigger
from conversations.tables import Audience, MessageKind, Side
from knowledge.showing import card
from knowledge.shown import How


def send_entry(case: Case, idva_id: str, argument: str) -> None:
    """Send an entry: `id.version`. Raises `NotYours`, `Closed` or `EntryGone`."""
    require_owner(case, idva_id)
    work, published = case.work, published_as(case, argument)
    text = card(published.entry, work.now)
    message = write_message(
        work,
        case.row,
        text,
        side=Side.IDVA,
        kind=MessageKind.ENTRY,
        audience=Audience.BOTH,
        author_id=idva_id,
    )
    case.move(Trigger.IDVA_WROTE, idva_id, quiet=True)
    case.turn(officer_waits=False)
    deliver(work, case.row, message, text, case.row.officer_id, header=f"{header(case, message)}:\n")
    for row in suggestions_of(work.session, case.row.id):
        if (row.entry_id, row.version) == (published.entry.id, published.version):
            row.sent_at = work.now
    note_as_shown(case, published, idva_id, How.SENT)
