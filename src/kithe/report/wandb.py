"""Weights & Biases as a projection: everything it shows is read from a run's files and can be written again at any time."""

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Literal

from kithe.errors import ConfigError
from kithe.identity import digest
from kithe.report.dashboard import Dashboard, Overview, label, public, read_dashboard, read_overview

if TYPE_CHECKING:
    import wandb

UNSAFE = re.compile(r"[^\w.-]")
log = logging.getLogger(__name__)

INIT_SECONDS = 30
FINISH_SECONDS = 120
SAMPLE = ("history", "text", "gold", "predicted", "tp")
VERDICT = ("history", "item", "verdict", "why")
CELL = ("run", "state", "problem")
CHARTS = ("f1", "precision", "recall", "accuracy", "seconds_per_history")


@dataclass(frozen=True)
class NoLogger:
    """No dashboard."""

    def project_run(self, store: Path, run_id: str, sweep_id: str | None) -> None:
        """Do nothing: the files are there already."""

    def project_sweep(self, store: Path, sweep_id: str) -> None:
        """Do nothing: the tables are there already."""


@dataclass(frozen=True)
class Wandb:
    """One W&B run per cell, with the cell's own id, so that writing it again replaces or continues it and never adds another.

    Attributes:
        project: the W&B project.
        entity: user or team; None: the key's own.
        mode: offline (files in `dir`, for `wandb sync`) | online | disabled.
        dir: the folder in which W&B's own folder `wandb` is made.
    """

    project: str
    entity: str | None
    mode: Literal["offline", "online", "disabled"]
    dir: str

    def project_run(self, store: Path, run_id: str, sweep_id: str | None) -> None:
        """Write a run's files to W&B. Whatever goes wrong on the way is a warning: the files remain the truth.

        Args:
            store: the root of all results.
            run_id: the cell; also the id and the name of the W&B run.
            sweep_id: the sweep it belongs to, W&B's group.
        """
        self._attempt(run_id, lambda: self._write(read_dashboard(store, run_id), sweep_id))

    def project_sweep(self, store: Path, sweep_id: str) -> None:
        """Write a sweep's grid to a W&B run of its own, with the sweep's id: tables, charts, and the scores as its summary."""
        self._attempt(sweep_id, lambda: self._write_sweep(read_overview(store, sweep_id)))

    def save_dashboard(self, store: Path, sweep_id: str) -> str:
        """Save the sweep's dashboard; returns its address.

        Raises:
            ConfigError: W&B is not written to online, does not take it, or wandb-workspaces is not installed.
        """
        from kithe.report.workspace import save

        if self.mode != "online":
            raise ConfigError("a dashboard is saved on the W&B server: use --wandb online")
        try:
            return save(read_overview(store, sweep_id), self.project, self.entity)
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"the dashboard is not saved ({first_line(error)})") from error

    def _attempt(self, name: str, write: Callable[[], None]) -> None:
        """Write unless nothing is wanted; a warning where it fails."""
        if self.mode == "disabled":
            return
        try:
            write()
        except Exception as error:  # a dashboard must never fail the cell, and W&B raises errors of many kinds
            log.warning("%s: not written to W&B (%s); the files of the run are complete", name, first_line(error))

    def _write(self, dashboard: Dashboard, sweep_id: str | None) -> None:
        """A run's W&B run."""
        # An agent of a W&B sweep waits for the numbers of the run that it has named itself.
        own = os.environ.get("WANDB_RUN_ID") if os.environ.get("WANDB_SWEEP_ID") else None
        about = Heading(dashboard.run_id, dashboard.job_type, dashboard.tags, dashboard.config, sweep_id, own)
        with self._opened(about, dashboard.done) as run:
            fill(run, dashboard)

    def _write_sweep(self, overview: Overview) -> None:
        """A sweep's W&B run."""
        about = Heading(
            UNSAFE.sub("-", overview.sweep_id)[:120], "summary", ("grid",), {"command": overview.command}, overview.sweep_id
        )
        with self._opened(about, overview.done) as run:
            fill_grid(run, overview)

    @contextmanager
    def _opened(self, about: "Heading", done: bool) -> "Iterator[wandb.Run]":
        """The W&B run, which is closed whatever happens; what failed and what is not done ends with 1."""
        Path(self.dir).mkdir(parents=True, exist_ok=True)
        if self.mode == "offline":
            self._forget(about.id)
        run, code = self._open(about), 1
        try:
            yield run
            code = 0 if done else 1
        finally:
            run.finish(exit_code=code)

    def _open(self, about: "Heading") -> "wandb.Run":
        """The W&B run of this id: without questions, output, machine or code details."""
        import wandb

        quiet = wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_disable_stats=True,
            x_save_requirements=False,
            init_timeout=INIT_SECONDS,
            finish_timeout=FINISH_SECONDS,
        )
        wandb.setup(settings=quiet)
        if self.mode == "online" and not wandb.login(prompt=False, verify=False):
            raise ConnectionError("no API key: set WANDB_API_KEY or run `wandb login`")
        return wandb.init(
            project=self.project,
            entity=self.entity,
            mode=self.mode,
            dir=self.dir,
            id=about.own or about.id,
            name=about.id,
            group=about.group,
            job_type=about.job_type,
            tags=list(about.tags),
            config=dict(about.config),
            resume="allow",
            reinit="create_new",
            settings=quiet,
        )

    def _forget(self, run_id: str) -> None:
        """Remove earlier offline copies of the run: syncing them all would write its history more than once."""
        name = re.compile(rf"offline-run-\d{{8}}_\d{{6}}-{re.escape(run_id)}")
        for folder in (Path(self.dir) / "wandb").glob("offline-run-*"):
            if folder.is_dir() and name.fullmatch(folder.name):
                rmtree(folder)


