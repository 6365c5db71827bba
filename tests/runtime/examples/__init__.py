"""Hosts written for `wasmtime`, each run on it and on wasmscope (`test_examples.py`)."""
