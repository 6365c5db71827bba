"""This checkout's folders. Importing it makes the package and the tests' helpers importable, installed or not."""

import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
CACHE = ROOT / ".cache" / "bench"

sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
