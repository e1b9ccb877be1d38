"""Requests in the rule world: drawn so that the answer is the one wanted, and answered by the sum of tastes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from random import Random
from typing import Final, Literal

from kithe.ip_dialog.schema import tasks
from kithe.ip_dialog.world import Family, World, joined, kept, order, world
from kithe.records.base import Record

Mode = Literal["official", "hard"]
OPTIONS: Final = {"filter": 5, "rank": 4, "preference_infer": 4}
KEEPS: Final = {"filter": (1, 2), "preference_infer": (1, 2, 3)}
HELD_OUT: Final = 6  # one combination of related values in so many is for benchmarks only
TRIES: Final = 200
MARGIN: Final = 0.3


class Request(Record):
    """A request before anybody answered it.

    Attributes:
        options: the texts of the options, in order.
        features: what each option, or the one thing, is like; empty where a teacher other than the rule world asked.
        types: the attributes the request depends on, where the rule world asked.
    """

    task: str
    domain: str
    subject: str
    text: str
    options: tuple[str, ...] = ()
    features: tuple[tuple[str, ...], ...] = ()
    types: tuple[str, ...] = ()


def combination(related: Mapping[str, str]) -> str:
    """The name of a combination of values, in the schema's order: what training and benchmark do not share."""
    return "; ".join(f"{name}={related[name]}" for name in sorted(related))


def held_out(related: Mapping[str, str]) -> bool:
    """Whether a combination belongs to benchmarks: by its hash, so for every seed and size alike."""
    return int(sha256(combination(related).encode()).hexdigest(), 16) % HELD_OUT == 0


def family(related: Mapping[str, str]) -> Family:
    """The wording for a combination, so that training and benchmark share no template."""
    return "b" if held_out(related) else "a"


@dataclass(frozen=True)
class Asker:
    """Draws requests.

    Attributes:
        mode: `official` draws types as unevenly as the official benchmark; `hard` evenly, and fewer of them.
        space: the rule world.
    """

    mode: Mode
    space: World

    def types(self, task: str, random: Random) -> tuple[str, ...]:
        """The attributes a request shall depend on."""
        space = self.space
        # The official risk question is one and the same sentence, so nothing in it tells what it depends on.
        sizes = {5: 1} if task == "risk_detect" and self.mode == "official" else space.sizes[self.mode]
        size = random.choices(list(sizes), list(sizes.values()))[0]
        size = max(size, 2) if task in OPTIONS else size
        weights = space.frequency if self.mode == "official" else dict.fromkeys(space.deciding, 1)
        # Exponential keys: the size largest of u^(1/w) are a weighted sample without replacement.
        ranked = sorted(weights, key=lambda name: random.random() ** (1 / weights[name]), reverse=True)
        return tuple(name for name in space.axes if name in ranked[:size])

    def request(
        self, task: str, domain: str, subject: str, person: Mapping[str, str], random: Random, number: int
    ) -> Request | None:
        """A request whose answer for this person is the `number`th of those possible, in turn; None if none was found."""
        types = self.types(task, random)
        wording = Wording(self.space, family({name: person[name] for name in types}), random)
        drawn = _Drawing(self.space, task, types, person, domain, random, number).features()
        if drawn is None:
            return None
        options = tuple(wording.option(features) for features in drawn) if task in OPTIONS else ()
        if len(set(options)) < len(options):
            return None
        things = {
            "options": " ".join(f"{letter}. {text}" for letter, text in zip("ABCDE", options, strict=False)),
            "features": joined([wording.phrase(feature) for feature in drawn[0]]) if drawn else "",
            "aspects": joined([wording.aspect(name) for name in types]),
        }
        template = "risk_hard" if task == "risk_detect" and self.mode == "hard" else task
        text = wording.request(template, subject, things)
        return Request(task=task, domain=domain, subject=subject, text=text, options=options, features=drawn, types=types)


@dataclass(frozen=True)
class Wording:
    """The choices of words of one request."""

    space: World
    family: Family
    random: Random

    def phrase(self, feature: str) -> str:
        """How a feature is said."""
        return self.random.choice(self.space.features[feature][self.family])

    def option(self, features: Sequence[str]) -> str:
        """How an option is said."""
        return f"one {joined([self.phrase(feature) for feature in features])}"

    def aspect(self, name: str) -> str:
        """How it is said what an attribute decides about."""
        return self.random.choice(self.space.axes[name].aspect[self.family])

    def request(self, template: str, subject: str, things: Mapping[str, str]) -> str:
        """The request."""
        noun = subject.split(" ", 1)[-1]
        chosen = self.random.choice(self.space.requests[template][self.family])
        return chosen.format(thing=subject, noun=noun, things=f"every sort of {noun}", **things)


