"""The figures, on answers whose truth is known."""

from pathlib import Path

import numpy as np
import pytest
from annotated import run_desk, run_store, small, truth, verdict_rows

from kithe.annotation.book import Label
from kithe.annotation.figures import Row, Section, acceptance, results
from kithe.annotation.from_run import verdicts
from kithe.annotation.package import Header, Package, Task
from kithe.evaluation.agreement import krippendorff
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import wilson


def rows(sections: list[Section]) -> dict[str, Row]:
    return {row.name: row for section in sections for row in section.rows}


def numbers(metric: Metric) -> tuple[float, float, float]:
    return metric["value"], metric["low"], metric["high"]


def people(users: int) -> Package:
    """Some items about each of so many people."""
    counts = 1 + np.random.default_rng(0).poisson(7, users)
    tasks = (Task(id=f"u{u}#{n}", user=f"u{u}", statement=f"fact {n}") for u, count in enumerate(counts) for n in range(count))
    return Package(header=Header(name="people", kind="user"), tasks=tuple(tasks))


def reviewed(package: Package, rate: float, spread: float, seed: int) -> list[Label]:
    """What simulated people say of their items; how much of it is right differs from person to person."""
    random = np.random.default_rng(seed)
    own = dict(zip(package.users, random.beta(rate * spread, (1 - rate) * spread, len(package.users)), strict=True))
    return [Label(task.id, task.user, {"accept": bool(random.random() < own[task.user])}) for task in package.tasks]


def test_the_interval_of_115_peoples_acceptance_covers_the_truth_where_one_of_independent_items_does_not() -> None:
    package, repeats, rate, covered, naive = people(115), 150, 0.86, 0, 0
    for repeat in range(repeats):
        labels = reviewed(package, rate, spread=3.0, seed=repeat)
        metric = acceptance(package, labels, resamples=200, seed=repeat).rows[0].metric
        covered += metric["low"] <= rate <= metric["high"]
        low, high = wilson(round(metric["value"] * metric["n"]), metric["n"])
        naive += low <= rate <= high
    assert covered / repeats >= 0.90  # 0.95 less three standard errors of so many repeats
    assert naive / repeats < 0.85


def test_acceptance_of_115_people_at_the_desk() -> None:
    package = people(115)
    labels = reviewed(package, 0.88, spread=8.0, seed=1)
    found = acceptance(package, labels)
    accepted, person = found.rows
    share = np.mean([label.answers["accept"] for label in labels])
    assert accepted.metric["value"] == pytest.approx(share)
    assert accepted.metric["n"] == len(labels)
    assert person.metric["n"] == 115
    assert accepted.mark == 0.85
    assert found.notes[0] == "115 of 115 people answered, 115 of them about all their items."
    half = acceptance(package, [label for label in labels if int(label.annotator[1:]) < 50 and not label.task.endswith("#0")])
    assert half.notes[0].endswith("people answered, 0 of them about all their items.")


def test_only_what_people_say_of_themselves_counts_as_acceptance() -> None:
    package = small("user")
    strange = [Label("u0#0", "u1", {"accept": False})]
    assert acceptance(package, strange).rows == ()
    found = acceptance(package, [*strange, Label("u0#0", "u0", {"accept": True})])
    assert found.rows[0].metric["value"] == 1
    assert found.notes[-1] == "With fewer than 20 people the intervals are too short."


