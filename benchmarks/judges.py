"""How good the judges are that need no language model: `python -m benchmarks.judges [--small]`; minutes with a trained verifier.

The verifier on people's labels (`judge_pairs/test`), on the hand-written challenge (its half for reporting) and on the forty
cases; what it finds in long histories of Multi-Session Chat, where people marked the evidence; and orders to the judge. The
test split and the report half are read here and nowhere else; choices are made on validation and the half for development.
"""

import argparse
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import write
from kithe.corpora.real import RealSet
from kithe.evaluation.agreement import agreement
from kithe.evaluation.judging.cases import cases, examine
from kithe.evaluation.judging.items import ItemJudge
from kithe.evaluation.judging.probes import PROBES, inject, probe
from kithe.evaluation.judging.rules import RulesJudge, Truth
from kithe.evaluation.judging.verdicts import Question, Scored
from kithe.evaluation.matching import default_encoder
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import Ratio, by_user, interval
from kithe.evaluation.verifier.challenge import by_slice, challenge, question
from kithe.evaluation.verifier.checkpoint import CARD, build
from kithe.evaluation.verifier.judge import Verifier, VerifierFilter, VerifierJudge
from kithe.evaluation.verifier.pairs import Pair, people, texts
from kithe.evaluation.verifier.retrieval import nearest, pieces, searched
from kithe.records.history import History, KnowledgeItem
from kithe.store import Folder

DEPTHS = (1, 2, 4, 8)
Rows = list[dict[str, Any]]


def rows_of(measure: str, judge: str, figures: dict[str, Metric], **more: Any) -> dict[str, Any]:
    """One row of the result."""
    return {"measure": measure, "judge": judge, **more, "figures": figures}


def on_pairs(verifier: Verifier, pairs: Sequence[Pair], measure: str) -> tuple[Rows, dict[str, Metric]]:
    """The network alone and with its rules on labelled pairs; the second figure is that of the judge."""
    truth, dialogues = [pair.supported for pair in pairs], [pair.dialogue for pair in pairs]
    bare = [found >= 0.5 for found in verifier.checkpoint.bare(texts(pairs))]
    read = [found >= verifier.checkpoint.threshold for found in verifier.checkpoint.probabilities(texts(pairs))]
    votes = verifier.votes([question(pair, number) for number, pair in enumerate(pairs)])
    whole = agreement(truth, [vote.relevance for vote in votes], dialogues)
    rows = [
        rows_of(measure, "verifier, network alone", agreement(truth, bare, dialogues)),
        rows_of(measure, "verifier, without rules", agreement(truth, read, dialogues)),
        rows_of(measure, "verifier", whole),
    ]
    if measure == "challenge":
        slices = by_slice(pairs, [vote.relevance for vote in votes])
        rows += [rows_of(measure, "verifier", found, slice=name) for name, found in slices.items()]
    return rows, whole


def on_cases(judge: ItemJudge, name: str) -> dict[str, Any]:
    """A judge on the forty cases, and which it gets wrong."""
    figures, wrong = examine(judge)
    return {
        "measure": "cases",
        "judge": name,
        **figures,
        "wrong": [case.n for case in wrong],
    }


def simulated() -> RulesJudge:
    """The simulated judge with its usual errors, told what is true of the cases."""
    known = {f"case-{case.n}": Truth(case.relevance, case.sensibility) for case in cases()}
    return RulesJudge(truth=lambda asked: [known[each.id] for each in asked])


def recall(histories: Sequence[History]) -> tuple[Rows, dict[str, Any]]:
    """How often one of the turns that people marked is among the first passages, over all facts; intervals over histories."""
    encoder, hits, users = default_encoder(), [], []
    encoder.encode([item.statement for history in histories for item in history.items])
    encoder.encode([text for history in histories for text in searched(pieces(history))])
    for history in histories:
        found = pieces(history)
        for item in history.items:
            marked = {part.turn for part in item.evidence}
            ranks = [found[index].turn for index in nearest(found, item.statement, encoder, max(DEPTHS))]
            hits.append([float(bool(marked & set(ranks[:depth]))) for depth in DEPTHS] + [1.0])
            users.append(history.id)
    sums, ids = by_user(users, np.array(hits)), tuple(dict.fromkeys(users))
    rows, summary = [], {}
    for place, depth in enumerate(DEPTHS):
        ratio = Ratio(ids, sums[:, place], sums[:, -1])
        low, high = interval(ratio)
        figure = Metric(value=ratio.value, low=low, high=high, n=len(hits))
        rows.append({"measure": "retrieval", "depth": depth, "histories": len(ids), "recall": figure})
        summary[f"retrieval_recall_at_{depth}"] = ratio.value
    return rows, summary


