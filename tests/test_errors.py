"""Errors keep what they say when they go to another process."""

from __future__ import annotations

import pickle

import pytest

from wasmscope import ConditionError, DecodeError, UnsupportedFeature, WasmscopeError
from wasmscope.errors import ExpressionError


@pytest.mark.parametrize(
    "error",
    [
        DecodeError("no", 3),
        UnsupportedFeature("not this", "stack-switching", 5),
        ConditionError("what", 2),
        ExpressionError("what", 2),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_are_pickled(error: WasmscopeError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
