"""Every figure of a report on corpora, seeded, each on a sample of stated size."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kithe.corpora import contamination
from kithe.quality import bias, coverage, diversity, duplicates, embedding, fidelity, pii, privacy, probes, readability, table3
from kithe.quality.figures import Figure, minus, share
from kithe.quality.sources import Reference
from kithe.quality.texts import Corpus, Passage, ngrams, sample, tokens
from kithe.quality.twosample import Told, on_vectors, on_words
from kithe.records.history import History

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """From texts to unit vectors (`kithe.llm.embed.Embedder`)."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """[len(texts), d]."""
        ...


MAP = 400  # points of a corpus on the embedding map


@dataclass(frozen=True)
class Sizes:
    """How much of a corpus is looked at.

    Attributes:
        tokens: budget at which diversity is compared; never more than half of the smallest corpus.
        passages: embedded passages per corpus.
        items: items mapped to the taxonomy per corpus; coverage is that of draws of half as many.
        people: personas among which one is looked for.
        utterances: user turns for self-BLEU; for the attacks and n-grams of templates four times as many.
        histories: for near-duplicates and the label probe.
        seed: of every draw.
    """

    tokens: int = 20_000
    passages: int = 1000
    items: int = 1500
    people: int = 200
    utterances: int = 500
    histories: int = 5000
    seed: int = 0


@dataclass(frozen=True)
class Entry:
    """One line of a report.

    Attributes:
        section: part of the report.
        metric: the name, also in report.json.
        corpus: what was measured.
        figure: the value.
        of: what `figure.n` counts.
        against: the real set it is compared with.
        note: what is needed to read the value (chance, p value, base rate).
    """

    section: str
    metric: str
    corpus: str
    figure: Figure
    of: str
    against: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Drawn:
    """A corpus with the samples that several metrics share."""

    corpus: Corpus
    passages: tuple[Passage, ...]
    vectors: Vectors
    statements: tuple[str, ...]
    mapped: NDArray[np.int64]


@dataclass(frozen=True)
class Pictures:
    """What the plots and lists of a report show, by corpus.

    Attributes:
        categories: top category -> share of the items that are nearest to it.
        turn_words: words of every user turn.
        dialogue_turns: turns of every dialogue.
        places: passages in the plane of the first two principal components.
        associations: the surest associations of groups with items.
        templates: the most frequent five-word runs of users.
    """

    categories: Mapping[str, Mapping[str, float]]
    turn_words: Mapping[str, Sequence[int]]
    dialogue_turns: Mapping[str, Sequence[int]]
    places: Mapping[str, Sequence[tuple[float, float]]]
    associations: Mapping[str, Sequence[bias.Association]]
    templates: Mapping[str, Sequence[tuple[str, int]]]


@dataclass(frozen=True)
class Measured:
    """A report before it is written."""

    entries: tuple[Entry, ...]
    pictures: Pictures


def measure(
    corpora: Sequence[Corpus],
    references: Sequence[Reference],
    encoder: Encoder,
    topics: coverage.Topics | None,
    sizes: Sizes | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Measured:
    """Measure corpora by themselves, the real sets beside them, and each corpus against each real set.

    Args:
        corpora: what is judged.
        references: real sets.
        encoder: of sentences.
        topics: the interest taxonomy (None: no coverage).
        sizes: of the samples.
        say: told what is measured next.
    """
    sizes = sizes or Sizes()
    paths = encoder.encode(topics.texts()) if topics else None
    every = [*corpora, *(each.train for each in references)]
    budget, items = budgets(every, sizes)
    drawn, entries = [], list[Entry]()
    for each in every:
        say(each.name)
        drawn.append(draw(each, encoder, paths, sizes))
        entries += [*alone(drawn[-1], budget, sizes), *by_meaning(drawn[-1], encoder, topics, items, sizes)]
    for own in drawn[: len(corpora)]:
        for place, other in enumerate(references):
            say(f"{own.corpus.name} against {other.train.name}")
            entries += against(own, drawn[len(corpora) + place], other, encoder, entries, sizes)
    return Measured(tuple(entries), pictures(drawn, topics, sizes.seed))


def budgets(corpora: Sequence[Corpus], sizes: Sizes) -> tuple[int, int]:
    """Words and items at which corpora are compared: at most half of what the smallest has, so that draws differ."""
    least = min(sum(map(len, each.tokens)) for each in corpora)
    items = [sum(len(history.items) for history in each.histories) for each in corpora]
    return min(sizes.tokens, max(1, least // 2)), max(1, min([sizes.items, *filter(None, items)]) // 2)


def draw(corpus: Corpus, encoder: Encoder, paths: Vectors | None, sizes: Sizes) -> Drawn:
    """The samples of a corpus, embedded; items are mapped to their nearest path."""
    chosen = sample(corpus.passages, sizes.passages, sizes.seed)
    stated = [Passage(history.id, item.statement) for history in corpus.histories for item in history.items]
    statements = tuple(each.text for each in sample(stated, sizes.items, sizes.seed))
    vectors = encoder.encode([each.text for each in chosen])
    mapped = np.empty(0, dtype=np.int64)
    if paths is not None and statements:
        mapped = coverage.nearest(encoder.encode(statements), paths)
    return Drawn(corpus, tuple(chosen), vectors, statements, mapped)


def alone(own: Drawn, budget: int, sizes: Sizes) -> Iterator[Entry]:
    """What needs no other corpus and no meaning."""
    each, seed = own.corpus, sizes.seed
    name = each.name
    yield Entry("table 3", "turns_per_dialogue", name, table3.turns_per_dialogue(each), "dialogues")
    yield Entry("table 3", "words_per_turn", name, table3.words_per_turn(each), "turns")
    yield Entry("table 3", "items_per_dialogue", name, table3.items_per_dialogue(each), "dialogues")
    yield Entry("table 3", "vocabulary", name, table3.vocabulary(each), "words")
    yield Entry("table 3", "vocabulary_at_equal_words", name, table3.vocabulary_at(each, budget, seed), "words")
    for metric, statistic in DIVERSITY.items():
        yield Entry("diversity", metric, name, diversity.at_budget(each, statistic, budget, seed), "words")
    long = [passage for passage in each.utterances if len(tokens(passage.text)) > 3]
    said = [tokens(passage.text) for passage in sample(long, sizes.utterances, seed)]
    yield Entry("diversity", "self_bleu", name, diversity.self_bleu(said, seed), "user turns")
    yield Entry("diversity", "repeated_turns", name, duplicates.exact_duplicates([tokens(p.text) for p in long]), "user turns")
    yield from copies(each, sizes)
    yield Entry("fluency", "reading_ease", name, readability.reading_ease_figure(each.passages), "passages")
    yield Entry("fluency", "slips_per_100_words", name, readability.slip_rate(each.passages), "words")
    yield Entry("fluency", "misspelt_per_100_words", name, readability.misspelt_rate(each.passages), "words")
    yield from found_persons(each)
    yield from shortcuts(each, sizes)
    found = bias.associations(each.histories, seed)
    users = max((association.n for association in found), default=0)
    yield Entry("bias", "stereotypes", name, bias.stereotypes(found), "associations", note=f"users who say their group: {users}")


DIVERSITY: Mapping[str, Callable[[Sequence[str]], float]] = {
    "distinct_1": lambda words: diversity.distinct(words, 1),
    "distinct_2": lambda words: diversity.distinct(words, 2),
    "distinct_3": lambda words: diversity.distinct(words, 3),
    "ngram_diversity": diversity.ngram_diversity,
    "compression_ratio": diversity.compression_ratio,
    "mtld": diversity.mtld,
}


def copies(each: Corpus, sizes: Sizes) -> Iterator[Entry]:
    """Dialogues that are nearly another one, by what their user says."""
    said = [[word for turn in h.turns if turn.speaker == h.user for word in tokens(turn.text)] for h in each.histories]
    figure = duplicates.near_duplicates(said[: sizes.histories])
    yield Entry("diversity", "near_duplicates", each.name, figure, "histories")


def found_persons(each: Corpus) -> Iterator[Entry]:
    """Personal data, and names apart: a made-up person may have one."""
    kinds = pii.count(each.histories)
    turns = sum(len(history.turns) for history in each.histories)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield Entry("privacy", "personal_data", each.name, Figure(float(sum(kinds.values())), n=turns), "turns", note=listed)
    named = sum(bool(pii.names(passage.text)) for passage in each.utterances)
    yield Entry("privacy", "turns_with_names", each.name, share(named, len(each.utterances)), "user turns")


def shortcuts(each: Corpus, sizes: Sizes) -> Iterator[Entry]:
    """What could be learnt without reading."""
    probe = probes.label_probe(probes.examples(each.histories[: sizes.histories // 3]), sizes.seed)
    if probe:
        note = f"most frequent label {probe.majority:.3f}, labels {probe.labels}"
        yield Entry("artefacts", "label_from_words", each.name, probe.full, "items", note=note)
        yield Entry("artefacts", "label_from_template", each.name, probe.template, "items", note=note)
    shaped = probes.shape_probe(each.histories[: sizes.histories // 3], sizes.seed)
    if shaped:
        yield Entry("artefacts", "revealing_turn_from_shape_auc", each.name, shaped, "user turns", note="chance .500")
    yield Entry("artefacts", "user_from_first_speaker", each.name, probes.first_speaker(each.histories), "histories")
    top = probes.concentration_at(each, 4 * sizes.utterances, sizes.seed)
    yield Entry("artefacts", "top_100_five_grams", each.name, top, "user turns")


def by_meaning(
    own: Drawn, encoder: Encoder, topics: coverage.Topics | None, items: int, sizes: Sizes
) -> Iterator[Entry]:  # fmt: skip
    """What needs embeddings of the corpus alone."""
    name, seed = own.corpus.name, sizes.seed
    if topics and len(own.mapped):
        for depth, least in ((1, 1), (1, 5), (2, 1), (2, 5)):
            figure = coverage.covered(topics, own.mapped, depth, least, items, seed)
            yield Entry("table 3", f"coverage_depth_{depth}_at_least_{least}", name, figure, "items")
        hits = list(coverage.counts(topics, own.mapped, 1).values())
        yield Entry("table 3", "coverage_evenness", name, Figure(coverage.evenness(hits), n=sum(hits)), "items")
        yield Entry("table 3", "coverage_gini", name, Figure(coverage.gini(hits), n=sum(hits)), "items")
        yield Entry("table 3", "items_near_a_topic", name, share(int((own.mapped >= 0).sum()), len(own.mapped)), "items")
    size = min(sizes.passages // 2, len(own.vectors))
    yield Entry("diversity", "vendi", name, embedding.vendi_figure(own.vectors, size, seed=seed), "passages")
    found = personas(own, encoder, sizes)
    if found.candidates > 1:
        of, chance = f"personas, one right among {found.candidates}", (found.chance, found.chance_mrr)
        yield Entry("fidelity", "persona_top_1", name, found.top1, of, note=f"chance {chance[0]:.3f}")
        yield Entry("fidelity", "persona_mrr", name, found.mrr, of, note=f"chance {chance[1]:.3f}")
    if own.corpus.seeds:
        paths = sorted({path for each in own.corpus.seeds.values() for path in each})
        places = {path: place for place, path in enumerate(paths)}
        seeds = {history: frozenset(places[path] for path in each) for history, each in own.corpus.seeds.items()}
        recovered = fidelity.seed_recovery(own.passages, own.vectors, encoder.encode(list(map(coverage.spoken, paths))), seeds)
        yield Entry("fidelity", "seed_recovery", name, recovered.hit, "histories", note=f"chance {recovered.chance:.3f}")


def personas(own: Drawn, encoder: Encoder, sizes: Sizes) -> fidelity.Retrieval:
    """Personas looked for by what their user says; of personas that speak several times, one dialogue."""
    said = {passage.history for passage in own.passages}
    people = [history for history in bias.people(own.corpus.histories) if history.items and history.id in said]
    chosen = [people[int(i)] for i in np.random.default_rng(sizes.seed).permutation(len(people))[: sizes.people]]
    held = {history.id for history in chosen}
    rows = [row for row, passage in enumerate(own.passages) if passage.history in held]
    facts = encoder.encode([item.statement for history in chosen for item in history.items])
    return fidelity.persona_retrieval([own.passages[row] for row in rows], own.vectors[rows], chosen, facts)


def against(
    own: Drawn, other: Drawn, reference: Reference, encoder: Encoder, known: Sequence[Entry], sizes: Sizes
) -> Iterator[Entry]:  # fmt: skip
    """A corpus against a real set: Table 3's differences, realism, leakage."""
    name, real = own.corpus.name, reference.train.name
    values = {(entry.metric, entry.corpus): entry for entry in known if entry.section == "table 3" and entry.against is None}
    for (metric, whose), entry in values.items():
        if whose == name and (metric, real) in values:
            apart = minus(entry.figure, values[metric, real].figure)
            yield Entry("table 3", metric, name, apart, entry.of, real, "synthetic minus real")
    yield from realism(own, other, sizes)
    yield from leakage(own, other, reference, encoder, sizes)


