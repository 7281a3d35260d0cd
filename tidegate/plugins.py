"""``tidegate plugins``: what can run here."""

import json
import sys
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from runtime.catalog import Catalog
from runtime.foundation import logs


def main(plugin_path: list[Path], output: Literal["text", "json"]) -> int:
    """Print every plugin that is found."""
    logs.configure("ERROR")
    found = Catalog(plugin_path).plugins()
    if output == "json":
        listed = [
            {"class": it.class_name, "type": it.kind.value, "version": it.version, "location": it.location}
            for it in found
        ]
        sys.stdout.write(json.dumps(listed, indent=1) + "\n")
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("type", "class", "version", "location"):
        table.add_column(title, overflow="fold")
    for it in found:
        table.add_row(it.kind.value, it.class_name, it.version, it.location)
    Console(highlight=False, soft_wrap=True).print(table)
    return 0
