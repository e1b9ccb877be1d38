"""Files from the public homes of the real sets: fetched once, and known again by their checksum ever after."""

import hashlib
import json
import os
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Final

from kithe.errors import ConfigError
from kithe.records.base import write_json

_TIMEOUT_S: Final = 60
_BLOCK: Final = 1 << 20


def fetch(url: str, path: Path) -> str:
    """Make sure that `path` holds the file of `url`; the SHA-256 checksum of what it holds.

    The first download writes the checksum beside the file (`<name>.sha256.json`); every later call, and every later download,
    must find the same bytes. In a folder that cannot be written to, a file that lies there without a checksum stays without.

    Raises:
        ConfigError: the file cannot be had, or is not the one that was downloaded first.
    """
    note = path.with_name(f"{path.name}.sha256.json")
    if not path.exists():
        _download(url, path)
    found = checksum(path)
    if not note.exists():
        with suppress(OSError):
            write_json(note, {"url": url, "sha256": found, "bytes": path.stat().st_size})
        return found
    known = json.loads(note.read_text(encoding="utf-8"))
    if known["sha256"] != found:
        raise ConfigError(
            f"{path} is not the file first downloaded from {known['url']} (SHA-256 {found[:12]}…, then {known['sha256'][:12]}…): "
            f"delete it to download it again, or delete {note.name} as well to accept a new version"
        )
    return found


def checksum(path: Path) -> str:
    """The SHA-256 checksum of a file, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _download(url: str, path: Path) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _copy(url, part)
        os.replace(part, path)
    except (OSError, HTTPException, ValueError) as error:
        raise ConfigError(
            f"cannot download {url} ({getattr(error, 'reason', error)}): set KITHE_DATA=<folder with <set>/<split>.jsonl.gz>, "
            "or give the data source a folder=… or the home=… of a mirror"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _copy(url: str, path: Path) -> None:
    """Write what a URL holds to a file.

    Raises:
        ValueError: the connection ended before all that was announced had come, which urllib takes for the end of the file.
    """
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer, open(path, "wb") as file:
        while block := answer.read(_BLOCK):
            file.write(block)
        announced = answer.headers.get("Content-Length")
        if announced is not None and file.tell() != int(announced):
            raise ValueError(f"{file.tell()} of {announced} bytes came")