def realism(own: Drawn, other: Drawn, sizes: Sizes) -> Iterator[Entry]:
    """Can the two be told apart, and does each cover the other?"""
    name, real, size = own.corpus.name, other.corpus.name, min(len(own.passages), len(other.passages))
    first, second = own.passages[:size], other.passages[:size]
    groups = [f"{side}/{passage.history}" for side, part in enumerate((first, second)) for passage in part]
    tests: dict[str, Told] = {
        "told_apart_by_words_auc": on_words(_apart(first, 0), _apart(second, 1), sizes.seed),
        "told_apart_by_meaning_auc": on_vectors(own.vectors[:size], other.vectors[:size], groups, sizes.seed),
    }
    for metric, found in tests.items():
        yield Entry("realism", metric, name, found.figure, "passages", real, f"p {found.p:.3f}, chance .500")
    for metric, statistic in MANIFOLD.items():
        figure = embedding.of_halves(statistic, own.vectors, other.vectors, seed=sizes.seed)
        yield Entry("realism", metric, name, figure, "passages of each", real)


def _apart(part: Sequence[Passage], side: int) -> list[Passage]:
    return [Passage(f"{side}/{passage.history}", passage.text) for passage in part]


MANIFOLD: Mapping[str, Callable[[Vectors, Vectors], float]] = {
    "mauve": embedding.mauve,
    "precision": lambda first, second: embedding.manifold(first, second).precision,
    "recall": lambda first, second: embedding.manifold(first, second).recall,
    "density": lambda first, second: embedding.manifold(first, second).density,
    "coverage": lambda first, second: embedding.manifold(first, second).coverage,
}


