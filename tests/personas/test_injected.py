"""Contradictions put into finished personas are found, and values that contradict nothing are left alone.

`benchmarks/contradictions.py` says which kinds the rules were improved with; the shares of the others are in docs/personas.md.
"""

from benchmarks.contradictions import Case, alarms, drafts, groups, injected, pool, share
from kithe.personas.contradictions import conflicts

FLOOR = 0.5  # of what was written after the rules; docs/personas.md has the measured share


def rate(cases: list[Case]) -> float:
    """The share that was caught."""
    return float(share(cases)["value"])


def test_at_least_95_percent_of_the_contradictions_are_caught() -> None:
    clashes = injected(groups()["developed"][::3])  # the benchmark has all of them
    assert len(clashes) >= 310
    assert len({case.kind for case in clashes}) >= 50
    assert rate(clashes) >= 0.95, [case for case in clashes if not case.caught]


def test_at_least_95_percent_of_the_kinds_kept_aside_are_caught() -> None:
    clashes = injected(groups()["aside"])
    assert len(clashes) >= 150
    assert rate(clashes) >= 0.95, [case for case in clashes if not case.caught]


def test_most_contradictions_written_after_the_rules_are_caught() -> None:
    clashes = injected(groups()["new"])
    assert len(clashes) >= 170
    assert rate(clashes) >= FLOOR


def test_values_that_contradict_nothing_raise_no_alarm() -> None:
    harmless = alarms()
    assert len(harmless) >= 260
    assert rate(harmless) <= 0.05, [case for case in harmless if case.caught]


def test_finished_personas_are_clean_and_drafts_nearly_so() -> None:
    assert len(pool()) == 160
    assert not any(conflicts(values) for values in pool())
    assert drafts()["conflicting_pairs_per_draft"] <= 6.5
