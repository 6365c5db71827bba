"""Places in code as the engine's own backtraces have them, for the original module and for the rewritten one.

A trap brings its backtrace along. At a host call there is none to ask for, but a trap inside the host call has one, and
that goes on through the host to the frames that made the call: so a *probe* is called there, a guest function of the
same store that traps at once, and its own frame is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import wasmtime

import wasmscope
from frames.observe import handles_of

_PROBE = '(module (func (export "probe") unreachable))'
_LONGEST = 20
"""The engine's backtraces end there."""

_NO_PC = 2**64 - 1

#: function index and pc of a frame
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Point:
    """One host call or trap: what kind it was, and its frames, innermost first."""

    why: str
    places: tuple[Place, ...]

    def as_the_engine_tells(self) -> Point:
        """What of it a backtrace has.

        So many frames, of which the probe takes one; of a function that a stack overflow kept from beginning no pc.
        """
        if self.why == "host call":
            return Point(self.why, self.places[: _LONGEST - 1])
        if self.why == "STACK_OVERFLOW":
            return Point(self.why, ((self.places[0][0], _NO_PC), *self.places[1:_LONGEST]))
        return Point(self.why, self.places[:_LONGEST])


class PlainHooks:
    """Writes down what the stock engine says of original modules."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self.points: list[Point] = []
        self._probe = wasmtime.Module(engine, _PROBE)

    def on_trap(self, store: wasmtime.Store, trap: wasmtime.Trap) -> None:
        self.points.append(Point(_why(trap), _places(trap)))

    def on_host_call(self, caller: wasmtime.Caller) -> None:
        probe = wasmtime.Instance(caller, self._probe, []).exports(caller)["probe"]
        self.points.append(Point("host call", _probed(caller, probe)))


class DebuggedHooks:
    """Writes down the frames that wasmscope shows, and what the engine says of the rewritten modules at those points.

    A trap is told to the debug handler, while its frames are there; the hook for it comes when they are gone.
    """

    def __init__(self, engine: wasmscope.Engine) -> None:
        self.shown: list[Point] = []
        self.engines: list[Point] = []
        self._probe = wasmscope.Module(engine, _PROBE)
        self._probing = False

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        match event:
            case wasmscope.DebugEvent.Trap(trap) if not self._probing:
                self.shown.append(Point(_why(trap), _frames(store)))
            case wasmscope.DebugEvent.UncaughtExceptionThrown():
                self.shown.append(Point("exception", _frames(store)))

    def on_trap(self, store: wasmscope.Store, trap: wasmtime.Trap) -> None:
        self.engines.append(Point(_why(trap), _places(trap)))

    def on_host_call(self, caller: wasmscope.Caller) -> None:
        self.shown.append(Point("host call", _frames(caller.store)))
        self._probing = True
        probe = wasmscope.Instance(caller.store, self._probe, []).exports(caller)["probe"]
        self.engines.append(Point("host call", _probed(caller, probe)))
        self._probing = False


def _probed(caller: wasmtime.Caller, probe: Any) -> tuple[Place, ...]:
    try:
        probe(caller)
    except wasmtime.Trap as trap:
        return _places(trap)[1:]
    raise AssertionError("the probe did not trap")


def _why(trap: wasmtime.Trap) -> str:
    return trap.trap_code.name if trap.trap_code is not None else "exception"


def _places(trap: wasmtime.Trap) -> tuple[Place, ...]:
    return tuple((frame.func_index, frame.module_offset) for frame in trap.frames)


def _frames(store: wasmscope.Store) -> tuple[Place, ...]:
    """All frames of a store, as wasmscope shows them."""
    places = []
    for handle in handles_of(store):
        place = handle.wasm_function_index_and_pc()
        assert place is not None
        places.append((handle.function_index, place[1]))
    return tuple(places)
