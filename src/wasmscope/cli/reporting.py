"""The handler that takes reports down, and where they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from wasmscope.cli.failure import complain
from wasmscope.cli.interrupts import Cause, Interrupts
from wasmscope.cli.terminal import Color, stderr_console
from wasmscope.report import Limits, Report, capture, format_report
from wasmscope.report.host_call import imported_callee
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.store import Store
from wasmscope.wasm.escape import escaped

Form = Literal["text", "json", "none"]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is reported, how and where. `path` None: to stderr."""

    form: Form = "text"
    path: Path | None = None
    color: Color = "auto"
    limits: Limits = field(default_factory=Limits)


class GuestEnded(BaseException):
    """Ends a guest that was interrupted. No `Exception`: nothing on the way may take it for an error and go on."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.words)
        self.cause = cause


class Reporter:
    """A debug handler: takes every event down, and ends the guest when it was interrupted."""

    def __init__(self, guest: str, options: ReportOptions, interrupts: Interrupts) -> None:
        self.reports: list[Report] = []
        self._guest = guest
        self._options = options
        self._interrupts = interrupts

    def handle(self, store: Store, event: DebugEvent) -> None:
        """Take `event` down."""
        self._interrupts.report_begins()
        cause = self._interrupts.cause if isinstance(event, DebugEvent.Interrupted) else None
        if self._options.form != "none":
            self.reports.append(self._captured(store, event, cause.words if cause is not None else ""))
        if cause is not None:
            raise GuestEnded(cause)

    def show_waiting(self, store: Store, cause: Cause) -> bool:
        """Write the report of a guest that does not stop, from another thread; False: the guest went on meanwhile."""
        if self._options.form == "none" or not store.guest_debug:
            complain("error", f"interrupted: {cause.words}; the guest waits for its host")
            return True
        event = DebugEvent.Interrupted()
        try:
            words = f"{cause.words} {_where_it_waits(store)}"
            report = self._captured(store, event, words)
            # A guest that went on while it was read would not be read twice alike.
            if report != self._captured(store, event, words):
                return False
        except Exception as error:  # of a guest that goes on, anything may be read
            complain("error", f"interrupted: {cause.words}; the guest's frames could not be read: {error}")
            return True
        self.reports.append(report)
        self.write()
        return True

    def _captured(self, store: Store, event: DebugEvent, cause: str) -> Report:
        return capture(store, event, guest=self._guest, cause=cause, limits=self._options.limits)

    def write(self) -> None:
        """Write the reports where they belong; where a file cannot be written, to stderr."""
        options = self._options
        if not self.reports or options.form == "none":
            return
        if options.path is not None:
            try:
                options.path.write_bytes(b"".join(map(self._encoded, self.reports)))
                return
            except OSError as error:
                complain("error", f"cannot write the report to {escaped(str(options.path))}: {error.strerror}")
        for report in self.reports:
            self._show(report)

    def _encoded(self, report: Report) -> bytes:
        if self._options.form == "json":
            return report.to_json()
        return format_report(report).plain.encode()

    def _show(self, report: Report) -> None:
        console = stderr_console(self._options.color)
        if self._options.form == "json":
            console.file.write(report.to_json().decode())
        else:
            console.print(format_report(report), end="")


def _where_it_waits(store: Store) -> str:
    frames = store.frames()
    if frames and imported_callee(frames[0]) is not None:
        return "in a host call"
    return "where the guest cannot be stopped: inside the innermost call that is shown"
