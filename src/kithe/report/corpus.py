"""The report on corpora: report.md, report.html and report.json, all from the same measured figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from kithe.quality.figures import Figure
from kithe.quality.gates import Gates, cheap
from kithe.quality.measure import Encoder, Entry, Measured, Sizes, measure
from kithe.quality.sources import Reference, known, read, reference
from kithe.quality.texts import Corpus
from kithe.records.base import write_json, write_lines
from kithe.report import page, plots, users
from kithe.report.parts import Part
from kithe.report.text import NONE, quantity
from kithe.report.text import markdown as escaped
from kithe.report.writers import Table, write_markdown

SECTIONS: Final = {
    "table 3": "Statistics beside real conversations",
    "diversity": "Diversity",
    "realism": "Realism",
    "fluency": "Fluency",
    "fidelity": "Fidelity to the persona",
    "privacy": "Privacy and leakage",
    "artefacts": "Shortcuts",
    "bias": "Bias",
}
PLOTTED: Final = ("distinct_2", "ngram_diversity", "mtld", "compression_ratio", "self_bleu", "vendi")
LEGEND: Final = (
    "value [95 % interval] (n). Intervals: bootstrap over histories; for measures that depend on length, the spread over random "
    "draws of equal size; Wilson for shares of independent things."
)


def report(
    what: Sequence[str],
    real: Sequence[str],
    store: Path,
    out: Path | None,
    most: int,
    say: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Measure corpora and write their report.

    Args:
        what: corpora by id, folder, file, or name of a real set.
        real: real sets to compare with.
        store: the root of all results.
        out: the folder to write to; by default one below `reports` named after the corpora.
        most: at most so many histories of each corpus, drawn by a fixed seed.
        say: told what is measured next.

    Raises:
        ConfigError: a corpus or a real set is not there, or the extra `quality` is not installed.
    """
    from kithe.llm.embed import Embedder
    from kithe.personas.taxonomy import taxonomy
    from kithe.quality.coverage import Topics

    for name in real:
        known(name)
    simulated = {name: users.written(name, store) for name in what}
    corpora = [users.corpus(found, most) if found else read(name, store, most) for name, found in simulated.items()]
    references = [reference(name, most) for name in real if name not in what]
    folder = out or store / "reports" / "-".join(["corpus", *(each.name for each in corpora)])[:120]
    encoder, people = Embedder(), [each for each in references if each.train.name == users.PEOPLE]
    parts = [users.part(found, encoder, people[0].train if people else None, say) for found in simulated.values() if found]
    return write(corpora, references, encoder, Topics.of(taxonomy()), folder, say=say, parts=parts)


def write(
    corpora: Sequence[Corpus],
    references: Sequence[Reference],
    encoder: Encoder,
    topics: Any,
    folder: Path,
    sizes: Sizes | None = None,
    say: Callable[[str], None] = lambda _: None,
    parts: Sequence[Part] = (),
) -> list[Path]:
    """Measure and write report.md, report.html and report.json into a folder, `parts` at the end; returns their paths."""
    measured = measure(corpora, references, encoder, topics, sizes, say)
    title = f"Corpus report: {', '.join(each.name for each in corpora)}"
    gates = gates_table(corpora)
    tables = {section: section_tables(measured.entries, section) for section in SECTIONS}
    files = {
        "report.md": markdown(title, gates, tables, measured, parts),
        "report.html": html(title, gates, tables, measured, parts),
    }
    for name, words in files.items():
        write_lines(folder / name, [words.rstrip("\n")])
    write_json(folder / "report.json", {**as_json(measured, corpora), **{each.heading: each.figures for each in parts}})
    return [folder / name for name in (*files, "report.json")]


def as_json(measured: Measured, corpora: Sequence[Corpus]) -> dict[str, Any]:
    """Every figure with its n and interval, the associations behind the bias section, and the verdict of the default gates."""
    return {
        "corpora": {each.name: len(each.histories) for each in corpora},
        "figures": [flat(entry) for entry in measured.entries],
        "associations": {name: [asdict(each) for each in found] for name, found in measured.pictures.associations.items()},
        "gates": {each.name: Gates().problems(cheap(each.histories)) for each in corpora},
    }


def flat(entry: Entry) -> dict[str, Any]:
    """An entry as one JSON object."""
    found = asdict(entry)
    return {**{key: value for key, value in found.items() if key != "figure"}, **found["figure"]}


def shown(figure: Figure | None) -> str:
    """A figure in words: `3.21 [3.10, 3.33] (n 400)`."""
    if figure is None:
        return NONE
    ends = "" if figure.low is None or figure.high is None else f" [{quantity(figure.low)}, {quantity(figure.high)}]"
    return f"{quantity(figure.value)}{ends} (n {figure.n})"


def section_tables(entries: Sequence[Entry], section: str) -> list[Table]:
    """A section's tables: figures of each corpus, then those against each real set."""
    own = [entry for entry in entries if entry.section == section]
    found = []
    for against in dict.fromkeys(entry.against for entry in own):
        chosen = [entry for entry in own if entry.against == against]
        columns = list(dict.fromkeys(entry.corpus for entry in chosen))
        held = {(entry.metric, entry.corpus): entry for entry in chosen}
        body = tuple(
            (metric, *(shown(_figure(held, metric, name)) for name in columns), _about(chosen, metric))
            for metric in dict.fromkeys(entry.metric for entry in chosen)
        )
        first = f"against {against}" if against else "figure"
        found.append(Table((first, *columns, "meaning"), (False, *(True for _ in columns), False), body))
    return found