def on_histories(judge: VerifierJudge, histories: Sequence[History], each: int) -> tuple[dict[str, Any], list[Question]]:
    """Facts of a user against facts of another user of the same set, both asked about the user's long history."""
    draw = random.Random(0)
    asked: list[Question] = []
    truth: list[bool] = []
    for place, history in enumerate(histories):
        other = histories[(place + 1) % len(histories)]
        for own, source in ((True, history), (False, other)):
            for item in draw.sample(source.items, min(each, len(source.items))):
                asked.append(Question(f"{history.id}#{len(asked)}", history, KnowledgeItem(statement=item.statement)))
                truth.append(own)
    said = judge.verdicts(asked)
    relevant = [isinstance(verdict, Scored) and verdict.relevance for verdict in said]
    figures = agreement(truth, relevant, [each_.history.id for each_ in asked])
    words = [sum(len(turn.text.split()) for turn in history.turns) for history in histories]
    row = rows_of("histories", "verifier", figures, histories=len(histories), mean_words=sum(words) / len(words))
    return row, asked


def probes(judge: VerifierJudge, asked: Sequence[Question]) -> Rows:
    """What must not move a verdict: the usual probes, and orders to the judge."""
    moved = {name: probe(judge, asked, change) for name, change in PROBES.items()}
    ordered = inject(judge, asked)
    every = [("probe", name, found) for name, found in moved.items()] + [
        ("order", name, found) for name, found in ordered.items()
    ]
    return [{"measure": kind, "judge": "verifier", "name": name, **vars(found)} for kind, name, found in every]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few histories and no probes")
    parser.add_argument("--filter", action="store_true", help="the filter's verifier too, which is trained if need be")
    options = parser.parse_args()
    small = options.small
    started, load = time.perf_counter(), os.getloadavg()[0]
    store = Path(os.environ.get("KITHE_STORE", "outputs"))
    trained = build(Verifier().course, store, progress=True)
    judge = VerifierJudge(Verifier(store=str(store)))
    training = Folder(trained.folder).read(CARD)["training"]

    fresh, clock = texts(people("test")), time.perf_counter()
    judge.verifier.checkpoint.probabilities(fresh)
    pairs_per_s = len(fresh) / (time.perf_counter() - clock)
    rows, found = on_pairs(judge.verifier, people("test"), "judge_pairs/test")
    more, hard = on_pairs(judge.verifier, list(challenge("report")), "challenge")
    print(f"kappa: {found['kappa']}; challenge: {hard['kappa']}", flush=True)
    rows += more
    rows += (known := [on_cases(judge, "verifier"), on_cases(simulated(), "rules (simulated)")])
    histories = list(RealSet("msc").histories("test", 0))[: 10 if small else 40]
    more, recalled = recall(histories)
    row, asked = on_histories(judge, histories[: 5 if small else 20], 6)
    rows += [*more, row, *([] if small else probes(judge, asked[::24]))]

    summary = {
        **{f"kappa_verifier{end}": found["kappa"][key] for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))},
        **{f"kappa_challenge{end}": hard["kappa"][key] for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))},
        "kappa_cases_verifier": known[0]["correct"]["kappa"]["value"],
        "kappa_cases_rules": known[1]["correct"]["kappa"]["value"],
        "kappa_histories": row["figures"]["kappa"]["value"],
        **recalled,
        "verifier_train_s": training["seconds"],
        "verifier_train_cpu_s": training.get("cpu_s"),
        "pairs_per_s": pairs_per_s,
        "pairs_test": len(people("test")),
        "pairs_challenge": len(challenge("report")),
    }
    if options.filter:
        other = VerifierFilter().verifier
        other = Verifier(other.course, str(store))
        more, filtered = on_pairs(other, people("test"), "judge_pairs/test")
        rows += [{**each, "judge": each["judge"].replace("verifier", "filter")} for each in more]
        summary["kappa_filter"] = filtered["kappa"]["value"]
    name = "judges_small" if small else "judges"
    command = f"python -m benchmarks.judges{' --small' if small else ''}"
    path = write(
        name,
        command,
        rows,
        summary,
        seconds=time.perf_counter() - started,
        load={
            "at_start": load,
            "training": "verifier_train_s is wall time under whatever else ran; cpu_s is of both cores together",
        },
        verifier=trained.name,
        training=training,
    )
    for key, value in summary.items():
        print(f"{key}: {value:.4f}" if isinstance(value, float) else f"{key}: {value}")
    print(path)


if __name__ == "__main__":
    main()
