"""Runs Graphviz in a process of its own: reads DOT from stdin, writes what the first argument asks for to stdout.

It is started by its path, so that it imports neither the engine nor the rest of viz.
"""

from __future__ import annotations

import sys


def main(form: str) -> None:
    import pygraphviz  # type: ignore[import-untyped,unused-ignore]

    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    output = graph.draw(format=form, prog="dot")
    sys.stdout.buffer.write(output if isinstance(output, bytes) else output.encode())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
