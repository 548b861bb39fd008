"""Nothing in the repository names a package registry's host or a path of somebody's machine.

A lock with an index address in it works only where that index is; a path of one machine only there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BANNED = (
    "py" + "pi.org",  # each is written in two pieces, so that this file does not name it either
    "python" + "hosted.org",
    "registry.npm" + "js",
    "registry.yarn" + "pkg",
    "deb.deb" + "ian.org",
    "/wo" + "rk/",
    "/fa" + "rm/",
)


def banned_here() -> re.Pattern[str]:
    """Give what may not be named: the fixed list, this checkout's own folder and this user's home."""
    own = {f"{place}/" for place in (ROOT, Path.home()) if len(place.parts) > 1}
    return re.compile("|".join(map(re.escape, sorted({*BANNED, *own}))))


def main() -> None:
    """Read every file that git tracks, or would."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # git by its name
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    banned = banned_here()
    found = [
        f"{name}:{number}: names {hit.group(0)}"
        for name in sorted(filter(None, names.split("\0")))
        if (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), start=1)
        if (hit := banned.search(line))
    ]
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
