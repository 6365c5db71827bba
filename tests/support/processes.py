"""Processes of their own that find what this one does."""

from __future__ import annotations

import os
import sys

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
"""The package may be installed or not, and the tests' own modules are not: pytest adds them to the path."""
