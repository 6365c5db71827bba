"""From the bytes of a module to the bytes of one that publishes its state: the order of the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wasmscope.instrument.frame_table import FrameTable


@dataclass(frozen=True, slots=True)
class Instrumented:
    """A rewritten module."""

    bytecode: bytes
    frame_table: FrameTable
