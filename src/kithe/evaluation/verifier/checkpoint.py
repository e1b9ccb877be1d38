"""A verifier in the store: trained once for its content, whole or not at all, found again by everybody who needs the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kithe.evaluation.agreement import agreement
from kithe.evaluation.judging.verdicts import Question
from kithe.evaluation.matching import default_encoder
from kithe.evaluation.verifier.course import Course
from kithe.evaluation.verifier.looking import look
from kithe.evaluation.verifier.pairs import PEOPLE, Pair, texts
from kithe.evaluation.verifier.readout import Readout, apart, features, fit
from kithe.metrics import MetricsLog
from kithe.records.base import write_json
from kithe.store import Folder

if TYPE_CHECKING:
    from kithe.training.pairs import CrossEncoder, Text

THRESHOLDS: Final = tuple(step / 100 for step in range(20, 99, 2))
NEIGHBOURS: Final = 3
SLACK: Final = 0.01
CARD: Final = "card.json"
SPLIT_KINDS: Final = (PEOPLE, "msc")  # of pairs from a validation split, those that count first; the others are the challenge's
PASSAGES: Final = 4  # as the judge reads by default


@dataclass(frozen=True)
class Checkpoint:
    """A trained verifier.

    Attributes:
        folder: where its weights and its card are.
        threshold: from which probability on a statement counts as supported by given words; chosen on validation.
        searched: the same where the words are the best of several passages of a longer history.
        readout: what is made of the network's probability; None for that itself.
    """

    folder: Path
    threshold: float
    searched: float
    readout: Readout | None = None

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
        known = self.bare(asked)
        return known if self.readout is None else self.readout(features(asked, known, default_encoder()))

    def bare(self, asked: "Sequence[Text]") -> list[float]:
        """The same by the network alone; what it has read it remembers, for many cells predict the same items."""
        from kithe.training.pairs import probabilities

        fresh = [text for text in dict.fromkeys(asked) if text not in self._known]
        self._known.update(zip(fresh, probabilities(self.network, fresh), strict=True))
        return [self._known[text] for text in asked]

    @cached_property
    def _known(self) -> "dict[Text, float]":
        return {}


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
            _train(course, pairs, folder, place.path, progress)
            place.mark("done")
    held = place.read(CARD)
    return Checkpoint(place.path, held["threshold"], held["threshold_searched"], Readout.of(held["readout"]))


def summary(found: Checkpoint) -> str:
    """Where a verifier is and what it does on validation, in two lines."""
    held = Folder(found.folder).read(CARD)
    kappa, training = held["validation"]["kappa"], held["training"]
    return (
        f"{found.folder}\n{training['pairs']} pairs, {training['steps']} steps, {training['seconds']:.0f} s; validation: "
        f"kappa {kappa['value']:.3f} [{kappa['low']:.3f}, {kappa['high']:.3f}], n={kappa['n']}, threshold {found.threshold:.2f}\n"
    )


def _train(course: Course, pairs: Sequence[Pair], folder: str | None, place: Path, progress: bool) -> None:
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
    found = card(course, course.fitting(folder), Checkpoint(place, 0.5, 0.5))
    found |= {"threshold_searched": searched_threshold(course.lookups(folder), _read_by(place, found))}
    counts = Counter(f"{pair.kind}/{'supported' if pair.supported else 'unsupported'}" for pair in pairs)
    write_json(place / CARD, {"course": asdict(course), "pairs": dict(sorted(counts.items())), **found, "training": report})


def card(course: Course, held_out: Sequence[Pair], trained: Checkpoint) -> dict[str, Any]:
    """The read-out of a trained network, its threshold, and what it does on validation.

    The read-out is fitted on the held-out pairs, of which only those that people labelled count for threshold and figures (if
    there are none, those of Multi-Session Chat); each of them is read by a read-out that was fitted without its dialogue.
    """
    asked, truth = texts(held_out), [pair.supported for pair in held_out]
    known = features(asked, trained.bare(asked), default_encoder())
    groups = [pair.dialogue.rsplit("-", 1)[0] if pair.kind in SPLIT_KINDS else pair.dialogue for pair in held_out]
    crossed = apart(known, truth, groups)
    counted = next(kind for kind in (*SPLIT_KINDS, held_out[0].kind) if any(pair.kind == kind for pair in held_out))
    some = [at for at, pair in enumerate(held_out) if pair.kind == counted]
    right, read = [truth[at] for at in some], [crossed[at] for at in some]
    chosen = threshold(right, read)
    figures = agreement(right, [each >= chosen for each in read], [held_out[at].dialogue for at in some], resamples=2000)
    return {"threshold": chosen, "readout": fit(known, truth).card(), "validation": figures}


def searched_threshold(asked: Sequence[tuple[Question, bool]], reader: Checkpoint) -> float:
    """The threshold for the best of several passages: chosen on facts of a user and of another, in the user's long history."""
    if not asked:
        return reader.threshold
    looked = look([question for question, _ in asked], PASSAGES, default_encoder(), reader.probabilities)
    return threshold([truth for _, truth in asked], [each.highest for each in looked])


def _read_by(place: Path, found: dict[str, Any]) -> Checkpoint:
    return Checkpoint(place, found["threshold"], found["threshold"], Readout.of(found["readout"]))


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
