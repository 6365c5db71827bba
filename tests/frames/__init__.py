"""The frames that wasmscope shows, proved against the engine's own backtraces, the reference interpreter and by hand."""
