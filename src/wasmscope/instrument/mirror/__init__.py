"""The mirror tier: code of a function whose whole state is its shadow frame, so that it starts and stops anywhere."""
