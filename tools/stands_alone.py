"""A contract for import-linter: these files import only each other, the standard library and the `allowed`.

import-linter's own `forbidden` contract needs every forbidden module listed; a file added later would slip
by. A module that is not written yet is passed over, so that the rule can stand before the file does.
"""

from __future__ import annotations

import sys
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class StandsAlone(Contract):
    """Breaks on any direct import that leaves the group: with the direct ones inside, so are the indirect."""

    modules = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """List every import that leaves the group."""
        # On an instance a field is its value; import-linter's own annotations do not say so.
        group = cast("list[str]", self.modules)
        outside = cast("list[str] | None", self.allowed) or []
        roots = {*outside, *sys.stdlib_module_names}
        leaving = [
            f"{module} imports {imported}"
            for module in group
            if module in graph.modules
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if imported not in group and imported.partition(".")[0] not in roots
        ]
        return ContractCheck(kept=not leaving, metadata={"leaving": leaving})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print what `check` listed."""
        for line in check.metadata["leaving"]:
            output.print_error(f"- {line}")
