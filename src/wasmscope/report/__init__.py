"""What happened to a guest, for people and for programs: captured while it stands still, written when it is gone.

- `model`         a report as plain values; their JSON form is that of `--report json`
- `capture`       an event and the frames of a store -> `Report`
- `stack`         which frames are taken down, and one frame -> `Frame`
- `entities`      the guest's functions, tables and types, as a report speaks of them
- `tags`          which tag an exception has
- `fault`         the instruction that trapped and what it was given -> `Fault`
- `host_call`     which function of the host a frame calls
- `values`        a WebAssembly value -> `Value`
- `escape`        text that guests choose, made safe to print
- `text`          a report as lines for a terminal
"""

from wasmscope.report.capture import capture
from wasmscope.report.model import Report
from wasmscope.report.stack import Limits
from wasmscope.report.text import format_report

__all__ = ["Limits", "Report", "capture", "format_report"]
