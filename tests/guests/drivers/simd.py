"""A program of 128-bit vectors, `programs/simd.c`: every lane shape, shuffles, saturation, comparisons and masks.

Built with ziglang 0.17.1: python -m ziglang cc -target wasm32-wasi -O2 -msimd128 -s simd.c -o simd.wasm
"""

from __future__ import annotations

from guests.wasi import Api, Outcome, run_command

from . import PROGRAMS


def run(api: Api) -> Outcome:
    """Run it."""
    return run_command(api, PROGRAMS / "simd.wasm", ["simd"])
