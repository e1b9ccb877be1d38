"""Five ways of getting from a conversation and a request to an answer, each a causal graph (spec 5.5).

Nodes: the history, the request, the vector of all attributes, the related types, the related attributes with values, the answer.
In `single_call` a model writes all fields of a pathway at once and sees everything. In `strict` each node is asked for by itself
and is shown its parents only, so that the graph holds by construction; the difference is what leaks past it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Node = Literal["vector", "types", "related", "answer"]
Given = Literal["history", "request", "vector", "types", "related"]
Pathway = Literal["direct_response", "attribute_filter", "type_guided", "full_attributes", "task_related"]
Intervention = Literal["none", "gold_attributes", "random_attributes", "gold_types"]
INTERVENTIONS: Final = get_args(Intervention)


@dataclass(frozen=True)
class Step:
    """A node with its parents, and the name of the field that a model writes it in."""

    node: Node
    parents: tuple[Given, ...]
    field: str


@dataclass(frozen=True)
class Graph:
    """A pathway.

    Attributes:
        code: its name in the official files.
        steps: in the order they are answered, the answer last.
    """

    code: str
    steps: tuple[Step, ...]

    def asked(self, given: frozenset[str] = frozenset()) -> tuple[Step, ...]:
        """The steps that the answer still depends on when some nodes are given: setting a node cuts it off from its parents."""
        wanted, kept = {"answer"}, []
        for step in reversed(self.steps):
            if step.node in wanted and step.node not in given:
                wanted.update(step.parents)
                kept.append(step)
        return tuple(reversed(kept))

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes of its steps."""
        return frozenset(step.node for step in self.steps)


GRAPHS: Final[Mapping[Pathway, Graph]] = {
    "direct_response": Graph("basic", (Step("answer", ("history", "request"), "Answer"),)),
    "attribute_filter": Graph(
        "cot1",
        (
            Step("vector", ("history",), "Full Attribute Values"),
            Step("related", ("vector", "request"), "Related Attribute Values"),
            Step("answer", ("related", "request"), "Answer"),
        ),
    ),
    "type_guided": Graph(
        "cot2",
        (
            Step("types", ("history", "request"), "Attribute Key"),
            Step("related", ("history", "types"), "Attribute Values"),
            Step("answer", ("related", "request"), "Answer"),
        ),
    ),
    "full_attributes": Graph(
        "cot3",
        (Step("vector", ("history",), "Full Attribute Values"), Step("answer", ("vector", "request"), "Answer")),
    ),
    "task_related": Graph(
        "cot4",
        (Step("related", ("history", "request"), "Attributes"), Step("answer", ("related", "request"), "Answer")),
    ),
}
# The node that an intervention sets.
SETS: Final[Mapping[Intervention, str]] = {"gold_attributes": "related", "random_attributes": "related", "gold_types": "types"}


def without(graph: Graph, left_out: frozenset[str]) -> Graph:
    """A pathway with some steps removed; who needed them is shown what they needed instead."""
    parents = {step.node: step.parents for step in graph.steps}

    def above(given: Given) -> Iterator[Given]:
        if given in left_out:
            for one in parents[given]:  # type: ignore[index]  # a step that is left out is a node
                yield from above(one)
        else:
            yield given

    kept = (step for step in graph.steps if step.node not in left_out)
    return Graph(
        graph.code,
        tuple(
            Step(step.node, tuple(dict.fromkeys(given for parent in step.parents for given in above(parent))), step.field)
            for step in kept
        ),
    )
