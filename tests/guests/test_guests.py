"""Real programs behave under wasmscope as they do under plain wasmtime, which is the oracle.

Plain runs are also compared with a fact known beforehand, so that two equal failures do not pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import wasmtime

import wasmscope
from guests.drivers import cc1, cpython, graphviz, ice40, micropython, p2w, quickjs, resvg, ruby, simd
from guests.wasi import Api, Outcome
from support import movements, tiers
from support.guests import GuestAbsent


@dataclass(frozen=True, slots=True)
class Case:
    """A workload, and what its plain outcome is known to be: a part of its output, and its exit code."""

    run: Callable[[Api], Outcome]
    expected: str
    exit_code: int = 0


CASES = {
    "simd": Case(simd.run, "waves 5111.783707537", 5),
    "p2w-gc": Case(p2w.run, "[2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]"),
    "micropython-exceptions": Case(micropython.run, "bottom012345678901234567890 21 210\n2000\n45\nclosed", 7),
    "icepll": Case(ice40.run, "F_PLLOUT:   60.000 MHz (achieved)"),
    "nextpnr": Case(ice40.run_nextpnr, "869116db35045d8411a4a89832422e14c425bcbff50f3a5114dc674d6c9fc72a"),
    "nextpnr-throws": Case(lambda api: ice40.run_nextpnr(api, "{"), "no bitstream", 125),
    "quickjs": Case(quickjs.run, "9969216677189303386214405760200"),
    "graphviz": Case(graphviz.run, "engine&#45;&gt;frames"),
    "resvg": Case(resvg.run, "7b64c790b443ebbdf021d5ca8d7ca49efc580f4234afdab1ea5e7e3c43acbba8"),
    "cpython-3.11": Case(cpython.run, "ValueError cycle: egg, hen", 3),
    "cpython-3.12": Case(lambda api: cpython.run(api, "3.12"), "ValueError cycle: egg, hen", 3),
    "ruby": Case(ruby.run, "1606938044258990275541962092341162602522202993782792835301376"),
    "cc1": Case(cc1.run, "rjmp .L"),
}
SLOW = {"cpython-3.11", "cpython-3.12", "ruby", "cc1"}
PARAMETERS = [
    pytest.param(case, id=name, marks=pytest.mark.slow if name in SLOW else ()) for name, case in CASES.items()
]


def run(case: Case, api: Api) -> Outcome:
    """The outcome, or a skip where the guest is not on this machine."""
    try:
        return case.run(api)
    except GuestAbsent as absent:
        pytest.skip(str(absent))


@pytest.mark.parametrize("case", PARAMETERS)
def test_plain_run_is_what_is_known(case: Case) -> None:
    outcome = run(case, wasmtime)
    assert case.expected in outcome.stdout
    assert outcome.exit_code == case.exit_code


@pytest.mark.parametrize("case", PARAMETERS)
def test_debuggable_run_equals_plain_run(case: Case) -> None:
    assert run(case, wasmscope) == run(case, wasmtime)


@pytest.mark.parametrize("tier", ["mirror", "chaos:1"])
@pytest.mark.parametrize("name", ["simd", "p2w-gc", "icepll"])
def test_run_in_another_tier_equals_plain_run(name: str, tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tiers.VARIABLE, tier)
    with movements.counted() as moved:
        shown = run(CASES[name], wasmscope)
    assert shown == run(CASES[name], wasmtime)
    assert moved[movements.MIRRORS] > 0
    assert (moved[movements.UNWOUND] > 0) == (tier != "mirror")
