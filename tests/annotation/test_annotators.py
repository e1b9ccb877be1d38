import stat
from pathlib import Path

import pytest

from kithe.annotation.people import gather, names
from kithe.errors import ConfigError
from kithe.evaluation.judging.validation import ADJUDICATOR


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ada,ada", "'ada' stands there twice"),
        ("ada, Ada", "'ada' stands there twice"),
        ("ada,adjudicator", "who settles disagreements"),
        ("ada,gra ce", "'gra ce' cannot be a name"),
        ("../ada", "cannot be a name"),
        (",", "name at least one"),
    ],
)
def test_names_that_do_not_do(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        names(text)


def test_tokens_are_the_same_after_a_restart_and_differ_between_people_and_folders(tmp_path: Path) -> None:
    one, again, other = (gather(tmp_path / folder, ["ada", "grace"]) for folder in "aab")
    assert [one.token(name) for name in one.names] == [again.token(name) for name in again.names]
    everybody = [people.token(name) for people in (one, other) for name in (*people.names, ADJUDICATOR)]
    assert len(set(everybody)) == 6
    assert all(len(token) == 22 for token in everybody)
    assert [one.of(one.token(name)) for name in ("grace", ADJUDICATOR)] == ["grace", ADJUDICATOR]
    assert one.of(other.token("ada")) is None
    assert one.of("") is None
    assert one.of("ü\udc80") is None


def test_annotators_are_remembered_and_may_be_added(tmp_path: Path) -> None:
    gather(tmp_path, ["ada"])
    assert gather(tmp_path, ["grace", "ada"]).names == ("ada", "grace")
    assert gather(tmp_path, []).names == ("ada", "grace")


def test_only_the_owner_can_read_the_secret(tmp_path: Path) -> None:
    gather(tmp_path, ["ada"])
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob(".secret*")] == []
