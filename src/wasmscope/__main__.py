"""`python -m wasmscope`."""

from wasmscope.cli import main

main()
