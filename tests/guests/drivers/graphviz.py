"""Graphviz as a library: a reactor whose exported functions are called, with strings in its memory."""

from __future__ import annotations

from guests import wasi
from guests.wasi import Api, Outcome
from support.guests import guest

DOT = (
    b"digraph { rankdir=LR; bytes -> module -> plan -> rewritten -> engine; plan -> table -> frames; engine -> frames }"
)


def run(api: Api) -> Outcome:
    """Lay a graph out and draw it."""
    engine = wasi.new_engine(api)
    with wasi.Guest(api, engine, api.Module.from_file(engine, str(guest("graphviz")))) as graphviz:
        dot, form, layout = (graphviz.write(text + b"\0") for text in (DOT, b"svg", b"dot"))
        length_at = graphviz.write(bytes(4))
        svg = graphviz.call("graphviz_render", dot, form, layout, length_at)
        if svg == 0:
            return graphviz.outcome(1)
        length = int.from_bytes(graphviz.read(length_at, 4), "little")
        return Outcome(graphviz.read(svg, length).decode(), 0)
