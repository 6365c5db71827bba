"""What each instruction does, by name (spec 4.6).

A handler gets the live call, its operand stack and the instruction's immediate. It gives the index of the instruction
to go on at, None for the next one, or `SWITCH` where another call is now the innermost. A handler does whatever can
trap before it changes the stack: a frame shows the state before the instruction that trapped.
"""

from types import MappingProxyType

from reference.handlers.atomics import ATOMICS
from reference.handlers.control import CONTROL
from reference.handlers.gc import GC
from reference.handlers.memories import MEMORIES
from reference.handlers.numbers import NUMBERS
from reference.handlers.references import REFERENCES
from reference.handlers.tables import TABLES

HANDLERS = MappingProxyType(CONTROL | NUMBERS | MEMORIES | TABLES | REFERENCES | GC | ATOMICS)
