"""What a run would ask, before it asks: calls, tokens and cost of the missing rows, from the prompts of a few of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from kithe.generation.log import lines
from kithe.generation.pipeline import Block, Pipeline
from kithe.generation.stages import Asking, Stage
from kithe.llm.budget import Estimate, Prices
from kithe.llm.budget import estimate as estimate_asks

SAMPLE: Final = 8  # rows whose prompts are written out


@dataclass(frozen=True)
class Missing:
    """A stage's rows that are not there, and what a few of them take."""

    stage: str
    name: str
    rows: int
    sampled: int
    sample: Estimate

    def line(self) -> str:
        """One line for the terminal."""
        share = self.rows / max(1, self.sampled)
        parts = (self.sample.calls, self.sample.prompt_tokens, self.sample.new_tokens_at_most)
        calls, prompt, new = (round(part * share) for part in parts)
        cost = self.sample.cost_likely_at_most * share
        return (
            f"{self.stage}: {self.rows} rows by {self.name}: {calls} calls, about {prompt} prompt tokens, "
            f"at most {new} new tokens, at most {cost:.4f} at the prices of the config\n"
        )


def estimated(pipeline: Pipeline, todo: Sequence[Block]) -> str:
    """A line for each stage that asks a model; answers that have to be asked for again come on top."""
    found = [line.line() for line in missing(pipeline, todo)]
    return "".join(found) or "nothing to ask: no stage with missing rows calls a model\n"


def missing(pipeline: Pipeline, todo: Sequence[Block]) -> Iterator[Missing]:
    """The stages with rows that are missing and to be asked for."""
    for name, stage in pipeline.stages.items():
        asking: Any = getattr(stage, "teacher", None) or getattr(stage, "extractor", None)
        if not isinstance(asking, Asking):
            continue
        keys = [str(index) for block in todo for index in block.indexes[:SAMPLE]]
        rows = sum(_children(pipeline, name, block) - lines(pipeline.folders[name] / block.name) for block in todo)
        sample = list(islice(keys, min(SAMPLE, rows)))
        asks = (ask for key in sample for ask in asking.asks(name, f"{key}-0" if name != "personas" else key, pipeline.seed))
        if rows:
            yield Missing(name, asking.client.name, rows, len(sample), estimate_asks(asks, _prices(asking.client)))


def _children(pipeline: Pipeline, name: str, block: Block) -> int:
    """How many rows a stage would have of a block if nothing were rejected."""
    many = 1
    for other, stage in pipeline.stages.items():
        many *= _many(stage)
        if other == name:
            break
    return many * len(block.indexes)


def _many(stage: Stage) -> int:
    return len(stage.keys("0"))


def _prices(client: Any) -> Prices:
    while client is not None:
        if isinstance(prices := getattr(client, "prices", None), Prices):
            return prices
        client = getattr(client, "client", None)
    return Prices()
