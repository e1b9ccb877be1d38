"""`data=ppopt`: states from simulated conversations. One session of a user is the new message, the others are the past."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Literal

from kithe.corpora.source import Split
from kithe.errors import ConfigError, at_least
from kithe.gym.corpus import Atlas, split_of
from kithe.gym.records import Trajectory
from kithe.ppopt import output
from kithe.ppopt.states import evidence, question, state
from kithe.ppopt.teacher import ColdStart, Target
from kithe.records.history import History, Turn
from kithe.records.question import Question

_CHUNK = 64  # states a teacher is asked about at once


@dataclass(frozen=True)
class PPOptStates:
    """One state a user: past sessions, a new message, and hidden beside it what is true of the user.

    Attributes:
        atlas: the conversations.
        choose: which session is the new message: any, at `random`, or, as upstream, the one with the `fewest` turns, which picks
            messages that are easily answered (defect U7).
        cold: who writes targets for the cold start; None: nobody.
        users: at most so many of a split; None: all.
        past: so many past sessions at most, the last ones; None: all.
        swapped: the past of another user instead of one's own: a control, with which personalisation must drop.
        name: in results.
    """

    atlas: Atlas = field(default_factory=Atlas)
    choose: Literal["random", "fewest"] = "random"
    cold: ColdStart | None = None
    users: int | None = None
    past: int | None = None
    swapped: bool = False
    name: str = "ppopt"
    _made: dict[Split, "Made"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: there is no past.
        """
        if self.atlas.sessions < 2:
            raise ConfigError(f"data.atlas.sessions={self.atlas.sessions}: at least 2, one of which is the new message")
        if self.users is not None:
            at_least("data.users", self.users, 1)
        if self.past is not None:
            at_least("data.past", self.past, 0)

    @property
    def scripted(self) -> bool:
        """Users are scripted, and so are targets unless a model writes them."""
        return self.cold is None or self.cold.teacher.scripted

    @property
    def fields(self) -> frozenset[str]:
        """A new message at the end."""
        return frozenset({"question"})

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The states of a split; the corpus has a seed of its own, `seed` orders the train split."""
        order = list(self.states(split)[0])
        if split == "train":
            Random(f"{seed}/ppopt").shuffle(order)
        yield from order

    def losses(self, split: Split) -> Mapping[str, int]:
        """Targets that did not pass, by reason."""
        return self.states(split)[1]

    def states(self, split: Split) -> "Made":
        """The states of a split in order, with what was lost; made once."""
        if split not in self._made:
            self._made[split] = _states(self, split)
        return self._made[split]


Made = tuple[tuple[History, ...], Mapping[str, int]]


def _states(source: PPOptStates, split: Split) -> Made:
    indices = [index for index in range(source.atlas.personas) if split_of(f"u{index:05d}") == split][: source.users]
    made = [_state(source, list(source.atlas.trajectories(index))) for index in indices]
    if source.swapped and len(made) < 2:
        raise ConfigError(f"data.swapped=true: the {split} split has {len(made)} user(s), and another's past needs two")
    if source.swapped:
        made = [one.model_copy(update={"turns": other.turns}) for one, other in zip(made, [*made[1:], *made[:1]], strict=True)]
    if source.cold is None or split == "test":
        return tuple(made), {}
    lost: Counter[str] = Counter()
    taught = [one for one in made if _place(one.id) < source.cold.share]
    targets: dict[str, Target | None] = {}
    for start in range(0, len(taught), _CHUNK):
        chunk = taught[start : start + _CHUNK]
        passed = source.cold.filters.passed(chunk, source.cold.teacher.write(chunk), lost)
        targets.update(zip([one.id for one in chunk], passed, strict=True))
    # A training state whose target did not pass is left out: those that rewards teach about are to be drawn as held-out ones are.
    kept = made if split == "validation" else [one for one in made if targets.get(one.id, ()) is not None]
    return tuple(_with(one, targets.get(one.id)) for one in kept), dict(lost)


def _place(name: str) -> float:
    return int(sha256(f"{name}/cold".encode()).hexdigest()[:8], 16) / 16**8


def _with(history: History, target: Target | None) -> History:
    if target is None:
        return history
    update = {"analysis": target.reasoning, "answer": (target.prompt,)}
    return history.model_copy(update={"question": question(history).model_copy(update=update)})


def _state(source: PPOptStates, talks: Sequence[Trajectory]) -> History:
    first = talks[0]
    target = Random(f"{source.atlas.seed}/target/{first.persona_id}").randrange(len(talks))
    if source.choose == "fewest":
        target = min(range(len(talks)), key=lambda place: (talks[place].turns, place))
    now, past = talks[target], [talk for place, talk in enumerate(talks) if place != target]
    past = past if source.past is None else past[len(past) - min(len(past), source.past) :]
    turns = [
        Turn(speaker=message.role, text=message.content, session=number)
        for number, talk in enumerate(past, 1)
        for message in talk.messages
    ]
    own = History(
        id=f"{source.name}-{first.persona_id}",
        source=source.name,
        user="user",
        turns=tuple(turns),
        question=Question(
            task="rewrite", form="text", domain=now.persona["domain"], text=now.messages[0].content, persona=now.persona
        ),
    )
    true = output.wishes(now.persona)
    told = {name: value for name, (value, _) in evidence(state(own)).items() if true.get(name) == value}
    return own.model_copy(update={"question": question(own).model_copy(update={"related": told})})
