"""Bytes to `Module`: one file a section, mirrored by `encode` (Wasm spec 5.5)."""
