"""What a judge is worth: the forty cases, the challenge set, every probe, and people's labels where there are some."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, cast

from kithe.errors import ConfigError
from kithe.evaluation.agreement import agreement
from kithe.evaluation.judging.cases import Case, cases
from kithe.evaluation.judging.items import ItemJudge
from kithe.evaluation.judging.panel import Panel, again
from kithe.evaluation.judging.probes import PROBES, Change, injections, ordered_about, same_family, shift
from kithe.evaluation.judging.rules import RulesJudge, Truth
from kithe.evaluation.judging.validation import Label, Labels, Validation, validate
from kithe.evaluation.judging.verdicts import Question, Scored, Unscored, Verdict
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES

CRITERIA: Final = ("relevance", "sensibility", "correct")
RETEST: Final = "test-retest"
ORDER: Final = "order swap"
Figures = Mapping[str, Mapping[str, Metric]]


@dataclass(frozen=True)
class Set:
    """A judge against known verdicts.

    Attributes:
        asked: how many items.
        right: how many are scored as they should be, in every criterion that is known.
        unscored: how many have no verdict.
        agreement: criterion -> figures of `kithe.evaluation.agreement.agreement`, over the scored ones.
        wrong: the items that are not right, with what was expected and what was said.
    """

    asked: int
    right: int
    unscored: int
    agreement: Figures
    wrong: list[dict[str, Any]]


@dataclass(frozen=True)
class Audit:
    """Everything about one judge; `as_dict` is what stands in its file."""

    judge: str
    settings: Mapping[str, Any]
    cases: Set
    probes: list[dict[str, Any]]
    challenge: Set | None = None
    labels: Validation | None = None
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; what was not done is left out."""
        found = {key: value for key, value in asdict(self).items() if value is not None}
        if self.labels is not None:
            precision = {
                name: {key: float(getattr(each, key)) for key in ("value", "low", "high")}
                for name, each in self.labels.precision.items()
            }
            found["labels"] = {**found["labels"], "precision": precision}
        return found


def audit(
    judge: ItemJudge,
    labelled: tuple[Sequence[Question], Labels] | None = None,
    half: str = "development",
    generator: str | None = None,
    limit: int | None = None,
    tell: Callable[[str], object] = lambda text: None,
    resamples: int = RESAMPLES,
) -> Audit:
    """Ask a judge about everything.

    Args:
        judge: asked anew for test-retest if it can forget (`anew`); otherwise simply twice.
        labelled: items with people's labels of them.
        half: of the challenge set: `development`, `report` (to be read once a version) or `none`.
        generator: the name of the model whose items it will judge, for a warning.
        limit: the probes take so many of the cases (None: all).
        tell: is told what is done next.
        resamples: of the bootstraps.

    Raises:
        ConfigError: it cannot be asked about single items.
    """
    if not hasattr(judge, "verdicts"):
        raise ConfigError(
            f"{type(judge).__name__} cannot be asked about single items; audit endpoint, local, panel, rules or verifier"
        )
    judge, asked = informed(judge), [case for case in cases() if case.duplicate_of is None]
    tell("the forty cases")
    said = judge.verdicts([case.question for case in asked])
    known = on_cases(asked, said, resamples)
    found = list(probed(judge, asked[:limit], said[:limit], tell, resamples))
    pairs = challenge(half)
    if pairs:
        tell(f"the challenge set ({half})")
    return Audit(
        judge=str(getattr(judge, "name", type(judge).__name__)),
        settings=dict(getattr(judge, "settings", {})),
        cases=known,
        probes=found,
        challenge=on_pairs(pairs, judge.verdicts([question for question, _, _ in pairs]), resamples) if pairs else None,
        labels=against_people(judge, *labelled, tell, resamples) if labelled else None,
        warnings=warnings(judge, generator, labelled, known),
    )


def informed(judge: ItemJudge) -> ItemJudge:
    """A simulated judge told the cases' truth, since their histories carry no gold facts; any other as it is."""
    if isinstance(judge, Panel):
        return replace(judge, members={name: informed(member) for name, member in judge.members.items()})
    if isinstance(judge, RulesJudge) and judge.truth is None:
        return replace(judge, truth=lambda questions: _truths(judge, questions))
    return judge


def on_cases(asked: Sequence[Case], said: Sequence[Verdict], resamples: int) -> Set:
    """The cases against what was said of them."""
    truth = [{name: getattr(case, name) for name in CRITERIA} for case in asked]
    return compared([case.statement for case in asked], truth, said, resamples)


def on_pairs(pairs: Sequence[tuple[Question, bool, str]], said: Sequence[Verdict], resamples: int) -> Set:
    """Pairs of words and a statement with known support, which is relevance; intervals over pairs that share the words."""
    truth = [{"relevance": supported} for _, supported, _ in pairs]
    return compared(
        [question.item.statement for question, _, _ in pairs], truth, said, resamples, [group for _, _, group in pairs]
    )


