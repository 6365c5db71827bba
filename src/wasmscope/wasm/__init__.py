"""The binary format of WebAssembly modules, without policy: read, taken apart, written again (Wasm spec, section 5)."""
