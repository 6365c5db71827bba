"""What of the official test suite is not run or does not pass, and why."""

from types import MappingProxyType

_SLOW = "a million tail calls and more: over the step budget; the shorter runs of the same functions pass"

# Reason by script and line.
KNOWN_FAILURES = MappingProxyType(
    {
        "return_call.wast": dict.fromkeys((121, 127, 128, 133, 134), _SLOW),
        "return_call_ref.wast": dict.fromkeys((195, 201, 202, 207, 208), _SLOW),
    }
)

# Folders of scripts that are not run.
SKIPPED_FOLDERS = MappingProxyType(
    {
        "custom": "custom sections and annotations: they do not execute",
        "legacy": "the exception handling that the standard replaced; the engine does not have it",
        "proposals/custom-descriptors": "a proposal that the engine does not have",
    }
)

# Commands that are not run in any script.
SKIPPED_COMMANDS = MappingProxyType(
    {
        "assert_invalid": "the interpreter expects valid modules",
        "assert_malformed": "the interpreter expects well-formed modules",
    }
)
