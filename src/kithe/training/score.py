"""Scoring under Lightning's Trainer: `test` judges predictions and logs every metric."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as lightning
from lightning_fabric.plugins.environments import LightningEnvironment
from torch.utils.data import DataLoader

from kithe.evaluation.judges import Judge, Scores
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.training.trainer import NoSignals, silence

Batch = tuple[Sequence[History], Sequence[Prediction]]


class ScoreModule(lightning.LightningModule):
    """Judges one test set a batch."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge
        self.scores: list[Scores] = []

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Score the histories of a test set against their predictions."""
        scores = self.judge.score(*batch)
        self.scores.append(scores)
        self.log_dict({name: float(metric["value"]) for name, metric in scores.metrics.items()}, batch_size=len(batch[0]))


def score(judge: Judge, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
    """What the judge says of these predictions, one per history in the same order."""
    silence()
    module = ScoreModule(judge)
    quiet: dict[str, Any] = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
    }
    # One process judges, wherever it runs: what SLURM or torchrun say of it is not for this trainer.
    trainer = lightning.Trainer(accelerator="cpu", devices=1, plugins=[LightningEnvironment()], **quiet)
    trainer._signal_connector = NoSignals(trainer)
    loader: DataLoader[Batch] = DataLoader([(histories, predictions)], batch_size=None)  # type: ignore[arg-type]
    trainer.test(module, loader, verbose=False)
    return module.scores[0]
