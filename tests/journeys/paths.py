"""The paths of the consultation, as the issue names them. A story says under `Shows` which of them it walks."""

from __future__ import annotations

PATHS = (
    # Ask
    "received within a second",
    "buttons used",
    "buttons ignored",
    "a late question",
    # Knowledge
    "a red flag at once",
    "a red flag that is not so",
    "entries while an IDVA is found",
    "an entry sent with one tap",
    # Route
    "unanswered goes to the next",
    "30 seconds when urgent",
    "urgent goes to all at once",
    "declined with a reason",
    "a step with nobody in it is skipped",
    "two accept at the same moment",
    "everyone tried",
    "five minutes",
    "everybody has as many as they can take",
    "nobody on duty",
    "kept and owed",
    "the next shift gets it first",
    "urgent first",
    "same IDVA on the same incident",
    "the lead deals with it",
    "kept too long",
    # Talk
    "two officers with one IDVA",
    "a topic for each",
    "an ambiguous line is held and asked about",
    "an officer with two open",
    "edits become versions",
    "edited after the advice",
    "delivery is shown",
    "not delivered",
    # Advise
    "question to read-back",
    "advice is one message",
    "asked on after the advice",
    "unread advice",
    "corrected advice",
    # Close
    "withdrawn while offered",
    "withdrawn while the lead is called",
    "withdrawn while kept",
    "withdrawn while talking",
    "withdrawn while passed on",
    "withdrawn after the advice",
    "withdrawn after it was raised",
    "withdrawn while late",
    "reopened by the same IDVA",
    "reopened by another IDVA",
    "not reopened after 14 days",
    "passed on and accepted",
    "passed on and declined",
    "passed on and unanswered",
    "the officer is silent",
    "the IDVA is silent",
    "the IDVA's shift ends",
    "off duty with open ones refused",
    "the IDVA is suspended",
    # Doors
    "what cannot be sent",
    "a stranger",
    "no access any more",
    "enrolment by a one-time link",
    "tapped twice",
    "personal details",
    "doorbell",
    "the line was down for a day",
    "the duty lead's views",
)

ONLY_AT_TELEGRAM = frozenset(
    {
        "a late question",  # a page knows no other time than ours
        "withdrawn while late",
        "a topic for each",
        "an ambiguous line is held and asked about",  # a page has panes
        "not delivered",  # a page waits for its reader
        "what cannot be sent",
        "a stranger",
        "enrolment by a one-time link",
        "personal details",
        "an entry sent with one tap",  # at the desk it lies beside the thread, see tests/browser
    }
)
"""At our own chat these cannot happen."""

ONLY_AT_THE_WEB = frozenset({"doorbell"})
"""There the telephones only ring."""
