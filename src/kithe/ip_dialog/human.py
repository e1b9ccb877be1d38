"""People who talked with people: items about users of MSC and LAPS of whom a fact settles one of the attributes (`human.yaml`).

The conversation is theirs, cut to the sessions in which the fact comes up; the request is the rule world's, and asks for the one
thing among several that fits. No label comes from a model.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from kithe.corpora.real import RealSet
from kithe.corpora.source import Split
from kithe.errors import ConfigError
from kithe.ip_dialog.asks import OPTIONS, Request, Wording, closed_answer, combination
from kithe.ip_dialog.extra import usual
from kithe.ip_dialog.schema import read, tasks
from kithe.ip_dialog.teacher import analysis
from kithe.records.base import Record
from kithe.records.history import History, KnowledgeItem, Turn
from kithe.records.question import Question

SETS: Final[Mapping[str, Split]] = {"msc": "test", "laps": "train"}
TASK: Final = "filter"  # which of these to keep: what fits best is settled by the fact, whatever else they like


class Rule(Record):
    """One value: the pattern that finds its facts, and the histories of which somebody saw that the fact settles it."""

    rule: str
    people: tuple[str, ...]


@cache
def rules() -> dict[str, dict[str, Rule]]:
    """Attribute -> value -> rule."""
    return {
        name: {value: Rule.model_validate(part) for value, part in values.items()} for name, values in read("human.yaml").items()
    }


@dataclass(frozen=True)
class HumanData:
    """`task/test=ip_dialog_human`: one item for each person and attribute; there is a test split only.

    Attributes:
        folder: where `<set>/<split>.jsonl.gz` lies; None: KITHE_DATA, or downloaded.
        sets: whose people.
        seed: of the requests.
        most: at most so many items.
    """

    folder: str | None = None
    sets: Sequence[str] = tuple(SETS)
    seed: int = 0
    most: int | None = None
    name: str = "ip_dialog_human"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a set holds nobody who is listed.
        """
        object.__setattr__(self, "sets", tuple(self.sets))
        if unlike := set(self.sets) - set(SETS):
            raise ConfigError(f"task.test.ip_dialog_human.sets: {min(unlike)}: allowed: {', '.join(SETS)}")

    @property
    def fields(self) -> frozenset[str]:
        """An attribute with its value, the turns that say it, and a question at the end."""
        return frozenset({"key", "value", "evidence", "question"})

    def files(self, split: Split) -> dict[str, Path]:
        """The files of the sets (`FromFiles.files`)."""
        return {key: path for name in self.sets for key, path in RealSet(name, self.folder).files(SETS[name]).items()}

    def check(self, split: Split) -> None:
        """Look for the files."""
        for name in self.sets:
            RealSet(name, self.folder).check(SETS[name])

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The items.

        Raises:
            ConfigError: another split than `test` is asked for, or a set is neither here nor reachable.
        """
        if split != "test":
            raise ConfigError(f"ip_dialog_human has a test split only, no {split} split")
        found = {person.id: person for name in self.sets for person in RealSet(name, self.folder).histories(SETS[name], 0)}
        listed = [
            (found[person], name, value)
            for name, values in rules().items()
            for value, part in values.items()
            for person in part.people
            if person in found
        ]
        if self.most is not None and len(listed) > self.most:
            listed = Random(f"{self.seed}/human").sample(listed, self.most)
        for person, name, value in listed:
            yield item(person, name, value, Random(f"{self.seed}/human/{person.id}/{name}"))


def item(person: History, name: str, value: str, random: Random) -> History:
    """A person's conversation with a request that depends on one attribute.

    Raises:
        ValueError: no fact of the person fits the rule.
    """
    facts = settling(person, name, value)
    if not facts:
        raise ValueError(f"no fact of {person.id} fits the rule for {name}={value}")
    request = asked(name, value, random)
    related = {name: value}
    answer = closed_answer(request, related)
    if answer is None:
        raise ValueError(f"{name}={value} settles no answer")
    question = Question(
        task=TASK,
        form=tasks()[TASK].form,
        domain=request.domain,
        text=request.text,
        related=related,
        persona=related,
        analysis=analysis(request, related, answer, usual().world),
        answer=answer,
        options=request.options,
        group=combination(related),
    )
    known = KnowledgeItem(statement=f"My {name} is {value}.", key=name, value=value)
    turns = said_around(person, facts)
    return History(
        id=f"{person.id}-{name}", source=person.source, user=person.user, turns=turns, items=(known,), question=question
    )


def settling(person: History, name: str, value: str) -> list[KnowledgeItem]:
    """The facts of a person that fit the rule for a value."""
    pattern = re.compile(rules()[name][value].rule, re.I)
    return [fact for fact in person.items if pattern.search(fact.statement)]


def said_around(person: History, facts: Sequence[KnowledgeItem]) -> tuple[Turn, ...]:
    """The turns of the sessions in which the facts come up; all of them where that is not known."""
    sessions = {person.turns[part.turn].session for fact in facts for part in fact.evidence}
    return tuple(turn for turn in person.turns if turn.session in sessions) or person.turns


def asked(name: str, value: str, random: Random) -> Request:
    """Which of several things to keep: one for the value, the others for other values of the same attribute."""
    space = usual().world
    others = [other for other in space.axes[name].values if other != value]
    chosen = [value, *random.sample(others, min(len(others), OPTIONS[TASK] - 1))]
    random.shuffle(chosen)
    features = tuple((random.choice(space.axes[name].values[one].likes),) for one in chosen)
    domain = random.choice(tasks()[TASK].domains)
    subject = random.choice(space.domains[domain].things)
    words = Wording(space, "b", random)
    options = tuple(words.option(feature) for feature in features)
    listed = " ".join(f"{letter}. {text}" for letter, text in zip("ABCDE", options, strict=False))
    text = words.request(TASK, subject, {"options": listed, "features": "", "aspects": ""})
    return Request(task=TASK, domain=domain, subject=subject, text=text, options=options, features=features, types=(name,))