def _figure(held: Mapping[tuple[str, str], Entry], metric: str, name: str) -> Figure | None:
    entry = held.get((metric, name))
    return entry.figure if entry else None


def _about(entries: Sequence[Entry], metric: str) -> str:
    own = [entry for entry in entries if entry.metric == metric]
    notes = "; ".join(
        dict.fromkeys(f"{entry.corpus}: {entry.note}" if len(own) > 1 else entry.note for entry in own if entry.note)
    )
    return "; ".join(filter(None, (meanings()[metric], f"n: {own[0].of}", notes)))


@cache
def meanings() -> dict[str, str]:
    """What each metric says, in one line."""
    found: dict[str, str] = yaml.safe_load((Path(__file__).parent / "meanings.yaml").read_text(encoding="utf-8"))
    return found


def gates_table(corpora: Sequence[Corpus]) -> Table:
    """Whether each corpus passes the default gates that need words alone."""
    verdicts = [(each.name, "; ".join(Gates().problems(cheap(each.histories))) or "passes") for each in corpora]
    return Table(("corpus", "default gates"), (False, False), tuple(verdicts))


def associations_table(name: str, measured: Measured) -> Table:
    """The strongest associations of groups with items; flagged ones are more than chance and more than small."""
    body = tuple(
        (
            each.contrast,
            each.feature,
            f"{each.log_odds:+.2f}",
            f"{each.gap:+.2f}",
            f"{each.q:.3f}",
            "flagged" if each.stereotype else "",
        )
        for each in measured.pictures.associations[name]
    )
    header = (f"{name}: contrast", "feature", "log-odds", "difference of shares", "adjusted p", "")
    return Table(header, (False, False, True, True, True, False), body)


def templates_table(name: str, measured: Measured) -> Table:
    """The most frequent five-word runs of users."""
    return Table(
        (f"{name}: most frequent five-word runs", "times"),
        (False, True),
        tuple((gram, str(count)) for gram, count in measured.pictures.templates[name]),
    )


def details(measured: Measured) -> dict[str, list[Table]]:
    """More tables of a section, where there is something to show."""
    return {
        "bias": [associations_table(name, measured) for name, found in measured.pictures.associations.items() if found],
        "artefacts": [templates_table(name, measured) for name in measured.pictures.templates],
    }


def markdown(
    title: str, gates: Table, tables: Mapping[str, Sequence[Table]], measured: Measured, further: Sequence[Part] = ()
) -> str:
    """The report as Markdown, without plots."""
    parts = [f"# {escaped(title)}\n", f"{LEGEND}\n", write_markdown(gates)]
    more = details(measured)
    for section, heading in SECTIONS.items():
        if tables[section]:
            parts.append(f"\n## {heading}\n")
            parts += [write_markdown(each) for each in (*tables[section], *more.get(section, ()))]
    for part in further:
        parts += [f"\n## {escaped(part.heading)}\n", f"{escaped(part.words)}\n", *map(write_markdown, part.tables)]
    return "\n".join(parts)


def html(
    title: str, gates: Table, tables: Mapping[str, Sequence[Table]], measured: Measured, further: Sequence[Part] = ()
) -> str:
    """The report as one page, with plots."""
    images, more = pictures(measured), details(measured)
    parts = [page.paragraph(LEGEND), page.table(gates)]
    for section, heading in SECTIONS.items():
        if tables[section]:
            parts.append(page.heading(heading))
            parts += images.get(section, [])
            parts += [page.table(each) for each in (*tables[section], *more.get(section, ()))]
    for part in further:
        parts += [page.heading(part.heading), page.paragraph(part.words), *part.images, *map(page.table, part.tables)]
    return page.page(title, parts)


def pictures(measured: Measured) -> dict[str, list[str]]:
    """The plots of each section."""
    covered = plots.bars("Items by interest category", measured.pictures.categories)
    words = plots.histograms("Words per user turn", "words per user turn", measured.pictures.turn_words)
    turns = plots.histograms("Turns per dialogue", "turns per dialogue", measured.pictures.dialogue_turns)
    dots = plots.intervals("Diversity", [(metric, points(measured.entries, metric)) for metric in PLOTTED])
    places = plots.scatter("Embedding map", measured.pictures.places)
    return {
        "table 3": [
            page.figure(covered, "Share of items nearest to each top category of the taxonomy, in per cent."),
            page.figure(words, "Words per user turn."),
            page.figure(turns, "Turns per dialogue."),
        ],
        "diversity": [page.figure(dots, "Diversity at equal length; each measure has a scale of its own.")],
        "realism": [page.figure(places, "Passages on the first two principal components of their embeddings.")],
    }


def points(entries: Sequence[Entry], metric: str) -> list[tuple[str, float, float | None, float | None]]:
    """A metric's value and interval for each corpus."""
    return [
        (entry.corpus, entry.figure.value, entry.figure.low, entry.figure.high) for entry in entries if entry.metric == metric
    ]
