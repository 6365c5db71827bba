"""The control stack of the forward pass: blocks being rewritten, and the state that flows to their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmscope.wasm.types import ValType

if TYPE_CHECKING:
    from wasmscope.instrument.function_state import FunctionState


class Control:
    """One control entry (Wasm spec appendix A.3, "control frame") with the state merged from branches to its end.

    Two sets of locals describe the state: *stale*, those whose slot does not hold the current value, and *derived*,
    those whose value the host can work out. Operands below `settled` are published or derived.
    """

    __slots__ = (
        "assigned_outside",
        "catches_outside",
        "derived",
        "edges",
        "entry_derived",
        "entry_proofs",
        "entry_really_stale",
        "entry_settled",
        "entry_stale",
        "height",
        "is_if",
        "is_loop",
        "kept",
        "landing",
        "landing_chunk",
        "loop",
        "params",
        "proofs",
        "publishes",
        "really_stale",
        "results",
        "settled",
        "stale",
    )

    def __init__(
        self, state: FunctionState, params: tuple[ValType, ...], results: tuple[ValType, ...], opens: int
    ) -> None:
        self.params = params
        self.results = results
        self.is_loop = opens == 2
        self.is_if = False
        self.landing = False
        """Whether an exception handler branches here, so that the stack pointer has to be put back."""
        self.landing_chunk = -1
        """Of a loop: an empty chunk at its header, for that."""
        self.publishes = False
        """Of a loop: whether it is the `Loop` that instructions inside assume something of."""
        self.kept = 0
        """Of a loop without calls: the locals that it reads or assigns, which may be in registers."""
        self.height = len(state.stack) - len(params)
        self.assigned_outside = state.assigned
        self.catches_outside = state.catches
        self.loop = state.loop
        """The innermost publishing loop around the block; of a loop that is one itself, that loop."""
        self.edges = 0
        # The merged state is there as soon as there is an edge.
        self.stale: int
        self.really_stale: int
        self.derived: int
        self.settled: int
        self.proofs: dict[int, int]
        self.entry_stale = state.stale
        self.entry_really_stale = state.really_stale
        self.entry_derived = state.derived
        self.entry_settled = state.settled if state.settled < self.height else self.height
        self.entry_proofs = state.proofs

    def merge(self, stale: int, really_stale: int, derived: int, settled: int, proofs: dict[int, int]) -> None:
        """Add an edge to the end of this block with the state it carries."""
        if self.edges:
            self.stale |= stale
            self.really_stale |= really_stale
            self.derived &= derived
            if settled < self.settled:
                self.settled = settled
            if self.proofs != proofs:
                known = self.proofs.items()
                self.proofs = {
                    key: reach if reach < proofs[key] else proofs[key] for key, reach in known if key in proofs
                }
        else:
            self.stale, self.really_stale, self.derived, self.settled = stale, really_stale, derived, settled
            self.proofs = proofs.copy()
        self.edges += 1

    def lower(self, depth: int) -> None:
        """The operand at `depth`, below this block, can no longer be worked out: no path may rely on that."""
        if self.edges:
            self.settled = min(self.settled, depth)
        self.entry_settled = min(self.entry_settled, depth)
