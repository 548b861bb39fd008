"""Words of immediate danger in free text, so that the emergency words are said at once. Pure.

Rules kept here: this raises nothing and grades nothing, it only has the fixed emergency words said before all else;
saying them once too often costs one line. Red flags, with what follows from them, are the knowledge room's.
"""

from __future__ import annotations

import re

_SIGNS = re.compile(
    r"\b(?:999|112)\b"
    r"|\b(?:kni(?:fe|ves)|machete|gun|shotgun|firearm|weapon|acid|petrol)\b"
    r"|\bstabb|\bsho(?:t|oting) at\b|\bon fire\b|\bset(?:ting)? fire\b"
    r"|\bnot breathing\b|\bstopped breathing\b|\b(?:can(?:no|['\u2019]?)t|unable to) breathe\b"
    r"|\bunconscious\b|\bunresponsive\b|\bcollapsed\b|\boverdos|\bbleeding\b"
    r"|\bstrangl|\bchok(?:ed|ing)\b"
    r"|\b(?:going|trying|threaten\w*) to kill\b|\bkilling (?:her|him|them|me|us)\b"
    r"|\bofficer down\b|\burgent assistance\b",
    re.IGNORECASE,
)


def sounds_dangerous(text: str) -> bool:
    """Whether the text speaks of somebody in danger at this moment."""
    return _SIGNS.search(text) is not None
