"""The rewrite: a module that runs becomes a module that runs and publishes its own state."""
