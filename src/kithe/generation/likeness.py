"""How a corpus is like what its writer was shown: echoes of exemplars, and distances from the distributions of a log."""

from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from kithe.dialogues.exemplars import Echoes, Exemplars
from kithe.dialogues.targets import FromLog, Tally, Targets, report
from kithe.errors import ConfigError
from kithe.records.history import History

MOST_ECHOES: Final = 0.01  # share of user turns that may repeat an exemplar


@runtime_checkable
class Shown(Protocol):
    """A teacher that is shown exemplars."""

    @property
    def exemplars(self) -> Exemplars:
        """They."""


@dataclass
class Likeness:
    """Counts over the dialogues of a corpus, as they pass."""

    exemplars: Exemplars | None = None
    targets: Targets | None = None
    turns: int = 0
    echoes: int = 0
    tally: Tally = field(default_factory=Tally)

    @classmethod
    def of(cls, teacher: object) -> "Likeness":
        """What to count for a teacher."""
        targets = getattr(teacher, "targets", None)
        fitted = targets.fitted() if isinstance(targets, FromLog | Targets) else None
        return cls(teacher.exemplars if isinstance(teacher, Shown) else None, fitted)

    def __post_init__(self) -> None:
        self._bank = Echoes(self.exemplars.lines()) if self.exemplars else None

    def add(self, text: bytes) -> None:
        """Count a dialogue, given as the JSON text of its record."""
        history = History.model_validate_json(text)
        for turn in history.turns if self._bank else ():
            if turn.speaker == history.user:
                self.turns += 1
                self.echoes += bool(self._bank and self._bank.found(turn.text))
        if self.targets:
            self.tally.add(history)

    def report(self) -> dict[str, Any]:
        """Plain JSON values for the card.

        Raises:
            ConfigError: more of the users' turns repeat an exemplar than may.
        """
        found = dict[str, Any]()
        if self._bank:
            share = self.echoes / max(1, self.turns)
            lines = len(self._bank.exemplars)
            if share >= MOST_ECHOES and self.turns >= 1 / MOST_ECHOES:
                raise ConfigError(
                    f"{self.echoes} of {self.turns} user turns repeat one of the {lines} exemplars; less than "
                    f"{MOST_ECHOES:.0%} may: this corpus is not published (other exemplars: teacher/exemplars=hand_written)"
                )
            found["exemplars"] = {"bank": type(self.exemplars).__name__, "lines": lines, "user_turns": self.turns,
                                  "echo_share": round(share, 5)}  # fmt: skip
        if self.targets:
            own = report(self.tally.histograms(), self.targets)
            found["targets"] = {
                "histories": round(self.targets.histograms.histories, 1),
                "epsilon": self.targets.histograms.epsilon,
                "distance": {name: {kind: round(value, 4) for kind, value in values.items()} for name, values in own.items()},
            }
        return found
