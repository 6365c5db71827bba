"""Values to bytes, each in its shortest form: one file a section, mirroring `decode` (Wasm spec 5.5)."""
