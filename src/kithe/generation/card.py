"""The card of a generated corpus: `card.json` for programs, `README.md` with a YAML header for people and dataset hubs."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from kithe.generation.export import RECORDS, SPLITS, Export, Written
from kithe.generation.likeness import MOST_ECHOES

Card = dict[str, Any]


def card(identity: str, config: Mapping[str, Any], account: Mapping[str, Any], export: Export, written: Written) -> Card:
    """Everything there is to say about a corpus, as plain JSON values without a clock: the same corpus has the same card.

    Args:
        identity: the corpus id.
        config: the resolved task and seed it was made with.
        account: who wrote it: `source`, `teacher`, `scripted`, `fields`, `stages` (ids), `versions`.
    """
    return {
        "id": identity,
        **account,
        "seed": config["seed"],
        "licence": export.licence,
        "rows": written.rows,
        **{split: written.statistics[split].report() for split in SPLITS},
        "rejected": {stage: dict(sorted(reasons.items())) for stage, reasons in written.rejected.items()},
        "dropped": {stage: dict(sorted(reasons.items())) for stage, reasons in written.dropped.items()},
        "checks": {name: found.report() for name, found in written.accounts.items() if name != "dialogues"},
        "likeness": written.accounts["dialogues"].report() if "dialogues" in written.accounts else {},
        "privacy": {"epsilon": _epsilon(config)},
        "files": dict(sorted(written.files.items())),
        "config": _guarded(config),
    }


def readme(card: Card, export: Export) -> str:
    """The card in Markdown."""
    header = yaml.safe_dump(_header(card, export), sort_keys=False, allow_unicode=True)
    return "\n".join([f"---\n{header}---\n", f"# {export.title}\n", *_sections(card)])


def _header(card: Card, export: Export) -> dict[str, Any]:
    kind = "parquet" if "parquet" in export.files else "json"
    return {
        "license": export.licence,
        "language": ["en"],
        "pretty_name": export.title,
        "tags": ["synthetic", "personal-knowledge", "dialogue", "scripted" if card["scripted"] else "llm-generated"],
        "size_categories": [_size(sum(card[split]["dialogues"] for split in SPLITS))],
        "configs": [
            {
                "config_name": name,
                **({"default": True} if name == "dialogues" else {}),
                "data_files": [{"split": split, "path": _pattern(name, split, kind)} for split in SPLITS],
            }
            for name in (RECORDS if kind == "parquet" or "jsonl" in export.files else ["dialogues"])
        ],
    }


def _pattern(table: str, split: str, kind: str) -> str:
    if kind == "parquet":
        return f"parquet/{table}/{split}-*.parquet"
    return f"{split}.jsonl" if table == "dialogues" else f"{table}/{split}.jsonl"


def _size(count: int) -> str:
    """The hub's words for so many rows."""
    names = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M")]
    return next((name for most, name in names if count < most), "10M<n<100M")


def _sections(card: Card) -> Iterator[str]:
    writer = "a program that follows scripts: no language model" if card["scripted"] else "a language model"
    yield "Every person, conversation and fact here is invented.\n"
    yield f"Written by `{card['teacher']}`, {writer}; seed {card['seed']}.\n"
    yield "Facts are labelled by construction: each was planned for a turn, and its evidence is quoted from that turn.\n"
    yield "## Size and statistics\n"
    yield "| | " + " | ".join(SPLITS) + " |\n|---|" + "---:|" * len(SPLITS)
    yield from (f"| {name} | {' | '.join(str(values[split]) for split in SPLITS)} |" for name, values in _figures(card))
    yield "\nVocabulary counts the user's words. A routine turn is a user turn that shows no fact."
    yield from _taxonomy(card)
    yield "\n## Quarantine\n"
    yield from _quarantine(card)
    if card["checks"]:
        yield "\n## An independent second labelling\n"
        yield from (f"- {name}: {value}" for name, value in _flat(card["checks"]))
    yield from _likeness(card["likeness"])
    yield "\n## Privacy\n"
    yield from _privacy(card)
    yield "\n## Where it comes from\n"
    yield f"- id `{card['id']}`, licence {card['licence']}"
    writers = {name: f" by `{who}`" for name, who in card["writers"].items()}
    yield from (f"- stage {name}{writers.get(name, '')}: `{identity}`" for name, identity in card["stages"].items())
    yield "\n## Files\n"
    yield "| file | bytes | sha256 |\n|---|---:|---|"
    yield from (f"| {name} | {file['bytes']} | `{file['sha256']}` |" for name, file in card["files"].items())
    yield ""


