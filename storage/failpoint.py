"""Named places where a test may kill the program, so that what survives a crash is shown and not hoped.

Rule kept here: without `LANYARD_CRASH_AT_FOR_TESTS` a failpoint costs one comparison and does nothing.
The value is `name` or `name:N` (die at the N-th passing, default the first).
"""

from __future__ import annotations

import os
from itertools import count

_wanted, _, _nth = os.environ.get("LANYARD_CRASH_AT_FOR_TESTS", "").partition(":")
_passings = count(1)


def failpoint(name: str) -> None:
    """Die here as by `kill -9` (exit status 137, nothing flushed) when this name was asked for."""
    if name == _wanted and next(_passings) >= int(_nth or 1):
        os._exit(137)
