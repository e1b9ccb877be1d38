"""From the files of the public homes to the record form of `kithe.corpora.rows`.

What was known when this was written, without a network to try it:

- LAPS (`dataset/{recipe,movie}_dataset_*.json`) and CaSiNo (`data/split/casino_*.json`): the authors' repositories were read;
  rows, turns, facts and splits come out as in the record files.
- Synthetic-Persona-Chat (`data/*.csv`) and PersonaChat true-cased (`*.json`): a few rows of the files were read. The csv does not
  say which PersonaChat dialogue is a row's twin, and the true-cased PersonaChat has neither the original test split nor people's
  judgement of which facts are expressed: the rule of `kithe.corpora.expressed` stands in for it, and validation and test are the
  even and the odd dialogues of its validation file.
- MSC (`data/*.parquet`): only the column names were seen, in other people's code. This copy has lost the evidence turns and
  keeps a persona list per session and speaker; the gold facts are all sentences of those lists.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from kithe.corpora.source import Split
from kithe.corpora.words import words

RawRow = dict[str, Any]
_OF_THE_MOMENT: Final = """
time_availability ingredient_availability seasonal_ingredients companions companion_preferences occasion_or_theme
viewing_companions seasonal_themes special_occasion users_mood platform_availability
"""
_SITUATIONAL: Final = frozenset(_OF_THE_MOMENT.split())
_DEALS: Final = frozenset({"Submit-Deal", "Accept-Deal", "Reject-Deal", "Walk-Away"})
_SPEAKERS: Final = {"mturk_agent_1": "A", "mturk_agent_2": "B"}
_CC_BY: Final = "CC BY 4.0"


def laps(files: Sequence[Path], split: Split) -> Iterator[RawRow]:
    """LAPS: `[{worker_id, topic, sessions: [{dialogue: [{role, message}], preferences: {category: [value]}}]}]`."""
    del split
    for file in files:
        for entry in json.loads(file.read_text(encoding="utf-8")):
            turns = [
                {"speaker": "A" if said["role"] == "User" else "B", "text": said["message"], "session": number}
                for number, session in enumerate(entry["sessions"], start=1)
                for said in session["dialogue"]
            ]
            gold = _preferences(entry["topic"], entry["sessions"])
            yield _row(f"laps-{entry['topic']}-{entry['worker_id']}", "A", turns, gold, "MIT")


def _preferences(topic: str, sessions: Sequence[Mapping[str, Any]]) -> list[RawRow]:
    found: dict[tuple[str, str], RawRow] = {}
    for number, session in enumerate(sessions, start=1):
        for key, values in session["preferences"].items():
            for value in values:
                found.setdefault((key, value), _preference(topic, key, value))["sessions"].append(number)
    return list(found.values())


def _preference(topic: str, key: str, value: str) -> RawRow:
    name, polarity = key, None
    for ending, meaning in (("_like", "positive"), ("_dislike", "negative")):
        if key.endswith(ending):
            name, polarity = key.removesuffix(ending), meaning
    gold = {"value": value, "category": f"{topic}/{name}", "situational": name in _SITUATIONAL, "sessions": []}
    return gold if polarity is None else {**gold, "polarity": polarity}


def casino(files: Sequence[Path], split: Split) -> Iterator[RawRow]:
    """CaSiNo: `[{dialogue_id, chat_logs: [{text, id}], participant_info: {agent: {value2issue: {High: Food, …}}}}]`."""
    del split
    for file in files:
        for entry in json.loads(file.read_text(encoding="utf-8")):
            logs = [said for said in entry["chat_logs"] if said["text"] not in _DEALS]
            turns = [{"speaker": _SPEAKERS[said["id"]], "text": said["text"]} for said in logs]
            for agent, speaker in _SPEAKERS.items():
                issues = entry["participant_info"][agent]["value2issue"]
                gold = [_issue(issues[level].lower(), level.lower()) for level in ("High", "Medium", "Low")]
                yield _row(f"casino-{entry['dialogue_id']}-{speaker}", speaker, turns, gold, _CC_BY)


def _issue(item: str, level: str) -> RawRow:
    return {"value": item, "category": "camping supply need", "polarity": "positive", "intensity": level}


def spc(files: Sequence[Path], split: Split) -> Iterator[RawRow]:
    """Synthetic-Persona-Chat: a csv of two personas (a sentence a line) and a dialogue ("User 1: …" a line) per row."""
    csv.field_size_limit(sys.maxsize)
    for file in files:
        with open(file, encoding="utf-8", newline="") as lines:
            for number, entry in enumerate(csv.DictReader(lines)):
                turns = list(_utterances(entry["Best Generated Conversation"]))
                for speaker, column in (("A", "user 1 personas"), ("B", "user 2 personas")):
                    gold = [{"value": line.strip()} for line in entry[column].splitlines() if line.strip()]
                    yield _row(f"spc-{split}-{number}-{speaker}", speaker, turns, gold, _CC_BY)


def _utterances(text: str) -> Iterator[RawRow]:
    for line in text.splitlines():
        for mark, speaker in (("User 1:", "A"), ("User 2:", "B")):
            if line.casefold().startswith(mark.casefold()):
                yield {"speaker": speaker, "text": line[len(mark) :].strip()}


def personachat(files: Sequence[Path], split: Split) -> Iterator[RawRow]:
    """PersonaChat, true-cased: `[{personality: [sentence], utterances: [{history: [turn], candidates: [.., truth]}]}]`.

    The personality is that of the speaker who answers; `history` alternates and ends with the other one. The last utterance holds
    the whole dialogue. Where one file has a dialogue from both sides, they become speakers A and B of one dialogue number.
    """
    numbers: dict[str, int] = {}
    for file in files:
        for entry in json.loads(file.read_text(encoding="utf-8")):
            last = entry["utterances"][-1]
            texts = [*last["history"], last["candidates"][-1]]
            silent = texts[0].strip("_ ").upper() == "SILENCE"
            said = texts[1:] if silent else texts
            number = numbers.setdefault(" ".join(words(" ".join(said[:4]))), len(numbers))
            if split != "train" and number % 2 != (split == "test"):
                continue
            user = "A" if len(said) % 2 else "B"
            turns = [{"speaker": "AB"[place % 2], "text": text} for place, text in enumerate(said)]
            gold = [{"value": fact} for fact in entry["personality"]]
            yield _row(f"pc-{'train' if split == 'train' else 'valid'}-{number}-{user}", user, turns, gold, _CC_BY)


def msc(files: Sequence[Path], split: Split) -> Iterator[RawRow]:
    """MSC: a parquet row per session with `dialoug_id, session_id, persona1, persona2, dialogue, speaker` ("Speaker 1" …)."""
    from pyarrow import parquet

    for file in files:
        sessions = sorted(parquet.read_table(file).to_pylist(), key=lambda row: (row["dialoug_id"], row["session_id"]))
        for number, parts in groupby(sessions, key=lambda row: row["dialoug_id"]):
            yield from _chat(f"msc-{split}_{number}", list(parts))


def _chat(name: str, parts: Sequence[Mapping[str, Any]]) -> Iterator[RawRow]:
    turns = [
        {"speaker": "AB"[speaker.strip().endswith("2")], "text": text, "session": session}
        for session, part in enumerate(parts, start=1)
        for speaker, text in zip(part["speaker"], part["dialogue"], strict=True)
    ]
    for user, column in (("A", "persona1"), ("B", "persona2")):
        facts = dict.fromkeys(fact.strip() for part in parts for fact in part[column] if fact.strip())
        yield _row(f"{name}-{user}", user, turns, [{"value": fact} for fact in facts], _CC_BY)


def _row(name: str, user: str, turns: Iterable[RawRow], gold: Iterable[RawRow], licence: str) -> RawRow:
    return {"id": name, "turns": list(turns), "user": user, "gold": list(gold), "licence": licence}
