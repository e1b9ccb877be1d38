"""Simulated users: speed and memory of scripted talk, rates of every law, reveal on violation, calls of endpoint use.

    python -m benchmarks.gym [--personas 2000] [--sessions 5] [--evidence 300]

Conversations are written one after the other, the release into a temporary folder; times are of one process, in processor seconds
beside wall seconds, because a busy machine stretches the latter. Human talk for the comparison is LAPS (train), from KITHE_DATA.
Calls and tokens of endpoint use are counted with a scripted client in the place of every model, whose tokens are words, on the
prompts as they are sent; the price is what such tokens cost at the prices given.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections import Counter, deque
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.common import write
from kithe.corpora.real import RealSet
from kithe.errors import ConfigError
from kithe.gym import evidence
from kithe.gym.asked import Account, Clients, cast, run
from kithe.gym.assistant import ScriptedAssistant, houses, scripted_pool
from kithe.gym.bank import bank
from kithe.gym.coherence import coherence
from kithe.gym.corpus import Atlas, split_of
from kithe.gym.domains import DOMAIN, domains
from kithe.gym.export import write_release
from kithe.gym.figures import persona_laws, rate
from kithe.gym.noise.distractor import CHECKS, OPERATORS, Distractor, applied_to
from kithe.gym.noise.meaning import extract
from kithe.gym.queries import queries
from kithe.gym.records import Trajectory
from kithe.gym.sampling import Preference, Rules, Sampler, Stratified
from kithe.gym.source import FILE
from kithe.gym.style import SHOWN
from kithe.gym.talk import Discarded, converse
from kithe.llm.client import Ask
from kithe.llm.scripted import ScriptedClient
from kithe.records.base import write_lines
from kithe.report.users import as_json, rates

TOKENS_PER_WORD = 1.35  # of English text in current tokenisers, roughly
SCRIPTED = {"teacher": "scripted", "scripted": True, "licence": "apache-2.0"}
PRICES = {"prompt": 0.25, "new": 2.0}  # a million tokens, in dollars; an example of a small hosted model's


def timed(work: Any) -> tuple[Any, float, float]:
    """A result, processor seconds, wall seconds."""
    cpu, wall = time.process_time(), time.monotonic()
    found = work()
    return found, time.process_time() - cpu, time.monotonic() - wall


def endpoint_use(atlas: Atlas, users: int) -> dict[str, float]:
    """Calls, prompt and new tokens of a conversation, with every part played by a client that answers as the scripts would."""
    from random import Random

    def stylist(ask: Ask) -> str:
        text = ask.messages[0].content
        query = next(query for query in queries() if query.text in text)
        low = int(text.split("Length: ")[1].split()[0])
        body = query.text + " and so on" * max(0, (low - len(query.text.split())) // 3 + 1)
        return json.dumps({"adapted_query": body, "inferred_domain": query.domain, "inferred_scenario": "learning"})

    def user(ask: Ask) -> str:
        text = ask.messages[0].content
        done = "no patience left" in text or "one more message" in text
        body = {"satisfied": done, "feedback": None if done else "Could you keep it to one or two lines, please?",
                "violated_dims": [], "satisfied_dims": [], "serves_dim": None if done else "follow_up_tendency"}  # fmt: skip
        return json.dumps(
            {**body, **({"feedback": "And what does it cost?", "serves_dim": "follow_up_tendency"} if done else {})}
        )

    def distractor(ask: Ask) -> str:
        text = ask.messages[0].content.split("Message: ")[1].split("\n")[0]
        if "Intent: the one verb" in ask.messages[0].content:
            found = extract(text)
            return json.dumps({"intent": found.intent, "slots": list(found.slots)})
        layer = next(name for name, own in OPERATORS.items() if any(strategy in ask.messages[0].content for strategy in own))
        tried = (applied_to(text, text, layer, name, extract(text), "plain", Random(0)) for name in OPERATORS[layer])
        return json.dumps(
            {"noisy_text": next((made for made in tried if made and CHECKS[layer](extract(text), text, made)), text)}
        )

    def assistant(ask: Ask) -> str:
        return ScriptedAssistant(next(iter(houses()))).answer(ask.messages[1:], Random(0))

    parts = {
        "formulator": lambda _: "Answer briefly and calmly, with one example.",
        "stylist": stylist,
        "user": user,
        "distractor": distractor,
        "assistant": assistant,
    }
    clients = Clients({name: ScriptedClient(answer, name) for name, answer in parts.items()})
    account, players = Account(), cast(scripted_pool(), Distractor(), "scripted client")
    talks = (converse(opening, players, atlas.rules, atlas.seed) for index in range(users) for opening in atlas.openings(index))
    found = list(run(talks, clients, account))
    n = len(found)
    prompt, new = (sum(own.values()) * TOKENS_PER_WORD / n for own in (account.prompt_tokens, account.new_tokens))
    return {
        "conversations": n,
        "discarded": sum(isinstance(one, Discarded) for one in found),
        "calls_per_conversation": round(sum(account.calls.values()) / n, 2),
        "prompt_tokens_per_conversation": round(prompt),
        "new_tokens_per_conversation": round(new),
        "estimated_dollars_per_1000_conversations": round((prompt * PRICES["prompt"] + new * PRICES["new"]) / 1000, 3),
    }


def coherent() -> dict[str, float]:
    """Coherence of 500 personas, beside the same drawn dimension by dimension."""
    found = {}
    for name, sampler in (("ours", Sampler()), ("independent", Sampler(coherent=False))):
        people = [person.values for person in sampler.personas(500, 0)]
        found[f"score_{name}"] = sum(map(coherence().score, people)) / len(people)
        found[f"impossible_{name}"] = sum(coherence().broken(values) > 0 for values in people) / len(people)
    return found


def extraction() -> dict[str, float]:
    """How well intent and slots of the seed queries are found by rules, without knowing them."""
    right = total = hit = wanted = 0
    for query in queries():
        slots = extract(query.text).slots
        right += sum(any(slot in own or own in slot for own in query.slots) for slot in slots)
        total += len(slots)
        hit += sum(any(slot in own or own in slot for slot in slots) for own in query.slots)
        wanted += len(query.slots)
    intents = sum(extract(query.text).intent == query.intent for query in queries())
    return {"intent_accuracy": intents / len(queries()), "slot_precision": right / total, "slot_recall": hit / wanted}


def compared(atlas: Atlas, folder: Path, users: int) -> dict[str, Any]:
    """Simulated and human user messages (LAPS train); empty where LAPS is not there."""
    if "KITHE_DATA" not in os.environ:
        return {}
    try:
        other = evidence.human(islice(RealSet("laps").histories("train", 0), users))
    except ConfigError:
        return {}
    return evidence.beside(evidence.simulated(islice(Trajectory.read(folder / FILE), users * atlas.sessions)), other)


def interleaved(folder: Path) -> dict[str, Any]:
    """How far users' texts lie apart by domain, beside seed queries (needs the sentence encoder)."""
    from kithe.llm.embed import Embedder

    return as_json(domains(Trajectory.read(folder / FILE), Embedder()))


