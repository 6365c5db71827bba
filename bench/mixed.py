"""A mixed script for an interpreter under measurement: prints "name checksum seconds" a line, as kernels.c does."""

import json
import re
import time
import zlib


def dicts():
    """Hashing, growing, deleting."""
    counts = {}
    x = 1
    for i in range(60_000):
        x = x * 1103515245 + 12345 & 0x7FFFFFFF
        key = x >> 16
        counts[key] = counts.get(key, 0) + 1
        if i % 3 == 0:
            counts.pop(key // 2, None)
    return sum(key * count for key, count in counts.items())


def lists():
    """Comprehensions, sorting, slices, tuples."""
    numbers = [i * 7919 % 10_007 for i in range(40_000)]
    numbers.sort()
    pairs = sorted(((n % 97, -n) for n in numbers[::4]), key=lambda pair: pair[1])
    sieve = [True] * 30_000
    for i in range(2, 174):
        if sieve[i]:
            sieve[i * i :: i] = [False] * len(sieve[i * i :: i])
    return sum(numbers[::-3]) + sum(a * b for a, b in pairs) + sum(sieve)


def strings():
    """Formatting, joining, splitting, searching."""
    lines = [f"{i:05d}:{i * i:x}:{'abcdefgh'[i % 8] * (i % 5)}" for i in range(12_000)]
    text = "\n".join(lines)
    fields = [line.split(":") for line in text.split("\n")]
    found = sum(text.count(letter * 3) for letter in "abcdefgh")
    return found + zlib.crc32("".join(field[2].upper() for field in fields).encode())


def regex():
    """The matcher's own machine."""
    line = "2026-{:02d}-{:02d} user{}@host{}.example.org GET /a/{}?q={};"
    text = "".join(line.format(i % 12 + 1, i % 28 + 1, i, i % 7, i, i * 3) for i in range(2400))
    pattern = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\w+)@([\w.]+) (GET|PUT) (\S+?)\?q=(\d+);")
    total = sum(int(match[2]) * int(match[8]) for match in pattern.finditer(text))
    return total + len(re.sub(r"(?i)user(\d+)", r"<\1>", text))


def jsons():
    """The C accelerated encoder and decoder, over nested data."""
    texts = ("", "x\n", "\u00e9t\u00e9", '"quoted"')
    data = {f"key{i}": {"n": i, "f": i / 8, "list": list(range(i % 20)), "s": texts[i % 4]} for i in range(1000)}
    for _ in range(3):
        data = json.loads(json.dumps(data, sort_keys=True))
    return zlib.crc32(json.dumps(data).encode())


class Vector:
    """Attribute access, method calls, operators."""

    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def turned(self):
        """A quarter to the left."""
        return Vector(-self.y, self.x)


def classes():
    """Calls, objects coming and going, exceptions, generators."""

    def walk(steps):
        position, heading = Vector(0, 0), Vector(1, 0)
        for step in range(steps):
            position = position + heading
            if step * step % 5 == 1:
                heading = heading.turned()
            yield position

    total = 0
    for position in walk(25_000):
        try:
            total += 1000 // position.x
        except ZeroDivisionError:
            total += position.y
    return total & 0xFFFFFFFF


def floats():
    """Boxed floating point."""
    x, v, total = 1.0, 0.0, 0.0
    for _ in range(80_000):
        v -= x * 0.01
        x += v * 0.01
        total += x * x if x > 0.0 else -v
    return round(total)


for section in (dicts, lists, strings, regex, jsons, classes, floats):
    start = time.perf_counter()
    checksum = section()
    print(section.__name__, checksum & 0xFFFFFFFF, f"{time.perf_counter() - start:.4f}")