@dataclass(frozen=True)
class _Drawing:
    """One attempt to find features with the wanted answer."""

    space: World
    task: str
    types: Sequence[str]
    person: Mapping[str, str]
    domain: str
    random: Random
    number: int

    def features(self) -> tuple[tuple[str, ...], ...] | None:
        """The features of a request's options or of its one thing, none for open tasks; None if none were found."""
        if tasks()[self.task].form == "yes_no":
            features = self._mixed(wanted=self.number % 2 == 0)
            return (features,) if features else None
        return (tuple(self._options()) or None) if self.task in OPTIONS else ()

    def _mixed(self, *, wanted: bool) -> tuple[str, ...]:
        """A feature of each type, some liked and some not, with a sum clearly above zero or clearly below it."""
        for _ in range(TRIES):
            features = tuple(self._feature(name, self.random.random() < 0.5) for name in self.types)
            total = self.space.utility(features, self.person, self.domain)
            if abs(total) >= MARGIN and (total > 0) == wanted:
                return features
        return ()

    def _feature(self, name: str, liked: bool) -> str:
        return self.random.choice(self.space.liked(name, self.person[name], liked))

    def _options(self) -> list[tuple[str, ...]]:
        draw = self._ranked if self.task == "rank" else self._sorted_out
        for _ in range(TRIES):
            if found := draw():
                return found
        return []

    def _sorted_out(self) -> list[tuple[str, ...]]:
        """Options of which the wanted number is liked in all features and the others in none."""
        size, counts, types, random = OPTIONS[self.task], KEEPS[self.task], self.types, self.random
        liked = set(random.sample(range(size), counts[self.number % len(counts)]))
        places = [random.randrange(size) for _ in types] if len(types) > size else random.sample(range(size), len(types))
        named: list[list[str]] = [[] for _ in range(size)]
        for name, place in zip(types, places, strict=True):
            named[place].append(name)
        options = [
            tuple(self._feature(name, place in liked) for name in (some or [random.choice(types)]))
            for place, some in enumerate(named)
        ]
        return options if len(set(map(frozenset, options))) == size or len(types) < 4 else []

    def _ranked(self) -> list[tuple[str, ...]]:
        """Options of one or two features each, with utilities clearly apart, in random order."""
        options, types, random = [], self.types, self.random
        for place in range(OPTIONS[self.task]):
            names = {types[place % len(types)], random.choice(types)} if place < len(types) else set(random.sample(types, 2))
            options.append(tuple(self._feature(name, random.random() < 0.5) for name in types if name in names))
        ranked = sorted(self.space.utility(features, self.person, self.domain) for features in options)
        told = {self.space.owner[feature] for option in options for feature in option}
        if len(types) > len(options) and len(types) > len(told):
            return []
        if min(high - low for low, high in pairwise(ranked)) < MARGIN:
            return []
        random.shuffle(options)
        return options


def closed_answer(request: Request, person: Mapping[str, str], space: World | None = None) -> tuple[str, ...] | None:
    """The right answer to a request with features; None for open tasks, and where two options are too close to call."""
    form, space = tasks()[request.task].form, space or world()
    utilities = [space.utility(features, person, request.domain) for features in request.features]
    if form == "yes_no":
        return ("yes" if utilities[0] > 0 else "no",) if abs(utilities[0]) >= MARGIN else None
    if form == "options":
        return kept(utilities) or None
    if form == "order":
        ranked = sorted(utilities)
        apart = all(high - low >= MARGIN for low, high in pairwise(ranked))
        return order(utilities) if apart else None
    return None


def open_answer(request: Request, person: Mapping[str, str], space: World, random: Random) -> tuple[str, ...]:
    """The answer to an open request: something for each attribute it depends on."""
    tastes = [(name, space.axes[name].values[person[name]]) for name in request.types]
    words = Wording(space, family({name: person[name] for name in request.types}), random)
    liked = [words.phrase(random.choice(space.liked(name, person[name], True))) for name, _ in tastes]
    if request.task == "risk_detect":
        return tuple(taste.risk for _, taste in tastes)
    if request.task == "intention_infer":
        return tuple(taste.goal for _, taste in tastes)
    if request.task == "advice":
        return tuple(f"look for {request.subject} {phrase}" for phrase in liked)
    if request.task == "recommend":
        return (", ".join(f"{request.subject} {phrase}" for phrase in liked),)
    goals = joined([taste.goal for _, taste in tastes])
    return (f"You want {goals}. So take {request.subject} {joined(liked)}; it is made for you.",)
