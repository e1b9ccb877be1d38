"""What a corpus report says of simulated users: rates against their laws, reveal under friction, domains, people beside them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any, Final

from kithe.gym import evidence
from kithe.gym.coherence import coherence
from kithe.gym.corpus import SPLITS
from kithe.gym.domains import DOMAIN, NEIGHBOURS, Domains, Encoder, domains
from kithe.gym.figures import Rate
from kithe.gym.records import Trajectory
from kithe.gym.source import FILE, WrittenAtlas
from kithe.quality import texts
from kithe.quality.figures import Figure
from kithe.quality.texts import Corpus
from kithe.report import page, plots
from kithe.report.parts import Part
from kithe.report.text import NONE, fraction, one_line, p_value, quantity
from kithe.report.writers import Table

PEOPLE: Final = "laps"  # the real set in which people talk to an assistant
SIDE: Final = 300  # users of each side of a comparison with people
WORDS: Final = (
    "Rates are beside what they are set to, with Wilson intervals and the distance in standard errors. Neighbours are those of "
    "sentence embeddings, over one conversation of each seed query: where users' talk lies by domain as clearly as the seed "
    "queries do, the domain rules it; 0 apart means interleaved as by chance, 1 that all neighbours share the label. On the maps "
    "neighbours stay neighbours; distances between groups mean nothing."
)


def written(what: str, store: Path) -> WrittenAtlas | None:
    """The corpus of simulated users of that id or folder; None where it is none.

    Raises:
        ConfigError: it is one, and changed since it was written.
    """
    found = [place for place in (Path(what), store / "generated" / what) if (place / FILE).is_file()]
    return WrittenAtlas(found[0], found[0].resolve().name) if found else None


def corpus(atlas: WrittenAtlas, most: int | None = None) -> Corpus:
    """All users as histories, or a seeded sample."""
    return texts.corpus(atlas.name, (own for split in SPLITS for own in atlas.histories(split, 0)), most)


def part(
    atlas: WrittenAtlas, encoder: Encoder, people: Corpus | None = None, say: Callable[[str], None] = lambda _: None
) -> Part:
    """The section on a corpus of simulated users.

    Args:
        atlas: the corpus.
        encoder: of sentences.
        people: those who talked to an assistant, if they are to stand beside it.
        say: told what is measured next.
    """
    say(f"simulated users of {atlas.name}")
    card = atlas.card
    count = card["statistics"]["personas"]
    found = domains(Trajectory.read(atlas.folder / FILE), encoder)
    beside = compared(atlas, people) if people else {}
    shared = coherent(Trajectory.read(atlas.folder / FILE))
    tables = [
        statistics_table(card, shared),
        laws_table(card["statistics"]),
        *reveal_tables(card["reveal"], count),
        domains_table(found),
    ]
    figures = {
        "statistics": card["statistics"],
        "coherence": shared,
        "reveal": card["reveal"],
        "domains": as_json(found),
        "people": beside,
    }
    return Part(
        heading=f"Simulated users: {atlas.name}",
        words=WORDS,
        tables=[*tables, *([people_table(beside)] if beside else [])],
        images=list(pictures(found, card["reveal"]["curves"])),
        figures=figures,
    )


def as_json(found: Domains) -> dict[str, Any]:
    """The figures of the domains, without the map."""
    rows = [{"texts": name, "label": label, **asdict(own)} for (name, label), own in found.rows.items()]
    short = [{"texts": name, "label": label, "n": n} for (name, label), n in found.short.items()]
    return {"neighbours": rows, "not_enough": short, "seed_queries_minus_all_said": found.closer and asdict(found.closer)}


def coherent(talks: Iterable[Trajectory]) -> dict[str, float]:
    """How far personas go together, over all sessions, so after drift and with the domain and scenario of the query.

    Returns:
        `score`: the mean share of the rules that concern a persona which it keeps; `against`: the share of sessions in which it
        goes against a hard rule.
    """
    rules, personas = coherence(), [talk.persona for talk in talks]
    return {"score": mean(map(rules.score, personas)), "against": mean(rules.broken(values) > 0 for values in personas)}


def statistics_table(card: Mapping[str, Any], shared: Mapping[str, float]) -> Table:
    """Sizes beside the published ones, and how far personas go together."""
    own, other = card["statistics"], card["published"]
    rows = (
        ("conversations", f"{own['conversations']}", f"{other['conversations']}"),
        ("users", f"{own['personas']}", f"{other['personas']}"),
        ("turns, mean", quantity(own["turns"]["mean"]), " and ".join(map(quantity, other["turns"]))),
        ("dimensions a persona, mean", quantity(own["features_per_persona"]), quantity(other["features_per_persona"])),
        ("words a conversation, mean", quantity(own["words_per_conversation"]), NONE),
        ("coherence score of personas, mean", fraction(shared["score"]), NONE),
        ("sessions against a hard rule, share", fraction(shared["against"]), NONE),
        ("tokens a conversation, all calls", NONE, quantity(other["tokens_per_conversation_all_calls"])),
    )
    return Table(("size", "here", "as published"), (False, True, True), rows)


def laws_table(statistics: Mapping[str, Any]) -> Table:
    """Every rate beside what it is set to."""
    rows = []
    for name, own in rates(statistics):
        interval = f"{fraction(own.value)} [{fraction(own.low)}, {fraction(own.high)}] (n {own.n})"
        interval = interval if own.n else not_enough(0, "a share")
        off = NONE if own.wanted is None or not own.n else f"{own.sigmas:.1f}"
        rows.append((name, interval, fraction(own.wanted), off))
    return Table(("rate", "found", "set to", "standard errors off"), (False, True, True, True), tuple(rows))


def rates(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Rate]]:
    """Every rate of a report of statistics, with its path as its name."""
    for name, own in tree.items():
        if isinstance(own, Mapping) and set(own) == {"value", "low", "high", "n", "wanted"}:
            yield f"{above}{name}", Rate(**own)
        elif isinstance(own, Mapping):
            yield from rates(own, f"{above}{name}: ")


def not_enough(n: int, what: str) -> str:
    """What stands where a corpus is too small for a statistic."""
    return f"not enough data (n = {n}) for {what}"


def reveal_tables(found: Mapping[str, Any], users: int) -> list[Table]:
    """When wishes come up among so many users, and by which follow-up."""
    sides = zip(("an answer goes against it", "an answer meets it"), found["table"], strict=True)
    rows = tuple((name, str(yes), str(no), fraction(yes / (yes + no) if yes + no else None)) for name, (yes, no) in sides)
    odds = f"Odds ratio {spread(found, 'odds_ratio', quantity)}, by resampling users."
    if users < 2 or not all(map(sum, found["table"])):
        odds = f"{not_enough(sum(map(sum, found['table'])), 'an odds ratio')} of several users."
    table = Table(("wish, where", "brought up next", "not", "share"), (False, True, True, True), rows, odds)
    curves = tuple((name, *map(fraction, values)) for name, values in found["curves"].items())
    most = max((len(row) - 1 for row in curves), default=0)
    header = ("brought up by follow-up", *(str(n) for n in range(1, most + 1)))
    return [table, Table(header, (False, *(True for _ in range(most))), curves)]


def domains_table(found: Domains) -> Table:
    """How far texts lie apart by a label."""
    rows = tuple(
        (name, label, shown(own.purity), fraction(own.chance), fraction(own.apart), p_value(own.p))
        for (name, label), own in found.rows.items()
    )
    what = f"{NEIGHBOURS} neighbours of other users"
    rows += tuple((name, label, not_enough(n, what), NONE, NONE, NONE) for (name, label), n in found.short.items())
    closer = f" Seed queries minus all a user says, by domain: {shown(found.closer)}." if found.closer else ""
    legend = f"Neighbours looked at: {NEIGHBOURS}.{closer}"
    header = ("texts", "label", "neighbours of the same label", "by chance", "apart", "p")
    return Table(header, (False, False, True, True, True, True), rows, legend)


def shown(own: Figure) -> str:
    """A share or a difference of shares with interval and n."""
    return f"{fraction(own.value)} [{fraction(own.low)}, {fraction(own.high)}] (n {own.n})"


def spread(own: Mapping[str, Any], name: str, written: Callable[[float], str]) -> str:
    """A figure of a mapping with its interval."""
    return f"{written(own[name])} [{written(own['low'])}, {written(own['high'])}]"


def compared(atlas: WrittenAtlas, people: Corpus) -> dict[str, Any]:
    """Messages of simulated users and of people, by the same figures."""
    whose: dict[str, list[Trajectory]] = {}
    for talk in Trajectory.read(atlas.folder / FILE):
        whose.setdefault(talk.persona_id, []).append(talk)
    own = evidence.simulated(talk for talks in islice(whose.values(), SIDE) for talk in talks)
    return evidence.beside(own, evidence.human(people.histories[:SIDE]))


def people_table(found: Mapping[str, Any]) -> Table:
    """Simulated users and people, with tests by exchanging whole users."""
    rows = [
        (one_line(name), quantity(own["simulated"]), quantity(own["human"]), fraction(own["distance"]), p_value(own["p"]))
        for name, own in (
            ("words of a message, median", found["words_per_message"]),
            ("messages in a conversation, mean", found["turns_per_conversation"]),
            *((f"share: {slip}", own) for slip, own in found["slips"].items()),
        )
    ]
    rows += [
        (name.replace("_", " "), quantity(found["diversity"]["simulated"][name]), quantity(value), NONE, NONE)
        for name, value in found["diversity"]["human"].items()
    ]
    told = found["language"]
    legend = f"Told apart by words: AUC {spread(told, 'value', fraction)}, p {p_value(told['p'])}, chance .500."
    if (least := min(found["users"].values())) < 2:
        legend = f"{not_enough(least, 'a classifier that never saw a user')}."
    return Table(
        ("users' messages", "simulated", f"people ({PEOPLE})", "distance", "p"),
        (False, True, True, True, True),
        tuple(rows),
        legend,
    )


def pictures(found: Domains, curves: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """The maps, and the figures that say what is to be seen on them."""
    dots: list[tuple[str, float, float | None, float | None]] = [
        (name, own.purity.value, own.purity.low, own.purity.high) for (name, label), own in found.rows.items() if label == DOMAIN
    ]
    if dots:
        drawn = plots.intervals("Neighbours of the same domain", [("neighbours of the same domain", dots)])
        yield page.figure(drawn, "The share of nearest texts of the same domain, with its interval.")
    for name, points in found.places.items():
        yield page.figure(plots.labelled(f"Domains: {name}", points), f"A point a conversation, coloured by domain: {name}.")
    if curves:
        bars = plots.bars(
            "Reveal by follow-up", {name: {f"follow-up {n}": v for n, v in enumerate(own, 1)} for name, own in curves.items()}
        )
        yield page.figure(
            bars, "Wishes brought up by the first, second, … follow-up, in per cent, by whether an answer ever went against them."
        )
