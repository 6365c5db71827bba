"""The marker of this folder's long tests."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register `slow`: leave such tests out with `-m "not slow"`."""
    config.addinivalue_line("markers", "slow: compiles a guest of more than 5 MB of code")
