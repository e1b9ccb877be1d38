"""Settings beside options that vary: what one of them has is no error because the default has it not."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from kithe.config.compose import options
from kithe.config.sweeping import varied, within_sweeps


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (["-m", "adapt=grpo,gdpo", "adapt.steps.steps=3"], ["-m", "adapt=grpo,gdpo", "adapt.steps.steps=choice(3)"]),
        (["-m", "adapt=grpo,gdpo", "+adapt.x=a"], ["-m", "adapt=grpo,gdpo", "+adapt.x=choice(a)"]),
        (["sweeps=ppopt_small", "adapt.steps.steps=3"], ["sweeps=ppopt_small", "adapt.steps.steps=choice(3)"]),
        (
            ["-m", "task/test=msc,sample", "task.test.msc.limit=3"],
            ["-m", "task/test=msc,sample", "task.test.msc.limit=choice(3)"],
        ),
    ],
)
def test_a_setting_of_what_varies_waits_for_it(words: list[str], made: list[str]) -> None:
    assert within_sweeps(words) == made


@pytest.mark.parametrize(
    "words",
    [
        ["adapt=lora", "adapt.rank=4"],
        ["-m", "data=synthetic,real", "adapt=lora", "adapt.rank=4"],
        ["-m", "adapt=lora,sft", "adapt.recipe.epochs=1,2", "seed=3"],
        ["-m", "adapt=lora,sft", "~adapt.rank", "adapt.rank="],
        ["-m", "adapt=lora,sft", "adapt.recipe.max_length=null"],
        ["-m", "adapt=[unclosed", "adapt.rank=4"],
        ["sweeps=nosuch", "adapt.rank=4"],
        ["-m", "adapt=lora,sft", "adapt.recipe.max_length=NULL"],
        ["sweeps=ppopt_small", "adapt=small-grpo", "adapt.steps.steps=5"],
        ["sweeps=ppopt_small", "adapt=small-grpo,small-gdpo", "+from=x", "adapt.steps.steps=5", "hydra.mode=RUN"],
    ],
)
def test_everything_else_stays(words: list[str]) -> None:
    assert within_sweeps(words) == words


@pytest.mark.parametrize("value", ["3", "[0.8,0.9]", "{a: 1}", "'a, b'", "${seed}"])
def test_the_value_is_the_same(value: str) -> None:
    word = within_sweeps(["-m", "adapt=grpo,gdpo", f"adapt.x={value}"])[-1]
    made, plain = (OverridesParser.create().parse_override(own) for own in (word, f"adapt.x={value}"))
    assert made.is_sweep_override()
    (again,) = (OverridesParser.create().parse_override(f"adapt.x={own}") for own in made.sweep_string_iterator())
    assert str(again.value()) == str(plain.value())


def test_every_sweep_file_says_what_it_varies() -> None:
    assert all(list(varied([f"sweeps={name}"])) for name in options("sweeps"))
