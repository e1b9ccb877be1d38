"""From nothing to benchmark items, in nine steps (spec 5.4), with whatever teacher.

people → subjects → requests → answers with related attributes → one exchange per related attribute → exam, improve, regenerate →
consistency → assembly, with distractors in hard mode → removal of near-duplicates. Every loss is counted by its reason.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, Final, Literal

from kithe.errors import ConfigError, unknown
from kithe.ip_dialog import reading
from kithe.ip_dialog.asks import Mode, Request, combination, held_out
from kithe.ip_dialog.bias import Balance, Stereotypes, stereotyped
from kithe.ip_dialog.cues import Exchange
from kithe.ip_dialog.duplicates import Encode, Seen
from kithe.ip_dialog.extra import Space, space
from kithe.ip_dialog.people import Person, Sampling, changed, people
from kithe.ip_dialog.schema import tasks
from kithe.ip_dialog.teacher import Teacher, Twins
from kithe.ip_dialog.verdict import yes
from kithe.records.history import Evidence, History, KnowledgeItem, Turn
from kithe.records.question import Question

Split = Literal["train", "test"]
PERSONS: Final = 3  # calls for a subject, each with another person
ROUNDS: Final = 30  # of exam and improvement
REGENERATE: Final = 5  # every so many rounds the exchange is written anew
MOST: Final = 5  # related attributes
Shown = tuple[Person, tuple[Exchange, ...], tuple[str | None, ...]]
ITEMS: Final = {"test": 100, "train": 1079}  # a task: 1,000 and 10,790 in all


@dataclass(frozen=True)
class Settings:
    """What kind of items.

    Attributes:
        seed: root of every draw.
        mode: `official`: the history shows the related attributes and nothing else; `hard`: also 1-4 other attributes of the
            person and 0-3 exchanges that show nothing, in random order.
        sampling: how people are drawn.
        duplicates: items of a task whose requests and histories together have at least this cosine are one; None: all stay.
        distractors: the most distractor attributes in hard mode.
        neutral: the most neutral exchanges in hard mode.
        swap: an attribute; each test item whose history shows it without depending on it is followed by one with another value of
            it and the same right answer, for audits of bias.
        twins: each closed test item is followed by one with one attribute and the answer changed, where there is such a change.
        extra: attributes beside the twelve (`kithe.ip_dialog.extra.Extra`).
        stereotypes: what is said of kinds of people (`kithe.ip_dialog.bias.Stereotypes`), for audits of bias.
        stereotyped: share of people who are made so.
        balanced: a protected attribute whose values are dealt out so that each stands equally often beside every role.
    """

    seed: int = 0
    mode: Mode = "hard"
    sampling: Sampling = "fixed"
    duplicates: float | None = 0.97
    distractors: int = 4
    neutral: int = 3
    twins: bool = False
    swap: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    stereotypes: Stereotypes = field(default_factory=dict, hash=False)
    stereotyped: float = 0.0
    balanced: str | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name, value, allowed in (
            ("mode", self.mode, ("official", "hard")),
            ("sampling", self.sampling, ("official", "fixed")),
        ):
            if value not in allowed:
                raise ConfigError(f"{name}={value}: allowed: {', '.join(allowed)}")
        known = self.space.schema
        for name, chosen in (("swap", self.swap), ("balanced", self.balanced)):
            if chosen is not None and chosen not in known.names:
                raise unknown(f"attribute in {name}", chosen, known.names)
        for protected, kinds in self.stereotypes.items():
            for kind_of, roles in kinds.items():
                for pair in ({role: one} for role, values in roles.items() for one in values):
                    known.check({protected: kind_of, **pair})
        if not 0 <= self.stereotyped <= 1:
            raise ConfigError(f"stereotyped={self.stereotyped}: a share between 0 and 1")
        if self.duplicates is not None and not 0 < self.duplicates <= 1:
            raise ConfigError(f"duplicates={self.duplicates}: a cosine above 0 and up to 1, or null to keep all")
        if self.distractors < 1 or self.neutral < 0:
            raise ConfigError(
                f"distractors={self.distractors}, neutral={self.neutral}: at least 1 distractor and 0 neutral exchanges"
            )

    @cached_property
    def space(self) -> Space:
        """What people can be."""
        return space(self.extra)

    def people(self) -> Iterator[Person]:
        """Who asks."""
        drawn = people(self.sampling, self.seed, self.space.schema, self.space.rules)
        return stereotyped(drawn, self.stereotypes, self.stereotyped, self.seed, self.space.rules) if self.stereotyped else drawn


@dataclass
class Pipeline:
    """Makes items.

    Attributes:
        encode: sentence embeddings, for near-duplicates.
        lost: what was left out, by reason, as items are made.
        histories: what shows each combination of related values so far; None where none passed.
    """

    teacher: Teacher
    settings: Settings
    encode: Encode | None = None
    lost: Counter[str] = field(default_factory=Counter)
    histories: dict[str, Shown | None] = field(default_factory=dict)

    def items(self, split: Split, per_task: int | None = None, only: Sequence[str] = ()) -> list[History]:
        """The items of a split, task by task: as many per task as in the published sets, or `per_task`.

        Combinations of related values that are held out appear in `test` only, each once at most; the others in `train` only.
        A task that runs dry gives fewer, and `lost` says by how many.
        """
        wanted = ITEMS[split] if per_task is None else per_task
        return [item for task in (only or tasks()) for item in self._task(task, split, wanted)]

    def _task(self, task: str, split: Split, wanted: int) -> Iterator[History]:
        quota, seen = _Quota(wanted), Seen(self.settings.duplicates, self.encode)
        groups: set[str] = set()
        made = 0
        for one in self._candidates(task, split):
            if (split == "test" and one.question.group in groups) or not quota.open(one.question):
                continue
            item = self._made(one, f"{split}-{task}-{made}")
            if item is None or item.question is None:
                continue
            if seen.again(item):
                self.lost["near-duplicates"] += 1
                continue
            quota.take(one.question)
            self.balance.take(item.question)
            groups.add(one.question.group)
            made += 1
            yield item
            if self.settings.twins and split == "test":
                yield from self._twin(item, one)
            if self.settings.swap and split == "test":
                yield from self._swapped(item, one, self.settings.swap)
            if made == wanted:
                return
        self.lost[f"missing: {task}"] += wanted - made

    def _candidates(self, task: str, split: Split) -> "Iterator[_Candidate]":
        """Steps 1 to 4: requests with their answers, on this split's side of the combinations."""
        for number, (request, person) in enumerate(self._asked(task)):
            question = self._answered(request, person, f"{task}/{number}")
            if question is not None and held_out(question.related) == (split == "test"):
                yield _Candidate(request, question, f"{task}/{number}")

    def _made(self, one: "_Candidate", number: str) -> History | None:
        history = self._history(one.question, one.number)
        return None if history is None else self._assembled(one.question, history, number)

    def _asked(self, task: str) -> Iterator[tuple[Request, Person]]:
        """Steps 1 to 3: requests with the person who asks, domains and subjects in turn."""
        settings = self.settings
        domains = tasks()[task].domains or tuple(sorted({name for info in tasks().values() for name in info.domains}))
        subjects = {domain: self.teacher.subjects(task, domain, self._draw("subjects", task, domain)) for domain in domains}
        drawn = settings.people()
        for turn in range(PERSONS):
            for place in range(max(map(len, subjects.values()))):
                for domain in domains:
                    for subject in subjects[domain][place : place + 1]:
                        person = next(drawn)
                        draw = self._draw("requests", task, domain, subject, turn)
                        yield from ((request, person) for request in self.teacher.requests(task, domain, subject, person, draw))

    def _answered(self, request: Request, person: Person, number: str) -> Question | None:
        """Step 4: the answer, read and checked."""
        found = reading.read(self.teacher.answer(request, person, self._draw("answer", number)))
        said = reading.values(found.answer, tasks()[request.task].form)
        related = found.attributes or {}
        if said is None or found.analysis is None:
            self.lost["answers that could not be read"] += 1
        elif not related or len(related) > MOST or any(person.get(name) != value for name, value in related.items()):
            self.lost["related attributes that are none of the person's"] += 1
        elif not _possible(request, said):
            self.lost["answers out of range"] += 1
        else:
            ordered = {name: related[name] for name in self.settings.space.schema.names if name in related}
            return Question(
                task=request.task,
                form=tasks()[request.task].form,
                domain=request.domain,
                text=request.text,
                related=ordered,
                persona=dict(person),
                analysis=found.analysis,
                answer=said,
                options=request.options,
                group=combination(ordered),
            )
        return None

    def _history(self, question: Question, number: str) -> Shown | None:
        """Steps 5 to 8: the exchanges of a combination of attributes, made once and shared by all its questions."""
        if question.group not in self.histories:
            person = self.balance.settled(question.persona, question.related, self.settings.space.rules)
            self.histories[question.group] = self._written(question.model_copy(update={"persona": person}), number)
        return self.histories[question.group]

    def _written(self, question: Question, number: str) -> Shown | None:
        person, random = question.persona, Random(self._draw("history", number))
        shown: list[str | None] = list(question.related)
        if self.settings.mode == "hard":
            others = [name for name in person if name not in question.related]
            shown += random.sample(others, min(len(others), random.randint(1, self.settings.distractors)))
            shown += [None] * random.randint(0, self.settings.neutral)
            random.shuffle(shown)
        exchanges: list[Exchange] = []
        for place, name in enumerate(shown):
            made = self._exchange(name, question, exchanges, f"{number}/{place}")
            if made is None:
                return None
            exchanges.append(made)
        return person, tuple(exchanges), tuple(shown)

    def _exchange(self, name: str | None, question: Question, earlier: Sequence[Exchange], number: str) -> Exchange | None:
        """Steps 6 to 8 for one exchange; None where it never passes the exam, or contradicts the person."""
        if name is None:
            return self.teacher.filler(question.related, earlier, self._draw("filler", number))
        value = question.persona[name]
        made = self.teacher.exchange(name, value, question.related, earlier, self._draw("exchange", number, 0))
        for turn in range(1, ROUNDS + 1):
            if yes(self.teacher.exam(made, name, value, self._draw("exam", number, turn))):
                break
            self.lost["exchanges sent back by the exam"] += 1
            draw = self._draw("exchange", number, turn)
            again = turn % REGENERATE == 0
            made = (
                self.teacher.exchange(name, value, question.related, earlier, draw)
                if again
                else self.teacher.improve(made, name, value, question.related, draw)
            )
        else:
            self.lost["histories that failed the exam"] += 1
            return None
        if not yes(self.teacher.consistent(made, question.persona, self._draw("consistent", number))):
            self.lost["histories that contradict the person"] += 1
            return None
        return made

    def _assembled(self, question: Question, history: Shown, number: str) -> History:
        """Step 9: one item. The person is the one whose history it is: the two agree in all related attributes."""
        person, exchanges, shown = history
        return History(
            id=f"ipd-{self.settings.mode}-{self.settings.seed}-{number}",
            source="ip_dialog",
            user="user",
            turns=tuple(_turns(exchanges)),
            items=tuple(_items(person, shown)),
            question=question.model_copy(update={"persona": dict(person), "shown": shown}),
        )

    def _twin(self, item: History, one: "_Candidate") -> Iterator[History]:
        """The item with one related attribute changed, in the history too, so that the answer is another one."""
        history = self._history(one.question, one.number)
        if history is None or item.question is None or not isinstance(self.teacher, Twins):
            return
        person = history[0]
        flip = self.teacher.flip(one.request, person)
        if flip is not None:
            other = {**person, flip.name: flip.value}
            related = {name: other[name] for name in item.question.related}
            update = {"related": related, "analysis": flip.analysis, "answer": flip.answer, "group": combination(related)}
            yield from self._replaced(
                item.model_copy(update={"question": item.question.model_copy(update=update)}), one, other, flip.name
            )

    def _swapped(self, item: History, one: "_Candidate", name: str) -> Iterator[History]:
        """The item with another value of an attribute that it shows and does not depend on: the right answer stays."""
        if item.question is None or name in item.question.related or name not in item.question.shown:
            return
        space = self.settings.space
        for other in changed(dict(item.question.persona), name, space.schema, space.rules)[:1]:
            yield from self._replaced(item, one, other, name)

    def _replaced(self, item: History, one: "_Candidate", person: Person, name: str) -> Iterator[History]:
        """The item about a person who differs in one attribute, with the one exchange that shows it written anew."""
        history = self._history(one.question, one.number)
        if history is None or item.question is None:
            return
        question = item.question.model_copy(update={"persona": dict(person), "twin_of": item.id})
        _, exchanges, shown = history
        place = shown.index(name)
        made = self._exchange(name, question, exchanges[:place], f"twin/{name}/{one.number}")
        if made is not None:
            written = (*exchanges[:place], made, *exchanges[place + 1 :])
            twin = self._assembled(question, (person, written, shown), "")
            yield twin.model_copy(update={"id": f"{item.id}-{name.replace(' ', '_')}={person[name].replace(' ', '_')}"})

    def _draw(self, *names: object) -> str:
        return "/".join(map(str, (self._root, *names)))

    @cached_property
    def balance(self) -> Balance:
        """Deals out the protected attribute."""
        name = self.settings.balanced
        return Balance(name, self.settings.space.schema.attributes[name].values if name else ())

    @cached_property
    def _root(self) -> str:
        return f"ip_dialog/{self.settings.seed}/{self.settings.mode}"


