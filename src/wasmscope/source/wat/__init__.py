"""The text format as a source: functions line by line, with the pc of each line (Wasm spec 6)."""
