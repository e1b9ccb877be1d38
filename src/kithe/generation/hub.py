"""Handing a corpus on: to another folder or, if somebody says so, to a dataset hub. Nothing here runs unless it is asked for."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Final, Protocol

from kithe.errors import ConfigError

TOKEN: Final = "HF_TOKEN"


class Hub(Protocol):
    """What of `huggingface_hub.HfApi` is used."""

    def create_repo(self, repo_id: str, *, repo_type: str, private: bool, exist_ok: bool) -> Any:
        """Make a repository unless it is there."""

    def upload_folder(self, *, repo_id: str, repo_type: str, folder_path: str, allow_patterns: list[str]) -> Any:
        """Send files of a folder."""


def published(folder: Path) -> list[str]:
    """The files of a corpus that are meant for others, by their names in its folder.

    Raises:
        ConfigError: it is no finished corpus.
    """
    if not (folder / "card.json").exists():
        raise ConfigError(f"{folder} holds no card.json, so it is no finished corpus; `python run.py task=generate` writes one")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    names = ["README.md", "card.json", *card["files"]]
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise ConfigError(f"{folder} lacks {', '.join(missing)}, which its card lists; generate it again")
    return names


def copy(folder: Path, target: Path) -> list[str]:
    """Copy a corpus to another folder; returns the names of its files."""
    names = published(folder)
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, target / name)
    return names


def push(folder: Path, repo: str, *, public: bool = False, hub: Hub | None = None) -> list[str]:
    """Send a corpus to a dataset repository, private unless it is to be public; returns the names of the files sent.

    Raises:
        ConfigError: it is no finished corpus, or the environment holds no token.
    """
    names = published(folder)
    send(folder, names, repo, kind="dataset", public=public, hub=hub)
    return names


def send(folder: Path, names: list[str], repo: str, *, kind: str, public: bool = False, hub: Hub | None = None) -> None:
    """Send files of a folder to a repository of that kind (`dataset` or `model`), private unless it is to be public.

    Raises:
        ConfigError: the environment holds no token.
    """
    api = hub or _hub()
    api.create_repo(repo, repo_type=kind, private=not public, exist_ok=True)
    api.upload_folder(repo_id=repo, repo_type=kind, folder_path=str(folder), allow_patterns=names)


def _hub() -> Hub:
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise ConfigError(
            f"the environment variable {TOKEN} holds no token; fix: export {TOKEN}=… (it is read from nowhere else)"
        )
    from huggingface_hub import HfApi

    api: Hub = HfApi(token=token)
    return api
