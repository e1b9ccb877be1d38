"""Noise of a private release is drawn once for a log and a budget, from a secret that is kept."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kithe.dialogues.mix import distance
from kithe.dialogues.noise import BYTES, VARIABLE, KeyedNoise, noise_for, secret_key
from kithe.dialogues.targets import FromLog, Histograms
from kithe.errors import ConfigError
from kithe.records.history import History, Turn


@dataclass(frozen=True)
class Log:
    """A training split of short histories, in either order."""

    size: int = 20
    backwards: bool = False

    def histories(self, split: str, seed: int) -> Iterator[History]:
        spoken = [(Turn(speaker="A", text="so " * (1 + n % 7), session=1),) for n in range(self.size)]
        rows = [History(id=str(n), source="log", user="A", turns=turns, items=()) for n, turns in enumerate(spoken)]
        return iter(rows[::-1] if self.backwards else rows)


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "secret" / "noise.key"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def released(log: Log, epsilon: float = 1.0, seed: int | None = None) -> Histograms:
    return FromLog(log, epsilon=epsilon, seed=seed).fitted().histograms


def test_asking_again_gives_the_same_noise(key: Path) -> None:
    first = released(Log())
    assert first == released(Log()) == released(Log(backwards=True))
    key.unlink()
    assert released(Log()) != first


def test_another_log_or_budget_gets_noise_that_has_nothing_to_do_with_it() -> None:
    one, more, wider = released(Log(20)), released(Log(21)), released(Log(20), epsilon=0.5)
    assert sum(one.words[bin] != more.words[bin] for bin in one.words) > 20
    assert distance(one.words, more.words) > 0.1
    assert sum(one.words[bin] != wider.words[bin] for bin in one.words) > 20


def test_a_seed_takes_the_place_of_the_key(key: Path) -> None:
    assert released(Log(), seed=3) == released(Log(), seed=3) != released(Log(), seed=4)
    assert not key.exists()
    FromLog(Log()).fitted()
    assert not key.exists()


def test_the_key_is_for_its_owner_only_and_stays(key: Path) -> None:
    made = secret_key()
    assert len(made) == BYTES
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert secret_key() == made
    assert [path.name for path in key.parent.iterdir()] == [key.name]


def test_processes_that_begin_together_use_one_key(key: Path) -> None:
    code = "from kithe.dialogues.noise import secret_key; print(secret_key().hex())"
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert {process.communicate()[0].strip() for process in running} == {key.read_bytes().hex()}


def test_a_key_that_is_cut_short_is_no_key(key: Path) -> None:
    key.parent.mkdir()
    key.write_bytes(b"short")
    with pytest.raises(ConfigError, match="32 bytes, not 5"):
        secret_key()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "noise.key"))
    with pytest.raises(ConfigError, match=VARIABLE):
        secret_key()


def test_without_a_name_it_lies_in_the_configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = secret_key()
    assert (tmp_path / "config" / "kithe" / "noise.key").read_bytes() == made


def test_the_numbers_are_uniform() -> None:
    rng = KeyedNoise(b"k")
    drawn = [rng.random() for _ in range(4_000)]
    assert all(0 <= number < 1 for number in drawn)
    assert len(set(drawn)) == len(drawn)
    tenths = [sum(place / 10 <= number < (place + 1) / 10 for number in drawn) for place in range(10)]
    assert sum((count - 400) ** 2 / 400 for count in tenths) < 27.9  # chi square, 9 degrees of freedom, 99.9 %
    assert noise_for("a", b"k").random() != noise_for("b", b"k").random()
