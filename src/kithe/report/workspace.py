"""The dashboard of a sweep in W&B, as code: the panels a reader wants first, in that order."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from kithe.errors import ConfigError
from kithe.identity import digest
from kithe.report.dashboard import Overview

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Workspace

SCORES = ("f1", "precision", "recall", "accuracy")


def save(overview: Overview, project: str, entity: str | None) -> str:
    """Save a sweep's dashboard to W&B; returns its address.

    Raises:
        ConfigError: wandb-workspaces is not installed.
    """
    import wandb

    view = workspace(overview, project, entity or str(wandb.Api().default_entity))
    # A name of its own for each sweep, so that saving it again means the same view.
    view._internal_name = f"nw-{digest([project, overview.sweep_id], 11)}-v"
    return str(view.save().url)


def workspace(overview: Overview, project: str, entity: str) -> "Workspace":
    """Results first, then how it learnt, what was said, and what it took; only this sweep's runs.

    Raises:
        ConfigError: wandb-workspaces is not installed.
    """
    try:
        from wandb_workspaces import expr
        from wandb_workspaces import workspaces as ws
    except ImportError:
        raise ConfigError("--dashboard needs wandb-workspaces: pip install 'kithe[dashboards]'") from None
    scores = list(metrics(overview))
    sections = [ws.Section(name=name, panels=list(panels), is_open=True) for name, panels in sections_of(overview, scores)]
    runs = ws.RunsetSettings(
        filters=[expr.Metric("Group") == overview.sweep_id],
        pinned_columns=[f"summary:{name}" for name in scores if name.endswith("/f1") or name.endswith("/accuracy")],
    )
    return ws.Workspace(
        entity=entity, project=project, name=f"kithe: {overview.sweep_id}", sections=sections, runset_settings=runs
    )


def metrics(overview: Overview) -> Iterator[str]:
    """The scores that some row of the grid has, as the runs' summaries call them."""
    for test_set in test_sets(overview):
        of_set = [row for row in overview.grid if row["test_set"] == test_set]
        yield from (f"eval/{test_set}/{name}" for name in SCORES if any(row.get(name) is not None for row in of_set))


def test_sets(overview: Overview) -> list[str]:
    """The grid's test sets."""
    return sorted({str(row["test_set"]) for row in overview.grid})


def sections_of(overview: Overview, scores: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    """Section -> panels."""
    from wandb_workspaces.reports import v2 as wr

    yield (
        "Results",
        [
            *(wr.BarPlot(title=name.removeprefix("eval/"), metrics=[name]) for name in scores),
            *(
                wr.ScatterPlot(title=f"{name.removeprefix('eval/')} against time", x="cost/seconds_per_history", y=name)
                for name in scores
                if name.endswith("/f1")
            ),
        ],
    )
    yield (
        "Learning",
        [
            wr.LinePlot(title="training loss", x="train/step", y=["train/loss"], smoothing_factor=0.6),
            wr.LinePlot(title="validation loss", x="validation/step", y=["validation/loss"]),
            wr.LinePlot(title="learning rate", x="train/step", y=["train/lr"]),
            wr.LinePlot(title="gradient norm", x="train/step", y=["train/gradient_norm"]),
        ],
    )
    tables = [f"{kind}/{name}" for name in test_sets(overview) for kind in ("verdicts", "samples")]
    yield "What was said", [wr.WeavePanelSummaryTable(table_name=name) for name in tables]
    yield (
        "What it took",
        [
            wr.BarPlot(title="seconds", metrics=["cost/wall_s"]),
            wr.BarPlot(title="peak memory (MB)", metrics=["cost/peak_memory_mb"]),
            wr.RunComparer(diff_only=True),
        ],
    )
