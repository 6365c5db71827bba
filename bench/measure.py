"""Interleaved rounds, medians and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contenders import Contender
from programs import Program


@dataclass(frozen=True, slots=True)
class Measurement:
    """The medians of one contender on one program: seconds by section, as the program itself took them."""

    program: str
    contender: str
    seconds: dict[str, float]
    ratios: dict[str, float]  # to the baseline's medians
    mean_ratio: float  # geometric


class WrongResult(Exception):
    """A contender's program computed something else than the others'."""


def parse(stdout: str) -> dict[str, tuple[str, float]]:
    """The lines "name checksum seconds" of a program."""
    lines = (line.split() for line in stdout.splitlines())
    return {name: (checksum, float(seconds)) for name, checksum, seconds in lines}


def measure(
    program: Program, contenders: Sequence[Contender], rounds: int, progress: Callable[[str], None]
) -> list[Measurement]:
    """Run every contender once a round, so that a machine that slows down slows all of them."""
    runs: dict[str, Callable[[], str]] = {}
    for contender in contenders:
        progress(f"{program.name}: preparing {contender.name}")
        runs[contender.name] = contender.prepare(program)
    times: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in contenders}
    checksums: dict[str, str] = {}
    for round_ in range(rounds):
        for name, run in runs.items():
            progress(f"{program.name}: round {round_ + 1} of {rounds}, {name}")
            for section, (checksum, seconds) in parse(run()).items():
                if checksums.setdefault(section, checksum) != checksum:
                    raise WrongResult(f"{program.name} {section} on {name}: {checksum}, not {checksums[section]}")
                times[name].setdefault(section, []).append(seconds)
    medians = {name: {section: statistics.median(t) for section, t in by.items()} for name, by in times.items()}
    return [compare(program, contender, medians) for contender in contenders]


def compare(program: Program, contender: Contender, medians: dict[str, dict[str, float]]) -> Measurement:
    """One contender beside its baseline."""
    seconds, baseline = medians[contender.name], medians[contender.baseline]
    ratios = {section: seconds[section] / baseline[section] for section in seconds}
    return Measurement(program.name, contender.name, seconds, ratios, statistics.geometric_mean(ratios.values()))
