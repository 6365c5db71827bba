"""The frames that wasmscope shows, proved against the engine's backtraces, the reference interpreter and by hand."""
