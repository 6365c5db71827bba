"""`wasmscope inspect`."""

from __future__ import annotations

import click

from wasmscope.cli.guest import decode_guest, read_guest
from wasmscope.cli.inspection.survey import survey
from wasmscope.cli.inspection.text import format_inspection


@click.command()
@click.argument("guest", metavar="GUEST")
@click.option("--json", "as_json", is_flag=True, help="Write one line of JSON.")
def inspect(guest: str, as_json: bool) -> int:
    """Say what is in GUEST, a WebAssembly module (.wasm or .wat), and how well it can be debugged.

    Names and DWARF are checked, not just found: optimisers leave debug information behind that leads nowhere. The
    module is not run, and not validated.

    \b
    Examples:
      wasmscope inspect app.wasm
      wasmscope inspect --json app.wasm | python3 -m json.tool
    """
    found = survey(decode_guest(read_guest(guest), guest), guest)
    if as_json:
        click.echo(found.to_json(), nl=False)
    else:
        click.echo("\n".join(format_inspection(found)))
    return 0
