"""Hyper-parameters are chosen on validation histories; the test histories are never read for it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from kithe.cell import Cell
from kithe.config.compose import ROOT, compose
from kithe.corpora.held_out import HeldOut
from kithe.corpora.sample import Sample
from kithe.corpora.source import Split
from kithe.errors import ConfigError
from kithe.records.history import History


@dataclass(frozen=True)
class Secret(Sample):
    """A source whose test histories must not be read."""

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        assert split != "test"
        return super().histories(split, seed)

    def check(self, split: Split) -> None:
        if split == "test":
            raise ConfigError("read")


def test_validation_stands_in_the_place_of_test() -> None:
    source = HeldOut(Secret())
    assert list(source.histories("test", 0)) == list(Sample().histories("validation", 0)) != []
    assert source.name == "sample_validation"
    assert source.fields == Sample().fields
    source.check("test")
    with pytest.raises(ValueError, match="not for training"):
        source.histories("train", 0)


@pytest.mark.parametrize("sweep", ["lr_lora", "lr_sft", "rank"])
def test_the_sweeps_that_choose_read_no_test_set(sweep: str, tmp_path: object) -> None:
    task = Cell.of(compose([f"sweeps={sweep}", f"paths.store={tmp_path}"])).build("task")
    assert all(isinstance(source, HeldOut) for source in task.test.values())
    assert {name.removesuffix("_validation") for name in task.test} == set(task.validation)
    assert [source.of for source in task.test.values()] == list(task.validation.values())


def test_both_ways_of_learning_get_as_many_trials_around_their_usual_rate() -> None:
    for adapt in ("lora", "sft"):
        usual = compose([f"adapt={adapt}"]).adapt.recipe.learning_rate
        params = yaml.safe_load((ROOT / "sweeps" / f"lr_{adapt}.yaml").read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
        rates = [float(rate) for rate in params["adapt.recipe.learning_rate"].split(",")]
        assert rates == pytest.approx([usual * factor for factor in (0.3, 1, 3)])
        assert params["data"] == "synthetic,real"
