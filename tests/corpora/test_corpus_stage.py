"""The corpus stage: budgets, drops, cards, field restriction."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from kithe.corpora.build import build, restrict
from kithe.corpora.source import Split
from kithe.records.history import Evidence, History, KnowledgeItem, Turn


@dataclass(frozen=True)
class Fixed:
    """A source of given histories, rotated by the seed."""

    train: tuple[History, ...]
    validation: tuple[History, ...] = ()
    name: str = "fixed"
    fields: frozenset[str] = frozenset({"category"})

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        found = self.train if split == "train" else self.validation
        yield from (*found[seed:], *found[:seed])


@dataclass(frozen=True)
class Leaky(Fixed):
    """A source that counts what it left out."""

    def losses(self, split: Split) -> Mapping[str, int]:
        return {"odd ones": 3, "even ones": 0} if split == "train" else {}


def chat(name: str, said: int, unsaid: int = 0, **fields: str) -> History:
    animals = ["dogs", "cats", "horses", "parrots", "snakes", "goats", "ducks"]
    turns = tuple(Turn(speaker="U", text=f"I have {animal}.") for animal in animals[:said])
    items = tuple(KnowledgeItem(statement=f"I have {animal}.", category="Home Life") for animal in animals[: said + unsaid])
    return History(id=name, source="set", user="U", turns=turns or (Turn(speaker="U", text="Hello."),), items=items, **fields)


def test_a_budget_is_met_exactly_by_passing_over_what_overflows() -> None:
    source = Fixed((chat("a", 3), chat("b", 4), chat("c", 1), chat("d", 1), chat("e", 2)))
    corpus = build(source, 5, 0, 0.5)
    assert [history.id for history in corpus.train] == ["a", "c", "d"]
    assert corpus.card["train"]["facts"] == 5
    assert corpus.card["missing_facts"] == 0
    assert corpus.card["train"]["dropped"] == {"histories passed over for the budget": 1}


def test_an_exhausted_source_is_short_and_says_so() -> None:
    card = build(Fixed((chat("a", 3), chat("b", 3))), 5, 0, 0.5).card
    assert (card["wanted_facts"], card["train"]["facts"], card["missing_facts"]) == (5, 3, 2)


def test_without_a_budget_everything_is_taken_in_the_seeds_order() -> None:
    source = Fixed((chat("a", 1), chat("b", 2), chat("c", 0)))
    assert [history.id for history in build(source, None, 1, 0.5).train] == ["b", "c", "a"]
    assert build(source, None, 0, 0.5).card["missing_facts"] == 0


def test_unexpressed_facts_go_and_so_do_histories_of_nothing_else() -> None:
    source = Fixed((chat("a", 2, 3), chat("b", 0, 2), chat("quiet", 0)), validation=(chat("v", 1, 1),))
    corpus = build(source, None, 0, 0.5)
    assert [(history.id, len(history.items)) for history in corpus.train] == [("a", 2), ("quiet", 0)]
    assert corpus.card["train"]["dropped"] == {"facts not expressed": 5, "histories without an expressed fact": 1}
    assert corpus.card["validation"]["facts"] == 1
    assert [item.evidence for item in corpus.train[0].items] == [(Evidence(turn=0),), (Evidence(turn=1),)]


def test_a_threshold_of_zero_keeps_every_fact() -> None:
    assert build(Fixed((chat("a", 1, 2),)), None, 0, 0.0).card["train"]["facts"] == 3


def test_the_card_counts_and_is_json() -> None:
    source = Leaky((chat("a", 2, 0, licence="MIT"), chat("b", 1)))
    card = build(source, None, 0, 0.5).card
    assert json.loads(json.dumps(card)) == card
    assert card["fields"] == ["category", "evidence"]
    assert card["left_out_by_the_source"] == {"odd ones": 3}
    assert card["train"] == {
        "histories": 2,
        "facts": 3,
        "facts_by_set": {"set": 3},
        "turns": 3,
        "words": 9,
        "dropped": {},
        "licences": ["MIT"],
    }


def test_it_is_a_pure_function() -> None:
    source = Fixed(tuple(chat(str(size), size, 1) for size in range(5)))
    assert build(source, 6, 2, 0.5) == build(source, 6, 2, 0.5)


def test_fields_that_are_in_no_arms_target_are_blanked() -> None:
    item = KnowledgeItem(
        statement="I paint.", category="Home Life", value="paint", polarity="positive", evidence=(Evidence(turn=0),)
    )
    history = chat("a", 1).model_copy(update={"items": (item,)})
    (restricted,) = restrict([history], frozenset({"category"}))
    assert restricted.items == (KnowledgeItem(statement="I paint.", category="Home Life"),)
    assert next(restrict([history], frozenset({"category", "value", "polarity", "evidence"}))) == history


@pytest.mark.parametrize("facts", [1, 2, 7])
def test_any_reachable_budget_is_met(facts: int) -> None:
    source = Fixed(tuple(chat(f"{size}/{copy}", size) for copy in range(3) for size in (5, 2, 1)))
    assert build(source, facts, 3, 0.5).card["train"]["facts"] == facts
