"""Reading the record form: hand-made rows, and the real ones where they are."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kithe.corpora.build import build
from kithe.corpora.contamination import report
from kithe.corpora.overlap import Dialogues
from kithe.corpora.real import Mixture, RealSet
from kithe.corpora.sets import SETS
from kithe.corpora.source import Lossy, Split
from kithe.errors import ConfigError
from kithe.records.history import Evidence

PETS = [
    ("A", "hello , what are you doing ?"),
    ("B", "i am walking my two dogs in the park ."),
    ("A", "i had a cat as a child ."),
    ("B", "my sister likes cats too , she has 3 ."),
    ("A", "nice , i am a nurse by the way ."),
]
COLOURS = ["amber", "black", "coral", "denim", "ebony", "fawn", "green", "hazel", "ivory", "jade"]


def row(name: str, user: str = "B", turns: list[tuple[str, str]] | None = None, gold: Any = (), **more: Any) -> dict[str, Any]:
    said = [{"speaker": speaker, "text": text} for speaker, text in turns or PETS]
    return {"id": name, "source": name.split("-")[0], "user": user, "turns": said, "gold": list(gold), "licence": "MIT", **more}


def put(folder: Path, name: str, split: Split, rows: list[dict[str, Any]]) -> None:
    (folder / name).mkdir(exist_ok=True)
    with gzip.open(folder / name / f"{split}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in rows)


def numbered(size: int) -> list[dict[str, Any]]:
    return [
        row(f"personachat-{number}", turns=[("B", f"i wear {colour}")], gold=[{"value": f"i wear {colour}."}])
        for number, colour in zip(range(size), COLOURS * 9, strict=False)
    ]


def test_a_row_becomes_a_tidy_history(tmp_path: Path) -> None:
    gold = [
        {"value": "i have two dogs .", "expressed": True, "evidence_turns": [1], "polarity": "positive"},
        {"value": "i am rich.", "expressed": False, "evidence_turns": []},
    ]
    put(tmp_path, "personachat", "test", [row("personachat-1-B", gold=gold, assigned_persona=["secret"], twin="t")])
    source = RealSet("personachat", str(tmp_path))
    (history,) = source.histories("test", 0)
    assert history.turns[1].text == "i am walking my two dogs in the park."
    assert (history.user, history.licence, history.twin) == ("B", "MIT", "t")
    assert [(item.statement, item.evidence, item.polarity) for item in history.items] == [
        ("i have two dogs.", (Evidence(turn=1),), "positive")
    ]
    assert "secret" not in history.line()
    assert source.losses("test") == {"facts not expressed (human flag)": 1}
    assert len(next(RealSet("personachat", str(tmp_path), unexpressed=True).histories("test", 0)).items) == 2


def test_laps_speaks_in_sentences_and_may_lose_the_moment(tmp_path: Path) -> None:
    gold = [
        {"value": "Nuts", "category": "recipe/allergies", "situational": False, "evidence_turn": 1},
        {"value": "30 minutes", "category": "recipe/time_availability", "situational": True},
    ]
    put(
        tmp_path,
        "laps",
        "test",
        [row("laps-1", turns=[("B", "any allergies?"), ("A", "nuts, and I have 30 minutes")], gold=gold)],
    )
    (history,) = RealSet("laps", str(tmp_path)).histories("test", 0)
    assert [(item.statement, item.category, item.value) for item in history.items] == [
        ("I am allergic to nuts.", "Health & Wellness", "Nuts"),
        ("I have 30 minutes to cook.", "Constraints", "30 minutes"),
    ]
    lasting = RealSet("laps", str(tmp_path), situational=False)
    assert [item.value for item in next(lasting.histories("test", 0)).items] == ["Nuts"]
    assert lasting.losses("test") == {"situational facts": 1}


def test_casino_says_what_is_needed_and_how_much(tmp_path: Path) -> None:
    gold = [{"value": "firewood", "polarity": "positive", "intensity": "high", "category": "camping supply need"}]
    put(tmp_path, "casino", "test", [row("casino-1", gold=gold)])
    (history,) = RealSet("casino", str(tmp_path)).histories("test", 0)
    assert [(item.statement, item.intensity, item.category) for item in history.items] == [("I need firewood.", "high", None)]


def test_the_seed_orders_training_only(tmp_path: Path) -> None:
    for split in ("train", "test"):
        put(tmp_path, "personachat", split, numbered(10))
    source = RealSet("personachat", str(tmp_path))
    order = {seed: [history.id for history in source.histories("train", seed)] for seed in (0, 1)}
    assert order[0] != order[1]
    assert sorted(order[0]) == sorted(order[1])
    assert order[0] == [history.id for history in source.histories("train", 0)]
    assert [history.id for history in source.histories("test", 1)] == [f"personachat-{number}" for number in range(10)]


def test_a_limit_draws_the_same_histories_for_every_seed(tmp_path: Path) -> None:
    put(tmp_path, "personachat", "train", numbered(10))
    few, more = (RealSet("personachat", str(tmp_path), limit=limit) for limit in (4, 6))
    drawn = [{history.id for history in few.histories("train", seed)} for seed in range(3)]
    assert drawn[0] == drawn[1] == drawn[2]
    assert len(drawn[0]) == 4
    assert drawn[0] < {history.id for history in more.histories("train", 0)}


def test_the_folder_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "personachat", "test", numbered(1))
    monkeypatch.setenv("KITHE_DATA", str(tmp_path))
    assert len(list(RealSet("personachat").histories("test", 0))) == 1
    with pytest.raises(ConfigError, match=r"no .*msc/test.jsonl.gz: point KITHE_DATA"):
        list(RealSet("msc").histories("test", 0))


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'personachat'"):
        list(RealSet("persona-chat", str(tmp_path)).histories("test", 0))
    put(tmp_path, "msc", "test", [row("msc-1"), {"id": "msc-2"}])
    with pytest.raises(ConfigError, match=r"test.jsonl.gz: line 2: source"):
        list(RealSet("msc", str(tmp_path)).histories("test", 0))
    with pytest.raises(ConfigError, match="above 0"):
        Mixture({"laps": 0})


def test_a_mixture_keeps_its_shares(tmp_path: Path) -> None:
    def rows(name: str, size: int, facts: int) -> list[dict[str, Any]]:
        turns = [("B", f"i wear {colour} number{name}") for colour in COLOURS[:facts]]
        return [
            row(
                f"{name}-{number}",
                turns=[*turns, ("B", f"unique {name} {number}")],
                gold=[{"value": f"i wear {colour}."} for colour in COLOURS[:facts]],
            )
            for number in range(size)
        ]

    put(tmp_path, "msc", "train", rows("msc", 20, 9))
    put(tmp_path, "personachat", "train", rows("personachat", 200, 2))
    source = Mixture({"msc": 1, "personachat": 2}, folder=str(tmp_path))
    taken: Counter[str] = Counter()
    for number, history in enumerate(source.histories("train", 0)):
        taken[history.source] += len(history.items)
        if number == 60:
            break
    assert taken["personachat"] == pytest.approx(2 * taken["msc"], abs=18)
    ids = [history.id for history in source.histories("train", 0)]
    assert ids == [history.id for history in source.histories("train", 0)]
    assert ids != [history.id for history in source.histories("train", 1)]
    assert len(ids) == 220
    assert source.fields == frozenset()


def test_a_dialogue_in_two_sets_counts_once(tmp_path: Path) -> None:
    cased = [
        (speaker, text.replace(" ,", ",").replace(" ?", "?").replace("i am", "I'm").replace("two", "2")) for speaker, text in PETS
    ]
    put(tmp_path, "msc", "train", [row("msc-1-B", turns=[*cased, ("B", "more in the next session")])])
    other = [("A", "hello , what are you doing ?"), ("B", "i bake bread all day long ."), ("A", "i had a cat as a child .")]
    put(
        tmp_path,
        "personachat",
        "train",
        [row("personachat-1-A", "A"), row("personachat-1-B"), row("personachat-2-B", turns=other)],
    )
    source = Mixture({"msc": 1, "personachat": 1}, folder=str(tmp_path))
    assert {history.id for history in source.histories("train", 0)} == {"msc-1-B", "personachat-2-B"}
    assert isinstance(source, Lossy)
    assert source.losses("train") == {"histories of a dialogue that an earlier set holds": 2}
    turned = Mixture({"personachat": 1, "msc": 1}, folder=str(tmp_path))
    assert len(list(turned.histories("train", 0))) == 3


@pytest.mark.parametrize("name", SETS)
def test_the_real_rows_are_sound(data: Path, name: str) -> None:
    source = RealSet(name, str(data))
    ids: list[str] = []
    for split in ("train", "validation", "test"):
        for history in source.histories(split, 0):
            ids.append(history.id)
            assert any(turn.speaker == history.user for turn in history.turns), history.id
            assert all(history.turns[proof.turn].speaker == history.user for item in history.items for proof in item.evidence)
            assert all(getattr(item, field) for item in history.items for field in source.fields), history.id
    assert len(ids) == len(set(ids))


def test_no_mixed_dialogue_is_in_a_test_set(data: Path) -> None:
    parts = {name: list(RealSet(name, str(data)).histories("train", 0)) for name in ("laps", "msc", "personachat")}
    train = list(Mixture(dict.fromkeys(parts, 1), folder=str(data)).histories("train", 0))
    assert sum(map(len, parts.values())) - len(train) == 840  # both sides of MSC's 420 dialogues, all of them from PersonaChat
    trained = Dialogues()
    trained.add(train)
    for name in parts:
        test = list(RealSet(name, str(data), limit=400).histories("test", 0))
        assert [history.id for history in test if name != "laps" and trained.holds(history)] == []
        found = report(train[:300], test)
        assert [found[kind]["count"] for kind in ("ids", "twins", "dialogues", "facts")] == [0, 0, 0, 0]


def test_the_real_corpus_has_its_facts_in_equal_shares(data: Path) -> None:
    card = build(Mixture({"laps": 1, "msc": 1, "personachat": 1}, folder=str(data)), 900, 0, 0.5).card
    assert card["train"]["facts"] == 900
    assert all(abs(facts - 300) <= 20 for facts in card["train"]["facts_by_set"].values())


def test_half_of_the_synthetic_personas_are_never_spoken(data: Path) -> None:
    card = build(RealSet("spc_synthetic", str(data)), None, 0, 0.5).card
    dropped = card["train"]["dropped"]["facts not expressed"]
    assert dropped / (dropped + card["train"]["facts"]) == pytest.approx(0.607, abs=0.005)
