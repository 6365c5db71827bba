"""A program with a bug, to try the debugger on: `demo.c` tells the story, `demo.wasm` is shipped beside it."""

from pathlib import Path

WASM = Path(__file__).with_name("demo.wasm")
SOURCE = Path(__file__).with_name("demo.c")
