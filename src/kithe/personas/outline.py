"""The interest taxonomy in print: the tree, what a few words find in it, or records for other programs."""

import json
from collections.abc import Iterable, Sequence

from kithe.errors import ConfigError
from kithe.personas.taxonomy import Node, Taxonomy


def listing(tree: Taxonomy, words: Sequence[str], depth: int | None, *, as_json: bool) -> str:
    """The tree, or where there are words, what they find; down to `depth`, if one is given.

    Raises:
        ConfigError: a negative depth, or nothing is found; similar names are suggested.
    """
    if depth is not None and depth < 0:
        raise ConfigError(
            f"--depth {depth}: the root has depth 0, top categories 1, and the deepest leaves {len(tree.counts) - 1}"
        )
    nodes = found(tree, " ".join(words)) if words else tree.nodes.values()
    kept = [node for node in nodes if depth is None or node.depth <= depth]
    if as_json:
        return json.dumps(records(kept), ensure_ascii=False, indent=1) + "\n"
    lines = hits(tree, kept) if words else outline(tree, kept)
    return "\n".join(lines) + "\n" if lines else ""


def found(tree: Taxonomy, words: str) -> tuple[Node, ...]:
    """The nodes that the words find, the best first.

    Raises:
        ConfigError: there are none; similar names are suggested.
    """
    nodes = tree.search(words)
    if not nodes:
        near = ", ".join(tree.near(words))
        hint = f"similar: {near}" if near else "see all with: kithe show taxonomy"
        raise ConfigError(f"nothing in the interest taxonomy has the words '{words}'; {hint}")
    return nodes


def records(nodes: Iterable[Node]) -> list[dict[str, str | int | None]]:
    """Nodes as id, name, parent's id and depth; the root has depth 0 and no parent."""
    return [{"id": node.id, "name": node.name, "parent": node.parent, "depth": node.depth} for node in nodes]


def outline(tree: Taxonomy, nodes: Iterable[Node]) -> list[str]:
    """One indented line a node, the root's with the counts; what has more below it says how much."""
    lines = [f"{'  ' * node.depth}{node.name}{_size(tree, node)}" for node in nodes]
    shape = ", ".join(f"{count:,} at depth {depth}" for depth, count in enumerate(tree.counts) if depth)
    root = f"{tree.root.name}: {sum(tree.counts) - 1:,} nodes ({shape}), {len(tree.leaves):,} of them leaves"
    return [root, *lines[1:]]


def hits(tree: Taxonomy, nodes: Iterable[Node]) -> list[str]:
    """One line a node: its path, and how much is below it."""
    return [f"{tree.text(node.id)}{_size(tree, node)}" for node in nodes]


def _size(tree: Taxonomy, node: Node) -> str:
    return "" if node.leaf else f" ({len(tree.below(node.id)) - 1})"
