"""Values as text, as users of gdb and LLDB expect it.

`formatter.py` writes a value in one or several lines; `numbers.py` the letters of `p/x` and its like; `text.py` what
came from the guest, with nothing in it that a terminal would obey; `type_names.py` types as their language writes them.
`views/` takes strings, containers and options for what they mean; what is not plausible is shown as it is built.
Everything has limits (`options.py`): a guest cannot make a text endless.
"""

from wasmscope.source.formatting.formatter import format_value
from wasmscope.source.formatting.options import FormatOptions
from wasmscope.source.formatting.type_names import type_name

__all__ = ["FormatOptions", "format_value", "type_name"]
