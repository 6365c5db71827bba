"""Random programs aimed at what a rewriter of guests gets wrong; the text of a module for each seed.

`wasm-tools smith` makes valid modules; these are programs that go somewhere: they call the host at every turn, with
values kept on the operand stack over assignments to the locals they came from, locals that follow from other locals,
loops that assign what was derived before them, accesses through bases that are known to be in bounds, branches with
values out of deep nests, exceptions through several functions. Everything ends: calls count `$fuel` down, loops
`$turns`. `bodies` makes the functions, `expressions` the values.

The host's functions are those of `interface`; the exports are `run_0` to `run_2`, each with a second name and so with
other arguments, and `nested`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from frames.bodies import Body
from frames.vocabulary import EXTERN_TYPES, TYPES, Signature

#: calls that a run may make, and turns of loops
FUEL, TURNS = 16, 40

_TYPES = """
  (rec (type $s (sub (struct (field (mut i32)) (field (mut f64)) (field (mut (ref null $s))) (field (mut i8)))))
       (type $sub (sub $s (struct (field (mut i32)) (field (mut f64)) (field (mut (ref null $s))) (field (mut i8))
                                  (field i64)))))
  (type $a (array (mut i64)))
  (type $bytes (array (mut i8)))
"""
_IMPORTS = """
  (import "host" "observe" (func $observe))
  (import "host" "tick" (func $tick (param i32) (result i32)))
  (import "host" "mix" (func $mix (param i64 f32) (result f64 i32)))
  (import "host" "external" (func $external (param externref) (result externref)))
  (import "host" "nest" (func $nest (param i32) (result i64)))
  (import "host" "fail" (func $fail (param i32)))
"""
_STATE = """
  (memory $m0 1 2)
  (memory $m1 i64 1 2)
  (data (memory $m0) (i32.const 16) "\\01\\02\\03\\ff\\fe\\00\\a0\\7f\\00\\00\\c0\\7f\\01\\00\\00\\00\\00\\00\\f4\\7f")
  (data (memory $m1) (i64.const 8) "\\ff\\fe\\fd\\fc\\fb\\fa\\f9\\f8\\f7")
  (global $g_i32 (mut i32) (i32.const 3))
  (global $g_i64 (mut i64) (i64.const -9))
  (global $g_f64 (mut f64) (f64.const nan:0x4000000000123))
  (global $g_any (mut anyref) (ref.i31 (i32.const 5)))
  (tag $t0)
  (tag $t1 (param i32))
  (tag $t2 (param i64 f64))
  (tag $t3 (param externref (ref null $s)))
"""


@dataclass(frozen=True, slots=True)
class Options:
    """How large and how wild a program is; smaller ones of the same seed are not parts of larger ones."""

    functions: int = 5
    statements: int = 7
    size: int = 90
    """Instructions and blocks of a function, about."""


def program(seed: int, options: Options | None = None) -> str:
    """The program of a seed, in the text format."""
    rng = random.Random(f"program {seed}")
    chosen = options or Options(
        functions=rng.randint(2, 6), statements=rng.randint(3, 9), size=rng.choice((40, 90, 140))
    )
    exported = [_signature(rng, EXTERN_TYPES) for _ in range(min(3, chosen.functions))]
    inner = [_signature(rng, TYPES) for _ in range(chosen.functions - len(exported))]
    nested = Signature(("i32",), ("i64",))
    signatures = (*exported, *inner, nested)
    # Which functions can be entered from outside matters to the rewrite: in half of the programs only those that must.
    export_all = rng.random() < 0.5
    risk = rng.choice((0.01, 0.05, 0.25))
    parts = [_TYPES, *(f"  (type $ft{n} (func {signature}))" for n, signature in enumerate(signatures))]
    parts += [_IMPORTS, _STATE, f"  (global $fuel (mut i32) (i32.const {FUEL}))"]
    parts.append(f"  (global $turns (mut i32) (i32.const {TURNS}))")
    parts.append(f"  (table $table funcref (elem {' '.join(f'$f{n}' for n in range(len(signatures)))}))")
    for number in range(len(signatures)):
        name = f"run_{number}" if number < len(exported) else f"inner{number}"
        if number == len(signatures) - 1:
            name = "nested"
        visible = name[:3] == "run" or name == "nested" or export_all
        export = f'(export "{name}") ' if visible else ""
        if number < len(exported):
            export += f'(export "{name}_again") '
        body = Body(rng, signatures, number, chosen.size, chosen.statements, risk)
        parts.append(f"  (func $f{number} {export}(type $ft{number}) {body.text()})")
    return "(module\n" + "\n".join(parts) + ")\n"


def _signature(rng: random.Random, types: tuple[str, ...]) -> Signature:
    params = rng.choices(types, k=rng.choice((0, 1, 2, 2, 3, 5)))
    results = rng.choices(types, k=rng.choice((0, 1, 1, 1, 2, 3)))
    return Signature(tuple(params), tuple(results))
