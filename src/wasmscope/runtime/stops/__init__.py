"""Where a guest stops, and what the host has it do then: breakpoints, steps, redirections."""
