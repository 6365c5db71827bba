"""How tests are shared out between processes (`-n auto --dist loadgroup`)."""

from __future__ import annotations

import pytest

from support import tiers


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a tier that there is not."""
    try:
        tiers.configured()
    except ValueError as error:
        raise pytest.UsageError(f"{tiers.VARIABLE}: {error}") from error


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays together unless marked `spread`: some tests look at what the others of their file have met."""
    for item in items:
        if item.get_closest_marker("spread") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))
