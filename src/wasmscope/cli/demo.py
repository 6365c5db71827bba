"""`wasmscope demo`."""

from __future__ import annotations

import sys

import click

from wasmscope import demo as guest
from wasmscope.cli.execution import Request, execute
from wasmscope.cli.failure import FAILED, TRAPPED, complain

_BEFORE = """\
A guest is about to run that was compiled from C: it keeps a warehouse, and has a bug.
What it prints comes first, then the report of its crash.
"""

_AFTER = """\
The guest stopped in same_name, but the mistake was made earlier: it read an address, 0x636f6c63, that is no address.
These four bytes are the letters "cloc". Order 8 received a "grandfather-clock", a name longer than the 12 bytes an item
has for it, and what was too long overwrote the link to the next item.
The program is in {source}
"""


@click.command()
def demo() -> int:
    """Run the shipped guest that has a bug, and show its crash report.

    Exit status: 0 when the guest crashed as it should and was reported; 1 otherwise.
    """
    click.echo(_BEFORE)
    sys.stdout.flush()  # the guest writes to the same stream, but not through Python
    status = execute(Request(path=str(guest.WASM)))
    sys.stderr.flush()
    if status != TRAPPED:
        complain("error", f"the demo ended with status {status}; it should have trapped")
        return FAILED
    click.echo("\n" + _AFTER.format(source=guest.SOURCE), nl=False)
    return 0
