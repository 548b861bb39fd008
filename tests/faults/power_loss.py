"""The power goes: what was written and never synced is gone. SQLite only; needs a C compiler.

`power_loss.c` keeps, beside the program's data folder, a shadow of what was synced. See there for what it imitates.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.faults.line_process import LineProcess

SOURCE = Path(__file__).with_suffix(".c")
FLAGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def compile_shim(folder: Path) -> Path | None:
    """The shim as a shared library; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "power_loss.so"
    subprocess.run([compiler, *FLAGS, "-o", str(library), str(SOURCE), "-ldl", "-lpthread"], check=True)
    return library


@dataclass(frozen=True)
class Disk:
    """A data folder, and what of it would survive."""

    shim: Path
    data: Path
    shadow: Path

    def prepare(self) -> None:
        """Before the first start: all that is there is safe."""
        shutil.copytree(self.data, self.shadow)

    def environment(self) -> dict[str, str]:
        """What the program is started with."""
        watched, shadow = self.data.resolve(), self.shadow.resolve()
        return {
            "LD_PRELOAD": str(self.shim.resolve()),
            "POWER_LOSS_WATCHED": str(watched),
            "POWER_LOSS_SHADOW": str(shadow),
        }

    def synced(self) -> set[str]:
        """The files of which something was ever synced."""
        return {file.name for file in self.shadow.iterdir()}

    def lose_power(self, process: LineProcess) -> None:
        """kill -9, and the folder is what was synced."""
        process.kill()
        shutil.rmtree(self.data)
        shutil.copytree(self.shadow, self.data)
