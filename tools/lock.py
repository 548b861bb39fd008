"""The locks: `python -m tools.lock` rewrites them on purpose, `--check` says whether they are still right.

Each lock pins one set of requirements of pyproject.toml for every platform and every Python we support, with
hashes, and opens with a fingerprint of what was asked for. The check compares fingerprints, so it needs no
network and a new release somewhere never turns it red. A lock names no index: it is good wherever the hashes
match.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("build", "runtime", "dev")
"""In order: `dev` holds the other two as well, at the versions they pinned."""


class Stale(Exception):
    """A lock no longer matches pyproject.toml: run `make lock`."""


def group(project: dict[str, Any], name: str) -> Iterator[str]:
    """Give the requirements of one dependency group, with the groups it includes."""
    for entry in project["dependency-groups"][name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from group(project, entry["include-group"])


def asked(project: dict[str, Any], lock: str) -> list[str]:
    """Give every requirement that one lock must pin."""
    wanted = set(project["project"]["dependencies"]) if lock != "build" else set()
    if lock != "runtime":
        wanted |= set(group(project, lock))
    return sorted(wanted)


def path(lock: str) -> Path:
    """Say where a lock is kept."""
    return ROOT / "requirements" / f"{lock}.txt"


def oldest_python(project: dict[str, Any]) -> str:
    """Give the oldest Python that the project runs on."""
    return str(project["project"]["requires-python"]).removeprefix(">=")


def head(project: dict[str, Any], lock: str) -> str:
    """Give the first lines of a lock: what it is for, and the fingerprint of what was asked for."""
    canonical = json.dumps([oldest_python(project), asked(project, lock)])
    return (
        f"# {lock}: written by `make lock` from pyproject.toml; not to be edited by hand.\n"
        f"# fingerprint: {sha256(canonical.encode()).hexdigest()}\n"
    )


def check(project: dict[str, Any]) -> None:
    """Raise Stale unless each lock answers what pyproject.toml asks today, and `dev` agrees with the rest."""
    pins: dict[str, set[str]] = {}
    for lock in LOCKS:
        text = path(lock).read_text() if path(lock).exists() else ""
        if not text.startswith(head(project, lock)):
            raise Stale(f"requirements/{lock}.txt does not match pyproject.toml: run `make lock`")
        pins[lock] = {line.split()[0] for line in text.splitlines() if "==" in line}
    if apart := sorted((pins["build"] | pins["runtime"]) - pins["dev"]):
        raise Stale(f"requirements/dev.txt pins other versions of {', '.join(apart)}: run `make lock`")


def write(project: dict[str, Any], *, upgrade: bool) -> None:
    """Pin each set anew. Versions pinned before stay, unless told to upgrade or a requirement moved."""
    done: list[Path] = []
    for lock in LOCKS:
        before = [path(lock)] if path(lock).exists() and not upgrade else []
        body = resolve(asked(project, lock), oldest_python(project), constraints=done, preferred=before)
        path(lock).write_text(head(project, lock) + body)
        done.append(path(lock))
        print(f"requirements/{lock}.txt: {body.count('==')} pins")


def resolve(wanted: list[str], python: str, *, constraints: list[Path], preferred: list[Path]) -> str:
    """Ask uv for the pins of these requirements, on every platform, with hashes."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--no-config", "--no-header"),
        *("--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--generate-hashes"),
        *("--universal", "--python-version", python),
    ]
    for file in constraints:
        command += ["--constraint", str(file)]
    if preferred:
        command += ["--output-file", str(preferred[0])]
    done = subprocess.run(command, input="\n".join(wanted), text=True, stdout=subprocess.PIPE, check=True)
    return preferred[0].read_text() if preferred else done.stdout


def main() -> None:
    """Check or write, as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the locks are right")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that are allowed")
    wish = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    try:
        if not wish.check:
            write(project, upgrade=wish.upgrade)
        check(project)
    except Stale as stale:
        sys.exit(str(stale))


if __name__ == "__main__":
    main()