def first_line(error: Exception) -> str:
    """What an error says, in a line."""
    return (str(error).strip().splitlines()[:1] or [type(error).__name__])[0]


@dataclass(frozen=True)
class Heading:
    """What stands over a W&B run; `own` is its id where that is not ours to choose."""

    id: str
    job_type: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    group: str | None
    own: str | None = None


def fill(run: "wandb.Run", dashboard: Dashboard) -> None:
    """Write history, summary, sample predictions with their verdicts, and what corpus and weights there are.

    Rows have fixed numbers, so a run that W&B knows already is continued where it ended and no row is written twice.
    """
    import wandb

    for space in sorted({key.partition("/")[0] for row in dashboard.history for key in row}):
        run.define_metric(f"{space}/step", hidden=True)
        run.define_metric(f"{space}/*", step_metric=f"{space}/step")
    tables = {
        f"{kind}/{name}": wandb.Table(columns=list(columns), data=[list(row) for row in rows])
        for kind, columns, found in (("samples", SAMPLE, dashboard.samples), ("verdicts", VERDICT, dashboard.verdicts))
        for name, rows in found.items()
    }
    for number, row in numbered(dashboard.history, tables):
        if number >= run.starting_step:
            run.log(dict(row), step=number)
    run.summary.update(dict(dashboard.summary))
    for reference in dashboard.references:
        artifact = wandb.Artifact(reference.name, type=reference.kind, metadata=dict(public(reference.about)))
        # The name is a hash of what is in the folder, so nothing has to be read to know whether it has changed.
        artifact.add_reference(reference.folder.resolve().as_uri(), name=reference.folder.name, checksum=False)
        run.log_artifact(artifact)


def fill_grid(run: "wandb.Run", overview: Overview) -> None:
    """Write a sweep's tables and charts as one row of history, and its scores as summary; nothing where W&B has just that."""
    import wandb

    content = digest([list(map(dict, overview.grid)), overview.cells, overview.tables])
    if run.starting_step and run.summary.get("content") == content:
        return
    columns = sorted({key for row in overview.grid for key, value in row.items() if value is not None}, key=str)
    logged: dict[str, Any] = {"cells": wandb.Table(columns=list(CELL), data=[list(cell) for cell in overview.cells])}
    if overview.grid:
        logged["grid"] = wandb.Table(columns=columns, data=[[row.get(key) for key in columns] for row in overview.grid])
    for test_set in sorted({row["test_set"] for row in overview.grid}):
        of_set = [row for row in overview.grid if row["test_set"] == test_set]
        for name in (name for name in CHARTS if any(row.get(name) is not None for row in of_set)):
            data = [[label(row), row[name]] for row in of_set if row.get(name) is not None]
            bars = wandb.plot.bar(wandb.Table(columns=["cell", name], data=data), "cell", name, title=f"{name} on {test_set}")
            logged[f"charts/{test_set}/{name}"] = bars
    more = {name: wandb.Table(columns=table["header"], data=table["body"]) for name, table in overview.tables.items()}
    run.log({**logged, **more})
    run.summary.update({"content": content})
    run.summary.update({f"cells/{state}": count for state, count in Counter(state for _, state, _ in overview.cells).items()})
    for row in overview.grid:
        scores = {name: row[name] for name in CHARTS if row.get(name) is not None}
        run.summary.update({f"grid/{row['test_set']}/{label(row)}/{name}": value for name, value in scores.items()})


def numbered(history: tuple[Mapping[str, float], ...], tables: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """History rows with their numbers; the sample tables are one more row at the end."""
    yield from enumerate(history)
    if tables:
        yield len(history), tables
