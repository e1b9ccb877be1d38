"""The `kithe` command, as a user types it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kithe import cli
from kithe.cell import Cell
from kithe.doctor import checks
from kithe.errors import ConfigError
from kithe.inspection import mark
from kithe.reproduce import compare, expected


def kithe(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "kithe.cli", *words], capture_output=True, text=True, check=False)


def test_show_config_says_what_a_value_is_and_who_set_it(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["show", "config", "adapt.rank", "adapt=lora", "adapt.rank=8", "--why"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "8"
    assert lines[1].strip() == "conf/adapt/lora.yaml: 16"
    assert lines[2].strip() == "command line: adapt.rank=8: 8"


def test_show_config_follows_references(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["show", "config", "data.teacher.mix.high", "--why", "teacher.mix.high=0.3"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        "conf/data/synthetic.yaml: ${teacher}",
        "conf/teacher/scripted.yaml: 0.25",
        "command line: teacher.mix.high=0.3: 0.3",
    ]


def test_show_config_prints_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["show", "config", "adapt=sft"])
    out = capsys.readouterr().out
    assert "kithe.training.adapters.FullSFT" in out
    assert "hydra" not in out


@pytest.mark.parametrize(
    ("words", "places"),
    [
        (["adapt"], ["conf/adapt/zero-shot.yaml: the whole file"]),
        (["adapt", "adapt=lora"], ["conf/adapt/lora.yaml: the whole file", "command line: adapt=lora: lora"]),
        (["task.test"], ["conf/task/test/real.yaml: the whole file"]),
        (["judge.threshold"], ["conf/judge/gold.yaml: null"]),
        (["sweep.also"], ["conf/config.yaml: []"]),
        (["progress", "progress=false"], ["conf/config.yaml: true", "command line: progress=false: false"]),
        (
            ["teacher.mix.high", "teacher.mix={high: 0.2}"],
            ["conf/teacher/scripted.yaml: 0.25", "command line: teacher.mix={high: 0.2}: 0.2"],
        ),
        (["corpus.facts", "data=ip_dialog"], ["conf/config.yaml: 900", "conf/data/ip_dialog.yaml: null"]),
    ],
)
def test_show_config_names_every_place_and_writes_values_as_files_do(
    words: list[str], places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["show", "config", *words, "--why"])
    assert [line.removeprefix("  ") for line in capsys.readouterr().out.splitlines()][-len(places) :] == places


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["shwo", "config"], "no such word after 'kithe': 'shwo'; did you mean 'show'?"),
        (["show", "confg"], "no such word after 'kithe show': 'confg'; did you mean 'config'?"),
        (["build", "verifer"], "did you mean 'verifier'?"),
        (["report"], "required: what"),
        (["show", "config", "--whi"], "unrecognized arguments: --whi"),
        ([], "required: VERB"),
    ],
)
def test_a_mistyped_command_is_one_line(words: list[str], part: str, refused: Callable[..., str]) -> None:
    assert part in refused(*words)


def test_an_unknown_run_is_answered_with_the_nearest_ones(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / "runs" / f"pki-lora-{number:02}").mkdir(parents=True)
        (tmp_path / "runs" / f"pki-lora-{number:02}" / "cell.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError) as found:
        Cell.load(tmp_path / "runs" / "pki-lora-7")
    assert "the nearest of the 30 there: pki-lora-" in str(found.value)
    assert str(found.value).count("pki-lora-") == 1 + 5
    assert "pki-lora-07" in str(found.value)
    with pytest.raises(ConfigError, match="there: none"):
        Cell.load(tmp_path / "empty" / "a")


def test_show_config_names_the_nearest_key() -> None:
    done = kithe("show", "config", "adapt.rnak", "adapt=lora")
    assert done.returncode != 0
    assert done.stderr.strip().splitlines() == [done.stderr.strip()]
    assert "did you mean 'rank'?" in done.stderr


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("adpt.rank", "no such key: 'adpt'; did you mean 'adapt'?"),
        ("adapt.recpe.epochs", "no such key in 'adapt': 'recpe'; did you mean 'recipe'?"),
        ("adapt.rank.more", "no such key: 'adapt.rank.more'; 'adapt.rank' is no group or mapping"),
    ],
)
def test_show_config_names_the_first_part_that_is_wrong(key: str, part: str, refused: Callable[..., str]) -> None:
    assert part in refused("show", "config", key, "adapt=lora")


def test_show_mask_marks_the_answer_and_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["show", "mask", "adapt=lora", "corpus.facts=10", "model=tiny", "--example", "1"])
    out = capsys.readouterr().out
    assert "User:" in out
    assert "[User" not in out
    assert "[<|im_end|>]" in out
    assert "learnt" in out.splitlines()[-1]


def test_show_mask_says_how_many_examples_there_are() -> None:
    done = kithe("show", "mask", "corpus.facts=10", "model=tiny", "--example", "100000")
    assert "numbered from 0" in done.stderr


def test_marks_are_colours_on_a_terminal() -> None:
    assert mark("a", True, colour=False) == "[a]"
    assert mark("a", False, colour=False) == "a"
    assert mark("a", True, colour=True) != mark("a", False, colour=True)


def test_doctor_finds_this_environment_well() -> None:
    found = checks()
    assert [item.name for item in found if item.level == "wrong"] == []
    assert len({item.name for item in found}) == len(found) >= 8


def test_doctor_reports_a_wrong_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITHE_DATA", "/no/such/folder")
    assert [item.name for item in checks() if item.level == "wrong"] == ["real data"]


def test_report_says_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "runs" / "pki-a").mkdir(parents=True)
    done = kithe("report", "pki-b", "--store", str(tmp_path))
    assert done.returncode != 0
    assert "pki-b" in done.stderr
    assert "pki-a" in done.stderr


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["report", "corpus", "laps", "--wandb", "offline"], "are not for 'report corpus'"),
        (["report", "ip_dialog", "run-a", "--wandb", "online", "--dashboard"], "are not for 'report ip_dialog'"),
        (["report", "run-a", "--dashboard"], "use --wandb online"),
        (["report", "run-a", "--wandb", "offline", "--dashboard"], "use --wandb online"),
        (["report", "run-a", "--wandb", "online", "--dashboard"], "--dashboard is about a whole sweep"),
        (["report", "run-a", "--real", "none"], "kithe report corpus CORPUS..."),
        (["report", "ip_dialog", "run-a", "--most", "5"], "kithe report corpus CORPUS..."),
        (["export", "talk-1", "--public"], "--push REPO"),
    ],
)
def test_a_flag_that_would_do_nothing_is_refused(
    words: list[str], part: str, tmp_path: Path, refused: Callable[..., str]
) -> None:
    (tmp_path / "runs" / "run-a").mkdir(parents=True)
    (tmp_path / "generated" / "talk-1").mkdir(parents=True)
    assert part in refused(*words, "--store", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "generated"}


def test_export_names_what_there_is(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "generated" / "talk-1").mkdir(parents=True)
    (tmp_path / "runs" / "pki-lora-1").mkdir(parents=True)
    line = refused("export", "pki-lora-2", "--store", tmp_path)
    assert line == f"kithe: no run or corpus 'pki-lora-2' in {tmp_path}; there: pki-lora-1, talk-1"


def test_expected_numbers_are_compared_with_their_tolerance() -> None:
    wanted = {"a": {"value": 0.5, "tolerance": 0.1}, "b": {"value": 1.0, "tolerance": 0.0}}
    assert compare(wanted, {"a": {"value": 0.45}, "b": {"value": 1.0}}) == []
    assert len(compare(wanted, {"a": {"value": 0.7}})) == 2


def test_every_file_of_expected_numbers_belongs_to_an_experiment() -> None:
    found = expected([])
    folder = Path(__file__).parents[1] / "experiments"
    assert found
    for name, value in found.items():
        assert (folder / f"{name}.yaml").exists()
        assert {"metrics", "commit", "date", "command"} <= set(value)
        assert json.dumps(value)


def test_where_a_value_comes_from_is_asked_of_one_value(refused: Callable[..., str]) -> None:
    assert "name its key" in refused("show", "config", "--why")
