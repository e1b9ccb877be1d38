"""A small text grammar, so that a handful of lines in a YAML file says a thing in many ways.

`(a|b|)` picks one alternative, `<name>` one of a shared word list, `$slot` or `$slot.form` a form of a value.
Templates are parsed once and then only walked, which is what makes writing fast.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeAlias

Forms: TypeAlias = Mapping[str, str]
Family: TypeAlias = Literal["a", "b", "all"]

_TOKEN = re.compile(r"\(|\)|\||<(\w+)>|\$(\w+)(?:\.(\w+))?|[^()|<$]+|[<$]")
_SPACES = re.compile(r" {2,}")
_GAP = re.compile(r" ([,.!?;])")


@dataclass(frozen=True)
class _Slot:
    """A place for a form of a value."""

    name: str
    form: str


@dataclass(frozen=True)
class _List:
    """A place for a word of a shared list."""

    name: str


_Node: TypeAlias = "str | _Slot | _List | tuple[tuple[_Node, ...], ...]"
_Sequence: TypeAlias = tuple[_Node, ...]


@dataclass(frozen=True)
class Grammar:
    """Templates read with one set of word lists.

    Attributes:
        words: the shared lists, each a string of alternatives "a|b|c" that may itself use the grammar.
    """

    words: Mapping[str, str]
    _parsed: dict[str, _Sequence] = field(default_factory=dict, compare=False, repr=False)
    _lists: dict[str, _Sequence] = field(default_factory=dict, compare=False, repr=False)

    def expand(self, template: str, rng: Random, slots: Mapping[str, Forms] | None = None) -> str:
        """One random reading of a template (`expand`)."""
        parsed = self._parsed.get(template)
        if parsed is None:
            parsed = self._parsed[template] = parse(template)
        parts: list[str] = []
        self._walk(parsed, rng, slots or {}, parts)
        return _tidy("".join(parts), prefix=template.endswith(","))

    def _walk(self, nodes: _Sequence, rng: Random, slots: Mapping[str, Forms], parts: list[str]) -> None:
        for node in nodes:
            if isinstance(node, str):
                parts.append(node)
            elif isinstance(node, tuple):
                self._walk(node[int(rng.random() * len(node))], rng, slots, parts)
            elif isinstance(node, _Slot):
                parts.append(slots[node.name][node.form])
            else:
                self._walk(self._list(node.name), rng, slots, parts)

    def _list(self, name: str) -> _Sequence:
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = parse(f"({self.words[name]})")
        return found


def expand(template: str, rng: Random, words: Mapping[str, str], slots: Mapping[str, Forms] | None = None) -> str:
    """One random reading of a template.

    Args:
        template: text with alternatives, word lists and slots.
        rng: where the choices come from; the same state gives the same text.
        words: the shared lists, each a string of alternatives "a|b|c" that may itself use the grammar.
        slots: the forms of the value behind each slot; the form without a name is "v".

    Raises:
        KeyError: for a list, slot or form that does not exist.
    """
    return Grammar(words).expand(template, rng, slots)


def parse(template: str) -> _Sequence:
    """A template as a tree: texts, slots, lists, and groups of alternatives (tuples of sequences)."""
    stack: list[list[list[_Node]]] = [[[]]]
    for token in _TOKEN.finditer(template):
        text = token[0]
        if text == "(":
            stack.append([[]])
        elif text == ")" and len(stack) > 1:
            group = stack.pop()
            stack[-1][-1].append(tuple(tuple(sequence) for sequence in group))
        elif text == "|" and len(stack) > 1:
            stack[-1].append([])
        elif token[1]:
            stack[-1][-1].append(_List(token[1]))
        elif token[2]:
            stack[-1][-1].append(_Slot(token[2], token[3] or "v"))
        else:
            stack[-1][-1].append(text)
    return tuple(stack[0][0])


def half(block: str, family: Family) -> tuple[str, ...]:
    """The lines of a block that belong to a wording family: every other one, so that no line is in both families.

    A block of a single line is shared out by the alternatives of its largest group; without one it belongs to family "a" alone.
    """
    lines = tuple(line.strip() for line in block.splitlines() if line.strip())
    if family == "all" or not lines:
        return lines
    place = 0 if family == "a" else 1
    if len(lines) > 1:
        return lines[place::2]
    return _half_line(lines[0], place)


def half_list(text: str, family: Family) -> str:
    """The words of a list "a|b|c" that belong to a family; one word alone is in both."""
    parts = _alternatives(text)
    if family == "all" or len(parts) < 2:
        return text
    return "|".join(parts[0 if family == "a" else 1 :: 2])


def _half_line(line: str, place: int) -> tuple[str, ...]:
    groups = [(start, end, _alternatives(line[start + 1 : end])) for start, end in _groups(line)]
    if not groups:
        return (line,) if place == 0 else ()
    start, end, parts = max(groups, key=lambda group: len(group[2]))
    return (f"{line[: start + 1]}{'|'.join(parts[place::2])}{line[end:]}",)


def _groups(line: str) -> Iterator[tuple[int, int]]:
    """Where the outermost groups stand."""
    depth = start = 0
    for place, char in enumerate(line):
        if char == "(":
            start = place if depth == 0 else start
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                yield start, place


def _alternatives(text: str) -> list[str]:
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _tidy(text: str, *, prefix: bool) -> str:
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if " ," in text or " ." in text or " !" in text or " ?" in text or " ;" in text:
        text = _GAP.sub(r"\1", text)
    return text.strip() if prefix else text.strip(" ,")


def article(noun: str) -> str:
    """The noun with its indefinite article, by spelling."""
    vowel = noun[:1].lower() in "aeiou" and not noun.lower().startswith(("uni", "use", "eu", "one"))
    return f"{'an' if vowel else 'a'} {noun}"


def plural(noun: str) -> str:
    """The regular English plural."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


def is_plural(noun: str) -> bool:
    """Whether the noun looks plural, by spelling."""
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is"))
