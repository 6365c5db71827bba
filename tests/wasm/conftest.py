"""What the tests of the binary format share."""

from __future__ import annotations

import pytest

from support.wasmtools import SPEC_ABSENT, WASM_TOOLS_ABSENT


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "wasm_tools: needs the wasm-tools command line")
    config.addinivalue_line("markers", "testsuite: needs the official test suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker, reason in (("wasm_tools", WASM_TOOLS_ABSENT), ("testsuite", SPEC_ABSENT)):
        for item in items:
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
