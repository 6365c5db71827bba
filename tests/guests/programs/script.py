"""A bit of everything for an interpreter: what it prints must not depend on the engine it runs on."""

import collections
import decimal
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field


@dataclass(order=True)
class Task:
    """An entry of the schedule."""

    priority: int
    name: str = field(compare=False)
    after: list[str] = field(default_factory=list, compare=False)


def schedule(tasks):
    """The tasks' names so that each comes after those it waits for."""
    done = []
    while waiting := [task for task in tasks if task.name not in done]:
        ready = [task for task in waiting if all(name in done for name in task.after)]
        if not ready:
            raise ValueError("cycle: " + ", ".join(sorted(task.name for task in waiting)))
        done.append(min(ready).name)
    return done


def collatz():
    """The longest chain below 2000."""
    lengths = {1: 1}
    for start in range(2, 2000):
        chain, n = [], start
        while n not in lengths:
            chain.append(n)
            n = n // 2 if n % 2 == 0 else 3 * n + 1
        for extra, number in enumerate(reversed(chain), 1):
            lengths[number] = lengths[n] + extra
    return max(range(1, 2000), key=lengths.__getitem__)


def depth(n=0):
    """How deep Python calls go before RecursionError."""
    try:
        return depth(n + 1)
    except RecursionError:
        return n


tasks = [Task(3, "test", ["build"]), Task(1, "ship", ["test", "sign"]), Task(2, "build"), Task(2, "sign", ["build"])]
print(schedule(tasks))
try:
    schedule([Task(1, "hen", ["egg"]), Task(1, "egg", ["hen"])])
except ValueError as error:
    print(type(error).__name__, error)
print(collatz(), depth())
words = re.findall(r"[a-z]+", "the quick brown fox; the lazy dog. THE END, the end".lower())
print(json.dumps(collections.Counter(words), sort_keys=True))
print(hashlib.sha256("".join(words).encode()).hexdigest())
decimal.getcontext().prec = 40
print(decimal.Decimal(2).sqrt(), sum(1 / n for n in range(1, 5000)), 0.1 + 0.2, float("nan"), -0.0)
print(2**521 % 1_000_003, pow(3, 10**18, 998_244_353), sorted([3.5, -1, 2], reverse=True))
sys.exit(3)
