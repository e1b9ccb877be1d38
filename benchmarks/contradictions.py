"""How many contradictions put into finished personas are found: `python -m benchmarks.contradictions`; a minute, no model.

A value that clashes with something of a clean persona is put into it, one at a time (`injected/*.yaml`); caught is what is
reported under the key that was changed. Files that the rules were improved with are `developed`; `aside` holds kinds that the
author of the rules had written before them; `new` was written when the rules were finished, and no rule was changed for it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from benchmarks.common import write
from kithe.evaluation.statistics import wilson
from kithe.personas.clashes import Values
from kithe.personas.complete import draft_persona
from kithe.personas.contradictions import conflicts
from kithe.personas.paths import PathSampler, Sampling
from kithe.personas.persona import Stated
from kithe.personas.repair import write_persona
from kithe.personas.skeleton import SETTLED

FILES: Final = ("known", "unseen", "further", "later", "unheard", "final")
SAMPLER: Final = PathSampler(Sampling(), seed=7)
POOL: Final = 160
TRIED: Final = 24  # personas that are given what a kind needs
BASES: Final = 16  # personas of a kind
DRAFTS: Final = 60
PLAIN_NO: Final = ("no school leaving certificate", "no school")


@dataclass(frozen=True)
class Case:
    """A value put into a clean persona under a key."""

    kind: str
    key: str
    text: str
    names: tuple[str, ...]  # of the conflicts reported for the key

    @property
    def caught(self) -> bool:
        """Whether any was."""
        return bool(self.names)


@cache
def page(name: str) -> Mapping[str, Any]:
    """The kinds of a file."""
    found: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "injected" / f"{name}.yaml").read_text("utf-8"))
    return found


@cache
def kinds() -> Mapping[str, Any]:
    """The kinds of all files by name."""
    rows = [(kind, body) for name in FILES for kind, body in page(name).items()]
    if len({kind for kind, _ in rows}) != len(rows):
        raise ValueError("two files name a kind alike")
    return dict(rows)


def groups() -> Mapping[str, tuple[str, ...]]:
    """The kinds by what the rules owe to them."""
    further = list(page("further"))
    return {
        "developed": (*page("known"), *page("unseen"), *further[::2], *page("later"), *page("unheard")),
        "aside": tuple(further[1::2]),
        "new": tuple(page("final")),
    }


@cache
def pool() -> tuple[Values, ...]:
    """The values of finished personas."""
    written = (write_persona(str(index), Random(f"pool/{index}"), SAMPLER.paths(index)).persona for index in range(POOL))
    return tuple(persona.values for persona in written if persona)


def stated(text: str) -> Stated:
    """A value; "no X" is X denied."""
    denied = text.startswith("no ") and text not in PLAIN_NO
    return Stated(value=text.removeprefix("no ") if denied else text, polarity="negative" if denied else "positive")


def _has(values: Values, given: Mapping[str, str]) -> bool:
    wanted = {key: stated(text) for key, text in given.items()}
    return all((own := values.get(key)) and (own.value, own.polarity) == (to.value, to.polarity) for key, to in wanted.items())


def _given(values: Values, given: Mapping[str, str]) -> Values:
    """The persona with these values, without the free ones that contradict them."""
    now = {**values, **{key: stated(text) for key, text in given.items()}}
    for conflict in conflicts(now):
        now |= {key: None for key in conflict.keys if key not in SETTLED and key not in given}
    return now


@cache
def _bases(kind: str, place: int) -> tuple[Values, ...]:
    """Clean personas of which what a kind of contradiction needs is true: as written, or by changing free keys."""
    given = kinds()[kind]["given"][place]
    natural = [values for values in pool() if _has(values, given)]
    made = [now for values in pool()[:TRIED] if not _has(values, given) if not conflicts(now := _given(values, given))]
    return tuple((natural + made)[:BASES])


def _cases(kind: str, what: str) -> Iterator[Case]:
    rng, body = Random(kind), kinds()[kind]
    for key, texts in body[what].items():
        for text in texts:
            base = rng.choice([values for place in range(len(body["given"])) for values in _bases(kind, place)])
            found = conflicts({**base, key: stated(text)})
            yield Case(kind, key, text, tuple(f"{conflict.name}: {conflict.keys}" for conflict in found if key in conflict.keys))


def injected(named: Iterable[str], what: str = "clash") -> list[Case]:
    """Every value of some kinds put into a persona, one at a time.

    Args:
        named: the kinds.
        what: "clash" for the values that contradict, "fine" for harmless ones of the same keys.
    """
    return [case for kind in named if what in kinds()[kind] for case in _cases(kind, what)]


def share(cases: list[Case], counts: Callable[[Case], bool] = lambda case: case.caught) -> dict[str, Any]:
    """The share of cases that count, with Wilson's interval."""
    count = sum(map(counts, cases))
    low, high = wilson(count, len(cases))
    return {"value": count / len(cases), "low": low, "high": high, "n": len(cases)}


def alarms() -> list[Case]:
    """The harmless values of all kinds."""
    return injected(kinds(), "fine")


def drafts(count: int = DRAFTS) -> dict[str, float]:
    """What drafts hold before and after repair, and the time that `conflicts` takes for a persona."""
    found = [conflicts(draft_persona(str(index), Random(index), SAMPLER.paths(index)).values) for index in range(count)]
    values = [len({conflict.keys for conflict in rows}) for rows in found]
    begin = time.process_time()
    left = [len(conflicts(persona)) for persona in pool()]
    spent = time.process_time() - begin
    return {
        "conflicting_pairs_per_draft": sum(values) / count,
        "conflicts_per_finished_persona": sum(left) / len(left),
        "conflicts_cpu_ms": 1000 * spent / len(left),
    }


def main() -> None:
    """Measure and write the file."""
    cases = {name: injected(named) for name, named in groups().items()}
    harmless = alarms()
    rows = [{"measure": "caught", "set": name, **share(found)} for name, found in cases.items()]
    rows += [{"measure": "false_alarm", "set": "all", **share(harmless)}]
    summary = {f"caught_{row['set']}": row["value"] for row in rows if row["measure"] == "caught"}
    shown = [(name, case) for name, found in cases.items() if name != "new" for case in found]
    missed = [{"set": name, **asdict(case)} for name, case in shown if not case.caught]
    write(
        "contradictions",
        "python -m benchmarks.contradictions",
        rows,
        {**summary, "caught_new_low": rows[2]["low"], "false_alarms": rows[3]["value"], **drafts()},
        missed=missed,
        alarmed=[asdict(case) for case in harmless if case.caught],
    )


if __name__ == "__main__":
    main()
