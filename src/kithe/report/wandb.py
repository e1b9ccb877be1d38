"""Weights & Biases as a projection: everything it shows is read from a run's files and can be written again at any time."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Literal

from kithe.identity import digest
from kithe.report.dashboard import Dashboard, read_dashboard

if TYPE_CHECKING:
    import wandb

UNSAFE = re.compile(r"[^\w.-]")
log = logging.getLogger(__name__)

INIT_SECONDS = 30
FINISH_SECONDS = 120
SAMPLE = ("history", "text", "gold", "predicted", "tp")


@dataclass(frozen=True)
class NoLogger:
    """No dashboard."""

    def project_run(self, store: Path, run_id: str, sweep_id: str | None) -> None:
        """Do nothing: the files are there already."""

    def project_tables(self, folder: Path, sweep_id: str) -> None:
        """Do nothing: the files are there already."""


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
        if self.mode == "disabled":
            return
        try:
            self._write(read_dashboard(store, run_id), sweep_id)
        except Exception as error:  # a dashboard must never fail the cell, and W&B raises errors of many kinds
            reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
            log.warning("%s: not written to W&B (%s); the files of the run are complete", run_id, reason[0])

    def project_tables(self, folder: Path, sweep_id: str) -> None:
        """Write a sweep's tables to a W&B run of their own, `sweep-<id>`. Whatever goes wrong is a warning.

        Args:
            folder: the report's, with `tables.json`; where there is none nothing is written.
            sweep_id: the sweep.
        """
        file = folder / "tables.json"
        if self.mode == "disabled" or not file.exists():
            return
        name = f"sweep-{UNSAFE.sub('-', sweep_id)}"[:120]
        try:
            tables = json.loads(file.read_text(encoding="utf-8"))
            about = Dashboard(name, True, "report", (), {"sweep": sweep_id}, (), {"content": digest(tables)}, {}, tables)
            self._write(about, sweep_id)
        except Exception as error:  # as above
            log.warning("%s: tables not written to W&B (%s); they are in %s", name, error, folder)

    def _write(self, dashboard: Dashboard, sweep_id: str | None) -> None:
        """Make the W&B run and close it, whatever happens between."""
        Path(self.dir).mkdir(parents=True, exist_ok=True)
        if self.mode == "offline":
            self._forget(dashboard.run_id)
        run, code = self._open(dashboard, sweep_id), 1
        try:
            fill(run, dashboard)
            code = 0 if dashboard.done else 1
        finally:
            run.finish(exit_code=code)

    def _open(self, dashboard: Dashboard, sweep_id: str | None) -> "wandb.Run":
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
            id=dashboard.run_id,
            name=dashboard.run_id,
            group=sweep_id,
            job_type=dashboard.job_type,
            tags=list(dashboard.tags),
            config=dict(dashboard.config),
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


def fill(run: "wandb.Run", dashboard: Dashboard) -> None:
    """Write history, summary and sample predictions.

    Rows have fixed numbers, so a run that W&B knows already is continued where it ended and no row is written twice. Tables of a
    sweep are written again only where their content has changed.
    """
    import wandb

    if dashboard.tables and run.summary.get("content") != dashboard.summary["content"]:
        run.log({name: wandb.Table(columns=table["header"], data=table["body"]) for name, table in dashboard.tables.items()})

    for space in sorted({key.partition("/")[0] for row in dashboard.history for key in row}):
        run.define_metric(f"{space}/step", hidden=True)
        run.define_metric(f"{space}/*", step_metric=f"{space}/step")
    tables = {
        f"samples/{name}": wandb.Table(columns=list(SAMPLE), data=[list(row) for row in rows])
        for name, rows in dashboard.samples.items()
    }
    for number, row in numbered(dashboard.history, tables):
        if number >= run.starting_step:
            run.log(dict(row), step=number)
    run.summary.update(dict(dashboard.summary))


def numbered(history: tuple[Mapping[str, float], ...], tables: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """History rows with their numbers; the sample tables are one more row at the end."""
    yield from enumerate(history)
    if tables:
        yield len(history), tables
