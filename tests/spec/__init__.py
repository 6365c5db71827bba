"""The official WebAssembly test suite, run against the plain engine and against wasmscope."""