def compared(
    names: Sequence[str],
    truth: Sequence[Mapping[str, bool]],
    said: Sequence[Verdict],
    resamples: int,
    users: Sequence[str] | None = None,
) -> Set:
    """What is known of items against a judge's verdicts on them."""
    scored = [place for place, verdict in enumerate(said) if isinstance(verdict, Scored)]
    figures = {
        criterion: agreement(
            [truth[place][criterion] for place in scored],
            [bool(getattr(said[place], criterion)) for place in scored],
            [users[place] for place in scored] if users else None,
            resamples,
        )
        for criterion in (truth[0] if scored else ())
    }
    wrong = [
        {"statement": names[place], **{f"expected {key}": value for key, value in truth[place].items()}, **shown(verdict)}
        for place, verdict in enumerate(said)
        if not (isinstance(verdict, Scored) and all(getattr(verdict, key) == value for key, value in truth[place].items()))
    ]
    return Set(len(said), len(said) - len(wrong), len(said) - len(scored), figures, wrong)


def shown(verdict: Verdict) -> dict[str, Any]:
    """What was said of one item, for a list of mistakes."""
    if isinstance(verdict, Scored):
        why = "; ".join(filter(None, (verdict.relevance_reason, verdict.sensibility_reason)))
        return {"relevance": verdict.relevance, "sensibility": verdict.sensibility, "why": why}
    return {"relevance": None, "sensibility": None, "why": verdict.reason if isinstance(verdict, Unscored) else ""}


def probed(
    judge: ItemJudge, asked: Sequence[Case], before: Sequence[Scored | Unscored], tell: Callable[[str], object], resamples: int
) -> "list[dict[str, Any]]":
    """How verdicts move under each probe and each order in the conversation, of the cases it applies to."""
    changes: dict[str, Change] = dict(PROBES)
    changes |= {f"injection: {each.name}": ordered_about(each) for each in injections()}
    toward = {f"injection: {each.name}": each.toward for each in injections()}
    rows = []
    for name, change in changes.items():
        tell(name)
        usable = [case for case in asked if not (name == ORDER and case.ordered)]
        pairs = [(place, changed) for place, case in enumerate(asked) if case in usable and (changed := change(case.question))]
        after = (again(judge) if name == RETEST else judge).verdicts([changed for _, changed in pairs])
        found = shift([before[place] for place, _ in pairs], after, len(asked) - len(pairs), resamples)
        rows.append({"probe": name, **({"asks for": toward[name]} if name in toward else {}), **asdict(found)})
    return rows


def challenge(half: str) -> list[tuple[Question, bool, str]]:
    """Question, whether the words support it, and the words' group, for every pair of the hand-written challenge set."""
    if half == "none":
        return []
    try:
        room = importlib.import_module("kithe.evaluation.verifier.challenge")
    except ImportError:
        return []
    pairs = room.challenge(half)
    return [(room.question(pair, number), bool(pair.supported), str(pair.dialogue)) for number, pair in enumerate(pairs)]


def against_people(
    judge: ItemJudge, questions: Sequence[Question], labels: Labels, tell: Callable[[str], object], resamples: int
) -> Validation:
    """The judge's verdicts on the labelled items against people's."""
    tell("people's labels")
    named = {label.item for label in labels.rows}
    verdicts = judge.verdicts([question for question in questions if question.id in named])
    return validate(verdicts, cast(Sequence[Label], labels.rows), resamples)


def warnings(
    judge: ItemJudge, generator: str | None, labelled: tuple[Sequence[Question], Labels] | None, known: Set
) -> list[str]:
    """What a reader should know before believing any figure."""
    found = families(judge, generator) if generator else []
    if getattr(judge, "settings", {}).get("simulated"):
        found.append("this judge is simulated: it was told the cases' truth, and its figures say nothing about any model")
    if known.unscored:
        found.append(f"{known.unscored} of {known.asked} cases have no verdict")
    problems = labelled[1].problems() if labelled else []
    single = labelled[1].single() if labelled else []
    found += problems + ([f"{len(single)} items have the label of one person only, such as {single[0]}"] if single else [])
    return found


def families(judge: object, generator: str) -> list[str]:
    """A warning for every model among the judges that shares its family with the model whose items are judged."""
    members = list(judge.members.values()) if isinstance(judge, Panel) else [judge]
    warned = (same_family(_model(str(getattr(member, "name", ""))), _model(generator)) for member in members)
    return [text for text in warned if text]


def _model(name: str) -> str:
    """A model's name without where it runs."""
    return name.split("@")[0].removesuffix(" (local)")


def _truths(judge: RulesJudge, questions: Sequence[Question]) -> list[Truth]:
    """The cases' truth for cases, and the gold facts' for everything else."""
    known = {case.question.id: Truth(case.relevance, case.sensibility) for case in cases()}
    others = [question for question in questions if question.id not in known]
    rest = iter(judge.by_gold(others) if others else ())
    return [known[question.id] if question.id in known else next(rest) for question in questions]
