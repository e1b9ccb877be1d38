"""A corpus of simulated users in the corpus report: its section in both files, its histories, and what is no such corpus."""

import json
from pathlib import Path
from statistics import mean

import pytest

from kithe.errors import ConfigError
from kithe.gym.coherence import coherence
from kithe.gym.corpus import Atlas
from kithe.gym.export import write_release
from kithe.gym.figures import Rate
from kithe.gym.records import Trajectory
from kithe.gym.source import FILE
from kithe.quality.measure import Sizes
from kithe.quality.texts import Corpus
from kithe.report import plots, users
from kithe.report.corpus import write
from tests.quality.worlds import Hashed, history

ATLAS = Atlas(personas=25, sessions=3)
SIZES = Sizes(tokens=1000, passages=40, items=40, people=10, utterances=40, histories=40)
PEOPLE = Corpus("laps", tuple(history(f"p{n}", [f"hi can you find recipe {n}", "thanks", f"and the {n} one"]) for n in range(30)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("store")
    origin = {"teacher": "scripted", "scripted": True, "licence": "apache-2.0"}
    write_release(ATLAS.talks, found / "generated" / "atlas-x", ATLAS, origin)
    return found


@pytest.fixture(scope="module")
def files(store: Path) -> dict[str, str]:
    atlas = users.written("atlas-x", store)
    assert atlas is not None
    said: list[str] = []
    part = users.part(atlas, Hashed(), PEOPLE, said.append)
    assert said == ["simulated users of atlas-x"]
    paths = write([users.corpus(atlas)], [], Hashed(), None, store / "out", SIZES, parts=[part])
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def test_the_section_is_in_both_reports(files: dict[str, str]) -> None:
    for name, mark in (("report.md", "## "), ("report.html", "<h2>")):
        assert f"{mark}Simulated users: atlas-x" in files[name]
        for words in ("noise: layers: surface", "an answer goes against it", "all a user says", "messages in a conversation",
                      "share: contraction", "Told apart by words", "targets: 3", "assistants: amber", "17663"):  # fmt: skip
            assert words in files[name], words
    assert "<svg" not in files["report.md"]
    for title in ("seed queries", "all a user says", "follow-ups"):
        assert f"<title>Domains: {title}</title>" in files["report.html"]
    assert "<title>home repair</title>" in files["report.html"]
    for heading in ("Privacy and leakage", "Diversity"):  # as for any corpus
        assert f"## {heading}" in files["report.md"]


def test_the_json_holds_the_figures(files: dict[str, str]) -> None:
    own = json.loads(files["report.json"])["Simulated users: atlas-x"]
    rows = {(row["texts"], row["label"]): row for row in own["domains"]["neighbours"]}
    assert rows["seed queries", "domain"]["purity"]["n"] > 60
    assert own["people"]["messages"]["human"] == 90
    assert own["people"]["turns_per_conversation"]["human"] == 3
    assert own["people"]["language"]["value"] > 0.9
    assert own["reveal"]["odds_ratio"] > 3
    assert own["coherence"]["against"] == 0
    assert 0.9 < own["coherence"]["score"] <= 1


def test_histories_are_those_of_all_users(store: Path) -> None:
    atlas = users.written(str(store / "generated" / "atlas-x"), store)
    assert atlas is not None
    assert len(users.corpus(atlas).histories) == 25
    assert len(users.corpus(atlas, 7).histories) == 7


def test_other_corpora_have_no_such_section(tmp_path: Path, store: Path) -> None:
    assert users.written("laps", store) is None
    assert users.written(str(tmp_path), store) is None
    (tmp_path / FILE).write_text("")
    with pytest.raises(ConfigError, match="no corpus of conversations"):
        users.written(str(tmp_path), store)


@pytest.mark.parametrize(("personas", "sessions"), [(1, 1), (4, 2)])
def test_a_tiny_corpus_has_a_report_that_says_what_it_is_too_small_for(tmp_path: Path, personas: int, sessions: int) -> None:
    atlas = Atlas(personas=personas, sessions=sessions)
    write_release(atlas.talks, tmp_path / "generated" / "tiny", atlas, {"teacher": "scripted", "scripted": True, "licence": "x"})
    found = users.written("tiny", tmp_path)
    assert found is not None
    n = personas * sessions
    part = users.part(found, Hashed(), PEOPLE)
    path = write([users.corpus(found)], [], Hashed(), None, tmp_path / "out", SIZES, parts=[part])[0]
    text = " ".join(path.read_text(encoding="utf-8").split())
    for name in ("seed queries", "opening messages", "follow-ups", "all a user says"):
        assert f"| {name} | domain | not enough data (n = {n}) for 10 neighbours of other users |" in text
    assert text.count(" for 10 neighbours of other users") == 6
    assert f"conversations | {n} |" in text
    assert ("not enough data (n = 0) for a share" in text) == (sessions == 1)  # nothing can drift in one session
    assert ("not enough data (n = 1) for a classifier that never saw a user" in text) == (personas == 1)
    assert ("for an odds ratio of several users" in text) == (personas == 1)
    own = json.loads((tmp_path / "out" / "report.json").read_text())["Simulated users: tiny"]["domains"]
    assert (own["neighbours"], own["seed_queries_minus_all_said"]) == ([], None)
    assert own["not_enough"][0] == {"texts": "seed queries", "label": "domain", "n": n}


def test_coherence_is_that_of_all_sessions() -> None:
    talks = list(Atlas(personas=3, sessions=2).talks())
    assert users.coherent(talks)["against"] == 0
    wrong = talks[0].model_copy(update={"persona": {"age_band": "under 18", "role": "a lawyer"}})
    assert users.coherent([*talks[:3], wrong]) == {"score": pytest.approx(mean([*map(_score, talks[:3]), 0])), "against": 0.25}


def _score(talk: Trajectory) -> float:
    return coherence().score(talk.persona)


def test_rates_are_found_wherever_they_stand() -> None:
    own = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "wanted": None}
    assert list(users.rates({"a": {"b": own, "c": 3}, "d": own})) == [("a: b", Rate(**own)), ("d", Rate(**own))]  # type: ignore[arg-type]


def test_every_label_has_its_own_colour() -> None:
    drawn = plots.labelled("t", [(float(n), 0.0, f"<{n}>") for n in range(26)])
    assert len({part.split('"')[1] for part in drawn.split("<circle")[1:]}) == 26
    assert "<0>" not in drawn
    assert plots.labelled("none", []).endswith("</svg>")