def leakage(own: Drawn, other: Drawn, reference: Reference, encoder: Encoder, sizes: Sizes) -> Iterator[Entry]:
    """Does the corpus hold texts of the real set, of its training people more than of its test people?"""
    name, real, seed = own.corpus.name, reference.train.name, sizes.seed
    held = sample(reference.holdout.passages, sizes.passages // 2, seed)
    groups = [passage.history for passage in own.passages]
    apart = encoder.encode([p.text for p in held])
    close = privacy.closest_record(own.vectors, groups, other.vectors, apart, seed)
    yield Entry(
        "privacy", "nearer_to_train", name, close.nearer_train, "passages", real, f"p {close.p:.3f}, without copying .500"
    )
    yield Entry("privacy", "distance_to_train", name, close.train, "passages", real)
    yield Entry("privacy", "distance_to_holdout", name, close.holdout, "passages", real)
    yield Entry("privacy", "copied_passages", name, close.copies, "passages", real)
    said = [tokens(turn.text) for history in own.corpus.distinct for turn in history.turns]
    members, others = (_turns(part, 4 * sizes.utterances, seed) for part in (reference.train, reference.holdout))
    attack = privacy.likelihood_attack(said, members, others, seed)
    yield Entry("privacy", "membership_auc", name, attack.auc, "user turns", real, _attack(attack))
    size = min(len(apart), len(other.vectors))
    attack = privacy.embedding_attack(own.vectors, other.vectors[:size], apart[:size], seed)
    yield Entry("privacy", "membership_by_meaning_auc", name, attack.auc, "passages", real, _attack(attack))
    shared = list(duplicates.across(said_by_user(own.corpus.histories), said_by_user(reference.train.histories)))
    copied = share(len({first for first, _ in shared}), len(own.corpus.histories))
    yield Entry("privacy", "near_copies_of_train", name, copied, "histories", real)
    overlap = contamination.report(own.corpus.histories, reference.holdout.histories)
    turns = sum(len(history.turns) for history in reference.holdout.histories)
    yield Entry("privacy", "test_turns_contained", name, share(overlap["ngrams"]["count"], turns), "test turns", real)


def _attack(found: privacy.Membership) -> str:
    return f"TPR at 1 % FPR {found.tpr_at_1:.3f}, chance .500"


def said_by_user(histories: Sequence[History]) -> list[list[str]]:
    """The user's words of each history."""
    return [[word for turn in h.turns if turn.speaker == h.user for word in tokens(turn.text)] for h in histories]


def _turns(corpus: Corpus, most: int, seed: int) -> list[list[str]]:
    long = [passage for passage in corpus.utterances if len(tokens(passage.text)) > 3]
    return [tokens(passage.text) for passage in sample(long, most, seed)]


def pictures(drawn: Sequence[Drawn], topics: coverage.Topics | None, seed: int) -> Pictures:
    """What the plots show."""
    plane = embedding.flat(np.concatenate([own.vectors for own in drawn]))
    parts = np.split(plane, np.cumsum([len(own.vectors) for own in drawn])[:-1])
    return Pictures(
        categories={own.corpus.name: _by_category(own, topics) for own in drawn if topics and len(own.mapped)},
        turn_words={own.corpus.name: [len(tokens(each.text)) for each in own.corpus.utterances] for own in drawn},
        dialogue_turns={own.corpus.name: _dialogue_turns(own.corpus) for own in drawn},
        places={own.corpus.name: [(float(x), float(y)) for x, y in part[:MAP]] for own, part in zip(drawn, parts, strict=True)},
        associations={own.corpus.name: bias.associations(own.corpus.histories, seed)[:8] for own in drawn},
        templates={own.corpus.name: templates(own.corpus) for own in drawn},
    )


def _by_category(own: Drawn, topics: coverage.Topics) -> dict[str, float]:
    return {node[0]: count / len(own.mapped) for node, count in coverage.counts(topics, own.mapped, 1).items()}


def _dialogue_turns(corpus: Corpus) -> list[int]:
    return [count for history in corpus.distinct for count in Counter(turn.session for turn in history.turns).values()]


def templates(corpus: Corpus, most: int = 10) -> list[tuple[str, int]]:
    """The most frequent runs of five words of users."""
    grams = Counter(gram for passage in corpus.utterances for gram in ngrams(tokens(passage.text), probes.RUN))
    return [(" ".join(gram), count) for gram, count in grams.most_common(most)]
