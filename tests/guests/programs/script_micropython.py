"""Exceptions thrown and caught over many frames, each a Wasm exception underneath."""

import json
import sys


class Refused(Exception):
    """Carries a value through the frames it unwinds."""


def descend(n):
    """Throw from `n` frames down, adding to the tale on the way out."""
    try:
        if n == 0:
            raise Refused("bottom")
        return descend(n - 1)
    except Refused as error:
        raise Refused(error.args[0] + str(n % 10)) from error
    finally:
        seen.append(n)


def numbers():
    """A generator that is closed from outside."""
    try:
        yield from range(100)
    finally:
        print("closed")


seen = []
try:
    descend(20)
except Refused as error:
    print(error.args[0], len(seen), sum(seen))
caught = 0
for i in range(2000):
    try:
        [][i]
    except IndexError:
        caught += 1
print(caught)
iterator = numbers()
print(sum(next(iterator) for _ in range(10)))
iterator.close()
print(json.dumps({"pi": 3.25, "list": [1, 2, None, True]}), 2**100)
sys.exit(7)
