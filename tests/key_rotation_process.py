"""Runs `lanyard keys rotate` many times, each in a process of its own that dies at a named place as by kill -9.

One interpreter loads everything, works it once through, and forks for each run, so that fifty deaths take seconds.
`python -m tests.key_rotation_process TEMPLATE OUT` reads `[point, batch]` pairs from standard input, works each in a
fresh copy of the template's folder, and prints each run's exit status.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from itertools import count
from pathlib import Path

from lanyard.__main__ import main
from storage import failpoint


def settings(folder: Path) -> dict[str, str]:
    """The environment of an installation in a folder."""
    return {
        "LANYARD_DATABASE": f"sqlite:///{folder / 'data' / 'lanyard.db'}",
        "LANYARD_KEY_FILE": str(folder / "keys" / "lanyard.key"),
        "LANYARD_LEAD_PHONE": "01632 960 001",
    }


def die_at(folder: Path, point: str, batch: int) -> int:
    """One run that dies; gives its exit status, 137 for a death where it was asked for."""
    child = os.fork()
    if child == 0:
        os.environ.update(settings(folder))
        failpoint._wanted, _, failpoint._nth = point.partition(":")
        failpoint._passings = count(1)
        os._exit(main(["keys", "rotate", "--batch", str(batch)]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    template, out = Path(sys.argv[1]), Path(sys.argv[2])
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.update(settings(template))
    main(["people", "list"])  # what the first command makes (mappings, statements, the catalogue) no fork makes again
    statuses = []
    for number, (where, size) in enumerate(json.load(sys.stdin)):
        shutil.copytree(template, out / str(number))
        statuses.append(die_at(out / str(number), where, size))
    print(json.dumps(statuses))
