"""The interest taxonomy: a tree of things people are into, from broad categories to particular ones."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import yaml

from kithe.errors import ConfigError, unknown

INDEX: Final = "index.yaml"
DEEPEST: Final = 5
_FIX: Final = "a file maps each depth-2 name to a list of names and one-name mappings, such as '- Tea: [Matcha, Chai Masala]'"
_Tree = list[tuple[str, "_Tree"]]


@dataclass(frozen=True)
class Node:
    """One interest. `id` is its path as a slug and stays as long as the names on the path do; the root has depth 0."""

    id: str
    name: str
    parent: str | None
    depth: int
    children: tuple[str, ...]

    @property
    def leaf(self) -> bool:
        """Whether nothing more particular is below it."""
        return not self.children


@dataclass(frozen=True)
class Taxonomy:
    """A rooted tree: `nodes` by id, every node before what is below it, siblings in the order of the files."""

    nodes: Mapping[str, Node]

    @cached_property
    def root(self) -> Node:
        """The node above the top categories."""
        return next(iter(self.nodes.values()))

    @cached_property
    def categories(self) -> tuple[Node, ...]:
        """The top categories (depth 1), in order."""
        return self.at(1)

    @cached_property
    def leaves(self) -> tuple[Node, ...]:
        """The nodes with nothing below them, those of one category side by side."""
        return tuple(node for node in self.nodes.values() if node.leaf)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """How many nodes there are at depth 0, 1, 2, ..."""
        depths = [node.depth for node in self.nodes.values()]
        return tuple(depths.count(depth) for depth in range(max(depths) + 1))

    def node(self, identity: str) -> Node:
        """The node with this id.

        Raises:
            ConfigError: there is none; the nearest ids are named.
        """
        if identity not in self.nodes:
            near = get_close_matches(identity, self.nodes, n=5, cutoff=0.0)
            raise unknown("id of the taxonomy", identity, near)
        return self.nodes[identity]

    def at(self, depth: int) -> tuple[Node, ...]:
        """All nodes at this depth."""
        return tuple(node for node in self.nodes.values() if node.depth == depth)

    def line(self, identity: str) -> tuple[Node, ...]:
        """The nodes from the root to this one."""
        node = self.node(identity)
        found = [node]
        while node.parent is not None:
            node = self.nodes[node.parent]
            found.append(node)
        return tuple(reversed(found))

    def path(self, identity: str) -> tuple[str, ...]:
        """The names from the root to this node: `path(id)[1]` is the top category, `path(id)[-1]` its own name."""
        return tuple(node.name for node in self.line(identity))

    def text(self, identity: str) -> str:
        """The path as one line, without the root that all paths share: "Beverages > Tea > Matcha"."""
        return " > ".join(self.path(identity)[1:]) or self.root.name

    def above(self, identity: str, depth: int) -> Node:
        """The ancestor at this depth, or the node itself if it is not below it; `above(id, 1)` is the top category."""
        line = self.line(identity)
        return line[min(max(depth, 0), len(line) - 1)]

    def below(self, identity: str) -> tuple[Node, ...]:
        """The node and everything below it."""
        return tuple(self._walk(self.node(identity)))

    def leaves_of(self, identity: str) -> tuple[Node, ...]:
        """The leaves below a node, such as a top category; of a leaf, itself."""
        return tuple(node for node in self.below(identity) if node.leaf)

    def search(self, words: str) -> tuple[Node, ...]:
        """Nodes for a few words, the best first; upper and lower case and accents do not count.

        A node is found if every word begins a word of its path, and at least one begins a word of its own name.
        Nodes named so exactly come first, then those with more of the words in their own name, then the higher ones.
        """
        wanted = plain(words).split()
        found = []
        for node in self.nodes.values():
            own = sum(_begins(word, self._words[node.id]) for word in wanted)
            around = {word for up in self.line(node.id) for word in self._words[up.id]} if own else ()
            if own and all(_begins(word, around) for word in wanted):
                found.append((self._words[node.id] != tuple(wanted), -own, node.depth, node))
        return tuple(row[-1] for row in sorted(found, key=lambda row: row[:3]))

    def near(self, words: str, most: int = 5) -> tuple[str, ...]:
        """Names that are spelt like these words, or have a word that is, the likest first."""
        names: dict[str, list[str]] = {}
        for node in self.nodes.values():
            for key in {plain(node.name), *self._words[node.id]}:
                names.setdefault(key, []).append(node.name)
        wanted = dict.fromkeys((plain(words), *plain(words).split()))
        keys = [key for text in wanted for key in get_close_matches(text, names, n=most, cutoff=0.7)]
        return tuple(dict.fromkeys(name for key in keys for name in names[key]))[:most]

    @cached_property
    def _words(self) -> dict[str, tuple[str, ...]]:
        return {node.id: tuple(plain(node.name).split()) for node in self.nodes.values()}

    def _walk(self, node: Node) -> Iterator[Node]:
        yield node
        for child in node.children:
            yield from self._walk(self.nodes[child])


def plain(text: str) -> str:
    """Lower-case words without accents and punctuation: "Crème Brûlée" is "creme brulee"."""
    letters = unicodedata.normalize("NFKD", text.replace("'", "").replace("’", ""))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
    return " ".join(re.findall(r"\w+", bare))


def slug(name: str) -> str:
    """The name as a part of an id."""
    return plain(name).replace(" ", "-")


def _begins(word: str, words: Sequence[str] | set[str]) -> bool:
    return any(other.startswith(word) for other in words)


@cache
def taxonomy() -> Taxonomy:
    """The tree that comes with kithe, read once a process."""
    return load(files("kithe.personas") / "taxonomy")


def load(folder: Traversable) -> Taxonomy:
    """The taxonomy in a folder: `index.yaml`, and a file for each top category it names.

    The index holds the root's name and, for each category, how many nodes it has at depths 2 to 5. The counts are made
    again from the files and must agree, so that no branch is lost or doubled unnoticed.

    Raises:
        ConfigError: a file that is missing, unexpected or malformed, siblings of one name, a tree that is too deep, or
            counts that do not agree.
    """
    index = _read(folder, INDEX)
    if not isinstance(index, dict) or set(index) != {"root", "categories"} or not isinstance(index["categories"], dict):
        raise ConfigError(f"{folder / INDEX}: it must have 'root', a name, and 'categories', each with its counts by depth")
    _check_names([index["root"]], f"{folder / INDEX}: root")
    _check_names(list(index["categories"]), f"{folder / INDEX}: categories")
    wanted = {f"{slug(name)}.yaml" for name in index["categories"]} | {INDEX}
    spare = sorted({file.name for file in folder.iterdir() if file.name.endswith(".yaml")} - wanted)
    if spare:
        raise ConfigError(f"{folder}: {', '.join(spare)}: a file of no category in {INDEX}; add the category or remove the file")
    return _grow(index["root"], [(name, _category(folder, name, counts)) for name, counts in index["categories"].items()])


def _category(folder: Traversable, name: str, counts: Any) -> _Tree:
    """What is below a top category, counted."""
    file = folder / f"{slug(name)}.yaml"
    content = _read(folder, file.name)
    if not isinstance(content, dict) or not content:
        raise ConfigError(f"{file}: {_FIX}; found {content!r}"[:400])
    _check_names(list(content), str(file))
    tree = [(child, _branches(below, f"{file}: {child}", 3)) for child, below in content.items()]
    found = [_count(tree, level) for level in range(DEEPEST - 1)]
    if counts != found:
        where = f"{file} has {found} nodes at depths 2 to {DEEPEST}, and {INDEX} says {counts} for '{name}'"
        raise ConfigError(f"{where}; if the change is meant, write the new counts there")
    return tree


def _read(folder: Traversable, name: str) -> Any:
    """A YAML file's content.

    Raises:
        ConfigError: it is not there, or no YAML.
    """
    try:
        return yaml.load((folder / name).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        raise ConfigError(f"{folder}: no file {name}; the taxonomy has {INDEX} and one file for each category in it") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{folder / name}: no valid YAML: {' '.join(str(error).split())}") from None


def _branches(rows: Any, where: str, depth: int) -> _Tree:
    """What a list of names and one-name mappings says, checked.

    Raises:
        ConfigError: names the file and the path in it.
    """
    if depth > DEEPEST:
        raise ConfigError(f"{where}: too deep; the deepest nodes have depth {DEEPEST}")
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{where}: {_FIX}; found {rows!r}"[:400])
    found: _Tree = []
    for row in rows:
        if isinstance(row, dict) and len(row) == 1:
            ((name, below),) = row.items()
            found.append((name, _branches(below, f"{where}: {name}", depth + 1)))
        else:
            found.append((row, []))
    _check_names([name for name, _ in found], where)
    return found


def _check_names(names: Sequence[Any], where: str) -> None:
    """Refuse what is no name, and siblings that differ in nothing but case, accents or punctuation."""
    wrong = [name for name in names if not isinstance(name, str) or not slug(name)]
    if wrong:
        raise ConfigError(f"{where}: {wrong[0]!r} is not a name; {_FIX}; quote names that YAML reads as numbers or dates")
    slugs = [slug(name) for name in names]
    twice = [name for name, key in zip(names, slugs, strict=True) if slugs.count(key) > 1]
    if twice:
        raise ConfigError(f"{where}: siblings of the same name: {', '.join(twice)}; rename one of them")


def _count(branches: _Tree, level: int) -> int:
    """How many nodes there are `level` levels below these."""
    return len(branches) if level == 0 else sum(_count(below, level - 1) for _, below in branches)


def _grow(root: str, tops: _Tree) -> Taxonomy:
    """The tree as nodes by id."""
    nodes: dict[str, Node] = {}

    def add(name: str, below: _Tree, parent: str | None, depth: int) -> str:
        identity = slug(name) if depth <= 1 else f"{parent}/{slug(name)}"
        if identity in nodes:
            raise ConfigError(f"taxonomy: two nodes would have the id '{identity}'; rename one of them")
        nodes[identity] = Node(identity, name, parent, depth, ())
        children = tuple(add(child, rest, identity, depth + 1) for child, rest in below)
        nodes[identity] = Node(identity, name, parent, depth, children)
        return identity

    add(root, tops, None, 0)
    return Taxonomy(nodes)
