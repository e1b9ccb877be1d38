"""A verifier in the store: trained once for its content, whole or not at all, found again by everybody who needs the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kithe.evaluation.agreement import agreement
from kithe.evaluation.verifier.course import Course
from kithe.evaluation.verifier.pairs import Pair, texts
from kithe.metrics import MetricsLog
from kithe.records.base import write_json
from kithe.store import Folder

if TYPE_CHECKING:
    from kithe.training.pairs import CrossEncoder, Text

THRESHOLDS: Final = tuple(step / 100 for step in range(20, 81, 2))
NEIGHBOURS: Final = 3
SLACK: Final = 0.01
CARD: Final = "card.json"


@dataclass(frozen=True)
class Checkpoint:
    """A trained verifier.

    Attributes:
        folder: where its weights and its card are.
        threshold: from which probability on a statement counts as supported; chosen on validation.
    """

    folder: Path
    threshold: float

    @property
    def name(self) -> str:
        """The id of what was learnt."""
        return self.folder.name

    @cached_property
    def network(self) -> "CrossEncoder":
        """The network with its weights, loaded at first use."""
        from kithe.training.pairs import WEIGHTS, network

        return network(self.folder / WEIGHTS)

    def probabilities(self, asked: "Sequence[Text]") -> list[float]:
        """How likely each statement is supported: texts are context, premise, statement."""
        from kithe.training.pairs import probabilities

        return probabilities(self.network, asked)


@lru_cache(maxsize=4)
def checkpoint(course: Course, store: Path, folder: str | None = None) -> Checkpoint:
    """See `build`; kept for this process."""
    return build(course, store, folder)


def build(course: Course, store: Path, folder: str | None = None, progress: bool = False) -> Checkpoint:
    """The verifier of a course, trained if the store does not hold it (minutes on two cores).

    A killed training goes on from its last checkpoint; of several processes that want the same, one trains and the others wait.

    Args:
        course: what it learns.
        store: the root of all folders; verifiers lie in `verifiers/<id>`.
        folder: of the real sets; None for KITHE_DATA, or a download.
        progress: whether a bar is shown.

    Raises:
        ConfigError: the pairs to learn from are not there.
    """
    pairs = course.training(folder)
    place = Folder(store / "verifiers" / course.identity(pairs))
    with place.lock():
        if not place.done:
            place.mark("running")
            _train(course, pairs, course.validation(folder), place.path, progress)
            place.mark("done")
    return Checkpoint(place.path, float(place.read(CARD)["threshold"]))


def summary(found: Checkpoint) -> str:
    """Where a verifier is and what it does on validation, in two lines."""
    held = Folder(found.folder).read(CARD)
    kappa, training = held["validation"]["kappa"], held["training"]
    return (
        f"{found.folder}\n{training['pairs']} pairs, {training['steps']} steps, {training['seconds']:.0f} s; validation: "
        f"kappa {kappa['value']:.3f} [{kappa['low']:.3f}, {kappa['high']:.3f}], n={kappa['n']}, threshold {found.threshold:.2f}\n"
    )


def _train(course: Course, pairs: Sequence[Pair], held_out: Sequence[Pair], place: Path, progress: bool) -> None:
    from kithe.training.pairs import learn

    report = learn(
        texts(pairs),
        [pair.supported for pair in pairs],
        course.learning,
        seed=course.seed,
        folder=place,
        sink=MetricsLog(place / "metrics.jsonl"),
        progress=progress,
    )
    found = Checkpoint(place, 0.5).probabilities(texts(held_out))
    write_json(place / CARD, {**card(course, pairs, held_out, found), "training": report})


def card(course: Course, pairs: Sequence[Pair], held_out: Sequence[Pair], found: Sequence[float]) -> dict[str, Any]:
    """What is to be known about a verifier: what it learnt from, its threshold, and what it does on validation."""
    truth, chosen = [pair.supported for pair in held_out], threshold([pair.supported for pair in held_out], found)
    counts = Counter(f"{pair.kind}/{'supported' if pair.supported else 'unsupported'}" for pair in pairs)
    figures = agreement(truth, [each >= chosen for each in found], [pair.dialogue for pair in held_out], resamples=2000)
    return {"course": asdict(course), "pairs": dict(sorted(counts.items())), "threshold": chosen, "validation": figures}


def threshold(truth: Sequence[bool], probabilities: Sequence[float]) -> float:
    """The highest threshold whose kappa, averaged over its neighbourhood, is within 0.01 of the best.

    Where several do about as well, the highest is wanted: in a long history the best of several passages counts, and each of them
    can be taken for evidence by mistake.
    """
    values = [_kappa(truth, [each >= candidate for each in probabilities]) for candidate in THRESHOLDS]

    def around(index: int) -> float:
        near = values[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]
        return sum(near) / len(near)

    smooth = [around(index) for index in range(len(THRESHOLDS))]
    return max(value for value, kappa in zip(THRESHOLDS, smooth, strict=True) if kappa >= max(smooth) - SLACK)


def _kappa(truth: Sequence[bool], said: Sequence[bool]) -> float:
    n, yes, judged = len(truth), sum(truth), sum(said)
    chance = (yes * judged + (n - yes) * (n - judged)) / n**2
    return 0.0 if chance == 1 else (sum(a == b for a, b in zip(truth, said, strict=True)) / n - chance) / (1 - chance)
