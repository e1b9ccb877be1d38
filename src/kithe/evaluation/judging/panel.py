"""Several judges that vote, criterion by criterion; each is an option of its own, so no model need judge its own family alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from kithe.errors import ConfigError, enough_resamples
from kithe.evaluation.judges import Judge, Scores
from kithe.evaluation.judging.items import ItemJudge, judged_scores
from kithe.evaluation.judging.kept import kept
from kithe.evaluation.judging.verdicts import Question, Scored, Unread, Unscored, Vote, decide
from kithe.records.chat import Prediction
from kithe.records.history import History


@dataclass(frozen=True)
class Panel:
    """Judges of single items and the majority of their verdicts.

    Attributes:
        members: name -> judge.
        quorum: an item is scored only if so many members have a verdict; None for more than half of them.
        resamples: of the bootstrap over users.
    """

    members: Mapping[str, ItemJudge]
    quorum: int | None = None
    resamples: int = 10_000

    def __post_init__(self) -> None:
        """Check the members.

        Raises:
            ConfigError: there are too few, one cannot judge single items, or the quorum is impossible.
        """
        enough_resamples("judge.resamples", self.resamples)
        if len(self.members) < 2:
            raise ConfigError(f"judge.members: {len(self.members)} is no panel; name at least two, better three")
        for name, member in self.members.items():
            if not hasattr(member, "verdicts"):
                raise ConfigError(f"judge.members.{name}: {type(member).__name__} cannot be asked about single items")
        if self.quorum is not None and not 1 <= self.quorum <= len(self.members):
            raise ConfigError(f"judge.quorum={self.quorum}: between 1 and the number of members, {len(self.members)}")

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Judged precision of the predictions (`Judge.score`)."""
        return judged_scores(self, histories, predictions, self.resamples, self.settings)

    def keeping(self, path: Path, stop: Callable[[], bool] = lambda: False) -> Judge:
        """The panel with its members' verdicts in a file."""
        members = {name: cast(Any, kept(cast(Judge, member), path, stop)) for name, member in self.members.items()}
        return replace(self, members=members)

    def anew(self) -> "Panel":
        """The panel with every member asked again."""
        return replace(self, members={name: again(member) for name, member in self.members.items()})

    @property
    def name(self) -> str:
        """The members' names."""
        return f"panel of {', '.join(str(getattr(member, 'name', name)) for name, member in self.members.items())}"

    @property
    def content(self) -> str | None:
        """What counts of the members besides the config."""
        found = [str(each) for member in self.members.values() if (each := getattr(member, "content", None))]
        return " ".join(found) or None

    @property
    def settings(self) -> dict[str, Any]:
        """What a result says about the judge."""
        plain = {name: getattr(member, "judge", member) for name, member in self.members.items()}
        return {"panel": {name: getattr(member, "settings", {}) for name, member in plain.items()}, "quorum": self.needed}

    @property
    def needed(self) -> int:
        """How many members must have a verdict."""
        return self.quorum if self.quorum is not None else len(self.members) // 2 + 1

    def verdicts(self, questions: Sequence[Question]) -> list[Scored | Unscored]:
        """See `ItemJudge.verdicts`; a tie is no verdict."""
        said = {name: member.verdicts(questions) for name, member in self.members.items()}
        return [
            self._decided(question, {name: verdicts[place] for name, verdicts in said.items()})
            for place, question in enumerate(questions)
        ]

    def _decided(self, question: Question, said: Mapping[str, Scored | Unscored]) -> Scored | Unscored:
        votes = tuple(_vote(name, verdict) for name, verdict in said.items())
        heard = sum(isinstance(vote, Vote) for vote in votes)
        if heard >= self.needed:
            return decide(question, votes)
        silent = any(isinstance(verdict, Unscored) and verdict.again for verdict in said.values())
        reason = f"{heard} of {len(votes)} judges have a verdict"
        return Unscored(item=question.id, user=question.history.id, reason=reason, votes=votes, again=silent)


def again(judge: ItemJudge) -> ItemJudge:
    """The judge with nothing remembered, where it can forget."""
    anew = getattr(judge, "anew", None)
    return cast(ItemJudge, anew()) if anew is not None else judge


def _vote(name: str, verdict: Scored | Unscored) -> Vote | Unread:
    if isinstance(verdict, Unscored):
        return Unread(unread=f"{name}: {verdict.reason}")
    said = verdict.model_dump(include={"relevance", "sensibility", "quote", "relevance_reason", "sensibility_reason"})
    return Vote(**{**said, "relevance_reason": f"{name}: {verdict.relevance_reason}".rstrip(": ")})
