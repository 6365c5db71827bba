"""QuickJS as a reactor: a stack machine's interpreter loop, garbage collection by reference counts."""

from __future__ import annotations

from guests import wasi
from guests.wasi import Api, Outcome
from support.guests import guest

from . import PROGRAMS


def run(api: Api) -> Outcome:
    """Evaluate `programs/script.js`."""
    engine = wasi.new_engine(api)
    with wasi.Guest(api, engine, api.Module.from_file(engine, str(guest("quickjs")))) as quickjs:
        quickjs.call("_initialize")
        strings = [b"qjs\0", b"-e\0", (PROGRAMS / "script.js").read_bytes() + b"\0"]
        argv = b"".join(quickjs.write(string).to_bytes(4, "little") for string in strings)
        failed = quickjs.call("qjs_init_argv", len(strings), quickjs.write(argv))
        quickjs.call("qjs_destroy")
        return quickjs.outcome(failed)
