"""Host and guest that call each other until Python's recursion limit: an exception, at whatever depth they began.

Each runs in a process of its own: where there is no room to say how a host function ended, the engine ends it.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import wasmscope as w

store = w.Store()
module = w.Module(store.engine, '(module (import "" "h" (func $h)) (func (export "f") (call $h)))')
calls = True

def enter():
    if calls:
        f(store)

f = w.Instance(store, module, [w.Func(store, w.FuncType([], []), HOST)]).exports(store)["f"]

class Handler:
    def handle(self, store, event):
        enter()

condition = CONDITION
if HANDLER:
    store.set_debug_handler(Handler())
if HANDLER or condition:
    with store.edit_breakpoints() as edit:
        edit.add_breakpoint(module, module.frame_table.offsets(0)[0], condition=condition)

def deeper(levels):
    return f(store) if levels == 0 else deeper(levels - 1)

for levels in range(20):
    calls = True
    try:
        deeper(levels)
        raise SystemExit("it came back")
    except RecursionError:
        pass
    calls = False
    f(store)
    assert store.debug_exit_frames() == []
print("done")
"""


@pytest.mark.parametrize(
    ("host", "handler", "condition"),
    [("enter", False, "None"), ("lambda: None", True, "None"), ("lambda: None", False, "lambda frame: enter()")],
    ids=["host function", "handler", "condition"],
)
def test_calling_each_other_without_end_is_a_recursion_error(host: str, handler: bool, condition: str) -> None:
    program = PROGRAM.replace("HOST", host).replace("HANDLER", str(handler)).replace("CONDITION", condition)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
