"""The debugger layer: a guest driven from outside, event by event."""