@dataclass(frozen=True)
class _Candidate:
    """A request with its answer; `number` names its draws."""

    request: Request
    question: Question
    number: str


@dataclass
class _Quota:
    """Keeps closed answers balanced: no kind of answer gets more than its share of the items wanted, give or take one."""

    wanted: int
    taken: Counter[str] = field(default_factory=Counter)

    def open(self, question: Question) -> bool:
        kinds = KINDS.get(question.task, 0)
        return not kinds or self.taken[kind(question)] < -(-self.wanted // kinds)

    def take(self, question: Question) -> None:
        self.taken[kind(question)] += 1


KINDS: Final[Mapping[str, int]] = {"predict": 2, "decision": 2, "filter": 2, "preference_infer": 3, "rank": 4}


def kind(question: Question) -> str:
    """The kind of a closed answer: the word, how many options, or which option comes first."""
    return str(len(question.answer)) if question.form == "options" else question.answer[0]


def _possible(request: Request, said: Sequence[str]) -> bool:
    form, letters = tasks()[request.task].form, "ABCDE"[: len(request.options)]
    if form == "order":
        return sorted(said) == sorted(letters)
    return set(said) <= set(letters) if form == "options" else True


def _turns(exchanges: Sequence[Exchange]) -> Iterator[Turn]:
    for exchange in exchanges:
        yield Turn(speaker="user", text=exchange.user)
        yield Turn(speaker="assistant", text=exchange.assistant)


def _items(person: Mapping[str, str], shown: Sequence[str | None]) -> Iterator[KnowledgeItem]:
    for place, name in enumerate(shown):
        if name is not None:
            yield KnowledgeItem(
                statement=f"My {name} is {person[name]}.",
                key=name,
                value=person[name],
                inference="implicit",
                evidence=(Evidence(turn=2 * place),),
            )
