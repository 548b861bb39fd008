"""`python -m tests.faults.sabotage NAME COMMAND…`: break one thing, then run the `lanyard` command."""

from __future__ import annotations

import sys
from importlib import import_module

from lanyard.__main__ import main

if __name__ == "__main__":
    import_module(f"tests.faults.sabotage.{sys.argv[1]}").sabotage()
    sys.exit(main(sys.argv[2:]))
