"""Trees: tensors in nested tuples, lists and dicts, as a flat list and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """What is at the ends of a tree, from left to right.

    >>> leaves((1, [2, {"a": 3}]))
    [1, 2, 3]
    """
    if isinstance(tree, dict):
        return [leaf for item in tree.values() for leaf in leaves(item)]
    if isinstance(tree, list | tuple):
        return [leaf for item in tree for leaf in leaves(item)]
    return [tree]


def rebuilt(tree: Any, values: Sequence[Any]) -> Any:
    """A tree of the same form with other values at its ends.

    >>> rebuilt((1, [2, {"a": 3}]), "xyz")
    ('x', ['y', {'a': 'z'}])
    """
    return _filled(tree, iter(values))


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `function` applied to its ends.

    >>> mapped(abs, {"a": -1})
    {'a': 1}
    """
    return rebuilt(tree, [function(leaf) for leaf in leaves(tree)])


def _filled(tree: Any, values: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        return {name: _filled(item, values) for name, item in tree.items()}
    if isinstance(tree, list | tuple):
        items = [_filled(item, values) for item in tree]
        if isinstance(tree, list):
            return items
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return next(values)
