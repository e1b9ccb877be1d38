"""Kinds of a thing: what stands below it in the interest taxonomy."""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Final

from kithe.personas.summary import stems
from kithe.personas.taxonomy import Node, taxonomy

KNOWN: Final = 4096


@lru_cache(maxsize=KNOWN)
def kinds_of(text: str) -> tuple[frozenset[str], ...]:
    """The stems of everything below the nodes that are named so, such as sonnets for poetry; none where no node is."""
    return tuple(dict.fromkeys(words for node in _named().get(stems(text), ()) for words in _below(node) if words))


def _below(node: Node) -> Iterator[frozenset[str]]:
    for identity in node.children:
        child = taxonomy().nodes[identity]
        yield stems(child.name)
        yield from _below(child)


@cache
def _named() -> Mapping[frozenset[str], tuple[Node, ...]]:
    """The nodes by the stems of their names."""
    found: dict[frozenset[str], list[Node]] = {}
    for node in taxonomy().nodes.values():
        found.setdefault(stems(node.name), []).append(node)
    return {words: tuple(nodes) for words, nodes in found.items()}
