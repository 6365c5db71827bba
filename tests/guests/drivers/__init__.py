"""One file a guest, each with `run(api) -> Outcome`; `api` is the module `wasmtime`, or `wasmscope` in its place."""

from pathlib import Path

PROGRAMS = Path(__file__).parents[1] / "programs"
"""What the interpreters and compilers among the guests are given to work on."""