def test_agreement_and_settled_precision_of_items(tmp_path: Path) -> None:
    store = run_store(tmp_path)
    desk = run_desk(store)
    verdict_rows(store, desk.package, wrong=4)
    tasks = desk.package.tasks
    right = [Label(t.id, "ada", {"relevance": truth(t), "sensibility": True}) for t in tasks]
    other = [
        Label(t.id, "grace", {"relevance": truth(t) if n else not truth(t), "sensibility": True}) for n, t in enumerate(tasks)
    ]
    sections = results(desk.package, [*right, *other], verdicts(store, desk.package.header.source.removeprefix("run ")), 200)
    found, n = rows(sections), len(tasks)
    assert "People differ on 1 tasks; 0 of these are settled." in sections[0].notes
    assert found["relevance: kappa, ada and grace"].metric["n"] == n
    assert 0.8 < found["relevance: alpha"].metric["value"] < 1
    assert "sensibility: alpha" not in found  # everybody always says yes
    assert found["correct"].metric["value"] == pytest.approx(sum(map(truth, tasks[1:])) / (n - 1))
    assert found["correct: agreement"].metric["value"] == pytest.approx(1 - 3 / (n - 1))
    assert {"the judge alone", "labels alone", "Rogan-Gladen", "PPI", "PPI++"} <= found.keys()
    final = Label(tasks[0].id, ADJUDICATOR, {"relevance": truth(tasks[0]), "sensibility": True})
    settled = rows(results(desk.package, [*right, *other, final], (), 200))
    assert settled["correct"].metric["value"] == pytest.approx(sum(map(truth, tasks)) / n)
    assert "correct: agreement" not in settled


def test_nothing_is_made_of_no_labels() -> None:
    for kind in ("items", "user", "turing", "noise", "follow-up", "review"):
        found = results(small(kind), [], resamples=50)
        assert rows(found) == {}
        assert found[0].notes[0].startswith("0 of 6 tasks have a label")
    single = results(small(), [Label("u0#0", "ada", {"relevance": True, "sensibility": True})], resamples=50)
    assert "1 tasks have the label of one annotator only: they say nothing about agreement." in single[0].notes


def test_people_told_apart_with_wilson_intervals() -> None:
    package = small("turing", users=50, each=1, truth="first")
    labels = [Label(t.id, "ada", {"human": "first" if n < 26 else "second"}) for n, t in enumerate(package.tasks)]
    found = rows(results(package, labels, resamples=50))
    assert numbers(found["found the people: ada"].metric) == (0.52, *wilson(26, 50))
    assert found["found the people: ada"].mark == 0.5
    both = rows(results(package, [*labels, Label("u0#0", "bob", {"human": "second"})], resamples=50))
    assert both["found the people: all"].metric["n"] == 51


def test_ratings_by_group_beside_their_control() -> None:
    base = small("noise", users=10, each=2)
    tasks = tuple(task.model_copy(update={"group": ("clean", "surface")[n % 2]}) for n, task in enumerate(base.tasks))
    package = Package(header=base.header, tasks=tasks)
    labels = [
        Label(task.id, name, {"plausible": 5 - (task.group == "surface") - (name == "bob" and task.user == "u3")})
        for task in tasks
        for name in ("ada", "bob")
    ]
    found = rows(results(package, labels, resamples=200))
    assert found["clean"].metric["value"] == pytest.approx(4.95)
    assert found["surface"].metric["value"] == pytest.approx(3.95)
    assert found["surface"].span == (1.0, 5.0)
    assert 0.5 < found["plausible: alpha"].metric["value"] < 1


def test_the_threshold_beside_people() -> None:
    package = small("review", users=4, each=1, truth="yes")
    labels = [Label(task.id, "ada", {"agrees": n < 3}) for n, task in enumerate(package.tasks)]
    found = rows(results(package, labels, resamples=50))
    assert found["agreement"].metric["value"] == 0.75
    assert found["sensitivity"].metric["value"] == 1


def test_alpha_of_a_scale_counts_how_far_ratings_lie_apart() -> None:
    """The worked example of Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section E."""
    observers = ["123321412...", "1233224125.3", ".3332342251.", "123324412 51."]
    observers[3] = "12332441251."
    units = [[None if mark == "." else int(mark) for mark in column] for column in zip(*observers, strict=True)]
    assert krippendorff(units, resamples=50)["value"] == pytest.approx(0.743, abs=5e-4)
    apart = krippendorff(units, resamples=50, distance=lambda one, two: (int(str(one)) - int(str(two))) ** 2)
    assert apart["value"] == pytest.approx(0.849, abs=5e-4)