def strategies(users: int = 2000) -> dict[str, Any]:
    """The strategies of drawing: a preference rule's rate, and how even stratified domains are."""
    rule = Preference("risk_posture", ("bold",), "time_sensitivity", ("right now",), 0.8)
    base = Sampler(availability=1.0, size=17, coherent=False)
    drawn = [person.values for person in replace(base, strategy=Rules((rule,))).personas(users, 0)]
    bold = [values["time_sensitivity"] for values in drawn if values["risk_posture"] == "bold"]
    spread = Counter(person.values["domain"] for person in replace(base, strategy=Stratified(("domain",))).personas(users, 0))
    return {
        "rule": asdict(rate(bold.count("right now"), len(bold), 0.8 + 0.2 / 4)),
        "stratified": {"fewest": min(spread.values()), "most": max(spread.values()), "values": len(spread)},
    }


def separable(folder: Path) -> dict[str, Any]:
    """How well words tell values of the dimensions that answers show, from whole talks and from opening messages alone."""
    found = list(Trajectory.read(folder / FILE))
    train, test = ([talk for talk in found if split_of(talk.persona_id) == split] for split in ("train", "test"))
    return {
        name: {"talk": evidence.separability(train, test, name), "opening": evidence.separability(train, test, name, True)}
        for name in SHOWN
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--personas", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=5)
    parser.add_argument("--evidence", type=int, default=300)
    options = parser.parse_args()
    atlas = Atlas(personas=options.personas, sessions=options.sessions)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _, drawing, _ = timed(lambda: atlas.users)
        _, talking, wall = timed(lambda: deque(atlas.talks(), maxlen=0))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        write_lines(folder / "drawn.jsonl", (talk.line() for talk in atlas.talks()))
        card, exporting, _ = timed(
            lambda: write_release(lambda: Trajectory.read(folder / "drawn.jsonl"), folder, atlas, SCRIPTED)
        )
        found, told, apart = compared(atlas, folder, options.evidence), separable(folder), interleaved(folder)
    talks, shown = card["statistics"]["conversations"], card["reveal"]
    use = endpoint_use(atlas, 40)
    summary = {
        "conversations_per_s": round(talks / talking, 1),
        "conversations_per_s_wall": round(talks / wall, 1),
        "seconds_personas": round(drawing, 2),
        "seconds_conversations": round(talking, 2),
        "seconds_release": round(exporting, 2),
        "memory_mb": round(memory),
        "conversations": talks,
        "personas": card["statistics"]["personas"],
        "operators": sum(map(len, OPERATORS.values())),
        "dimensions": len(bank().names),
        "seed_queries": len(queries()),
        "reveal_odds_ratio": round(shown["odds_ratio"], 2),
        "reveal_odds_ratio_low": round(shown["low"], 2),
        "furthest_rate_sigmas": round(max(own.sigmas for _, own in rates(card["statistics"])), 2),
        "same_domain_neighbours": {
            row["texts"]: round(row["purity"]["value"], 3) for row in apart["neighbours"] if row["label"] == DOMAIN
        },
        **{name: use[name] for name in use if name not in ("conversations", "discarded")},
    }
    rows = [{"part": "laws", **card["statistics"]}, {"part": "reveal", **shown}, {"part": "coherence", **coherent()},
            {"part": "personas", **persona_laws(atlas.sampler, atlas.users), "strategies": strategies()},
            {"part": "domains", **apart}, {"part": "extraction", **extraction()}, {"part": "human talk", **found},
            {"part": "separability", **told},
            {"part": "endpoint use", **use}, {"part": "published", **card["published"]}]  # fmt: skip
    note = (
        "Users, assistants and noise are scripted. Endpoint use is counted with a scripted client: 1.35 tokens a word, "
        f"at {PRICES['prompt']} and {PRICES['new']} dollars a million prompt and new tokens; no model was asked."
    )
    print(write("gym", "python -m benchmarks.gym", rows, summary, note=note))
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