def _taxonomy(card: Card) -> Iterator[str]:
    """How much of the interest taxonomy the personas' paths touch, depth by depth."""
    yield "\n## Coverage of the interest taxonomy\n"
    if not any(card[split]["taxonomy"] for split in SPLITS):
        yield "Personas of this corpus have no interest paths; their interests come from the writer's own lists."
        return
    yield "Nodes on the interest paths of at least one persona, of at least five, and in all (depth 1: top categories).\n"
    yield (
        "| depth | nodes | "
        + " | ".join(f"{split} | by five" for split in SPLITS)
        + " |\n|---|---:|"
        + "---:|---:|" * len(SPLITS)
    )
    depths = sorted({depth for split in SPLITS for depth in card[split]["taxonomy"]}, key=int)
    for depth in depths:
        found = [card[split]["taxonomy"].get(depth) for split in SPLITS]
        cells = [f"{row['covered']} ({row['share']:.1%}) | {row['by_five']}" if row else "0 | 0" for row in found]
        yield f"| {depth} | {next(row['nodes'] for row in found if row)} | {' | '.join(cells)} |"


def _likeness(found: Mapping[str, Any]) -> Iterator[str]:
    """How the corpus is like what its writer was shown."""
    if not found:
        return
    yield "\n## Exemplars and targets\n"
    if bank := found.get("exemplars"):
        yield (
            f"Three of {bank['lines']} utterances ({bank['bank']}) showed each dialogue its manner. Of "
            f"{bank['user_turns']} user turns "
            f"{bank['echo_share']:.2%} repeat one (eight words in a row, or nearly all of it); "
            f"from {MOST_ECHOES:.0%} on nothing is published."
        )
    if targets := found.get("targets"):
        yield f"\nFitted to the distributions of {targets['histories']} real histories; how far the corpus is from them:\n"
        yield "| | total variation | KS |\n|---|---:|---:|"
        yield from (f"| {name} | {values['tv']} | {values.get('ks', '–')} |" for name, values in targets["distance"].items())


def _privacy(card: Card) -> Iterator[str]:
    epsilon = card["privacy"]["epsilon"]
    real = card["likeness"].get("exemplars", {}).get("bank") == "FromReal"
    if epsilon is not None:
        yield (
            f"Statistics of real logs were released with differential privacy, ε = {epsilon}, one history being the unit. "
            "The noise is drawn once for a log and a budget: corpora that are written again release nothing more."
        )
    elif "targets" in card["likeness"]:
        yield "Statistics of a real log were used as they are (ε = ∞): no differential-privacy noise."
    else:
        yield "No differential-privacy budget was spent."
    if real:
        yield "\nReal people's utterances, de-identified by patterns and name lists, were shown to the writer: no guarantee."


def _figures(card: Card) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of the table of statistics: name, and the value of each split."""

    def row(name: str, *path: str) -> tuple[str, dict[str, Any]]:
        values = dict[str, Any]()
        for split in SPLITS:
            value = card[split]
            for part in path:
                value = value[part]
            values[split] = f"{value['mean']} ± {value['sd']}" if isinstance(value, dict) else value
        return name, values

    yield row("dialogues", "dialogues")
    yield row("facts", "items")
    yield row("turns a dialogue", "per_dialogue", "turns")
    yield row("user turns a dialogue", "per_dialogue", "user_turns")
    yield row("facts a dialogue", "per_dialogue", "items")
    yield row("words a user turn", "words_per_user_turn")
    yield row("vocabulary", "vocabulary", "types")
    yield row("routine turns", "routine_turns")
    yield row("categories covered", "coverage", "category", "distinct")
    yield row("attribute keys covered", "coverage", "key", "distinct")


def _quarantine(card: Card) -> Iterator[str]:
    if not card["rejected"] and not card["dropped"]:
        yield "Nothing was rejected."
        return
    yield "What could not be used is in `rejected.jsonl` with its raw text, and nowhere else: whole rows, and parts of others.\n"
    yield "| stage | what | reason | count |\n|---|---|---|---:|"
    for what, kind in (("row", "rejected"), ("part", "dropped")):
        counts = [(stage, reason, n) for stage, reasons in card[kind].items() for reason, n in reasons.items()]
        yield from (f"| {stage} | {what} | {reason} | {n} |" for stage, reason, n in counts)


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", value


def _guarded(value: Any) -> Any:
    """A config without the seeds of private noise, with which it could be taken off again."""
    if isinstance(value, Mapping):
        secret = value.get("epsilon") is not None and value.get("seed") is not None
        return {key: "secret" if secret and key == "seed" else _guarded(part) for key, part in value.items()}
    return [_guarded(part) for part in value] if isinstance(value, list | tuple) else value


def _epsilon(value: Any) -> float | None:
    """The privacy budget that stands anywhere in a config."""
    if isinstance(value, Mapping):
        own = value.get("epsilon")
        return float(own) if own is not None else next((e for part in value.values() if (e := _epsilon(part)) is not None), None)
    return None
