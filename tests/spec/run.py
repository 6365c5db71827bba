"""Runs the suite and prints a table.

`python -m spec.run [--backend plain|wasmscope|observed] [--tier fast|mirror|chaos:SEED] [files...]`, from `tests/`,
with wasmscope importable.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

from spec import known, suite
from spec.backend import Backend, Plain, spec_config, wasmscope_backend
from spec.observed import Observed, Observer, observed_backend
from spec.runner import Result, Status, run_script
from support import movements, tiers


def main() -> int:
    """Run what the command line says; the exit code is 1 where something failed that is not known to."""
    parser = argparse.ArgumentParser(prog="python -m spec.run", description="Run the official WebAssembly test suite.")
    parser.add_argument("--backend", choices=("plain", "wasmscope", "observed"), default="plain")
    parser.add_argument("--tier", help="of wasmscope: fast, mirror, chaos or chaos:SEED (support/tiers.py)")
    parser.add_argument("files", nargs="*", help="paths in the suite; all without any")
    options = parser.parse_args()
    if options.tier is not None:
        os.environ[tiers.VARIABLE] = options.tier
    reason = suite.missing()
    backend = backend_named(options.backend)
    if reason is not None or backend is None:
        print(reason or "wasmscope has no engine layer here", file=sys.stderr)
        return 2
    with movements.counted() as moved:
        unexpected = run(backend, options.files or suite.script_names())
    for name, count in moved.items():
        print(f"{count:>10,}  {name}")
    for result in unexpected:
        print(f"{result.script}:{result.line}: {result.kind}: {result.detail}")
    return 1 if unexpected else 0


def run(backend: Backend, names: Sequence[str]) -> list[Result]:
    """Run scripts; returns what failed that is not known to."""
    engine = backend.api.Engine(spec_config(backend.api))
    entries = known.load(backend.name)
    total: Counter[str] = Counter()
    unexpected: list[Result] = []
    began = time.perf_counter()
    print(f"{'passed':>7} {'failed':>7} {'known':>7} {'skipped':>7} {'seconds':>8}  script", flush=True)
    for name in names:
        started = time.perf_counter()
        counts: Counter[str] = Counter()
        for result in run_script(backend, engine, suite.load(name)):
            failed = result.status is Status.FAILED
            is_known = failed and known.reason_for(result, entries) is not None
            counts["known" if is_known else result.status] += 1
            if failed and not is_known:
                unexpected.append(result)
        total += counts
        _print_row(counts, time.perf_counter() - started, name)
    _print_row(total, time.perf_counter() - began, "total")
    if isinstance(backend, Observed):
        _print_observed(backend.observer)
    return unexpected


def backend_named(name: str) -> Backend | None:
    """Return a backend by its name; None where the package has no engine layer."""
    match name:
        case "plain":
            return Plain()
        case "observed":
            return observed_backend()
        case _:
            return wasmscope_backend()


def _print_observed(observer: Observer) -> None:
    print(f"{observer.frames} frames, {observer.values} values at {dict(observer.events)}")
    for reason, count in observer.unavailable.most_common():
        print(f"{count:>7} unavailable: {reason}")


def _print_row(counts: Counter[str], seconds: float, name: str) -> None:
    columns = " ".join(f"{counts[column]:>7}" for column in ("passed", "failed", "known", "skipped"))
    print(f"{columns} {seconds:>8.2f}  {name}")


if __name__ == "__main__":
    sys.exit(main())
