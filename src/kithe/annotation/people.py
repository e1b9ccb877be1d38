"""Who takes part, and the token by which each is known.

Tokens are derived from a secret in the package's folder, so links stay valid when the server starts again, and the database and
its copies hold none.
"""

import hmac
import json
import os
import re
import secrets
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kithe.errors import ConfigError
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.records.base import write_json

_NAME: Final = re.compile(r"[\w.@+-]{1,64}")


@dataclass(frozen=True)
class People:
    """Names, and the secret their tokens come from; the adjudicator is always one of them."""

    names: tuple[str, ...]
    secret: bytes

    def token(self, name: str) -> str:
        """The token of a person, 128 bits."""
        return urlsafe_b64encode(hmac.digest(self.secret, name.encode(), "sha256")[:16]).decode().rstrip("=")

    def of(self, token: str) -> str | None:
        """Whose token it is; None if nobody's."""
        given, found = token.encode("utf-8", "replace"), None
        for name in (*self.names, ADJUDICATOR):
            found = name if hmac.compare_digest(self.token(name).encode(), given) else found
        return found


def names(text: str) -> list[str]:
    """The annotators in a list such as `ada,grace`.

    Raises:
        ConfigError: a name stands there twice, cannot be one, or is the adjudicator's.
    """
    found = [name.strip() for name in text.split(",") if name.strip()]
    twice = [name for name, count in Counter(name.casefold() for name in found).items() if count > 1]
    if twice:
        raise ConfigError(f"--annotators {text}: '{twice[0]}' stands there twice; every annotator needs a name of their own")
    for name in found:
        if name == ADJUDICATOR:
            raise ConfigError(f"--annotators {text}: '{ADJUDICATOR}' is who settles disagreements and always takes part")
        if not _NAME.fullmatch(name):
            raise ConfigError(f"--annotators: {name!r} cannot be a name; letters, digits and . _ - + @, at most 64")
    if not found:
        raise ConfigError("--annotators: name at least one, such as --annotators ada,grace")
    return found


def gather(folder: Path, wanted: Sequence[str]) -> People:
    """Everybody who took part in a folder so far, and those wanted now; remembered for the next time."""
    file = folder / "people.json"
    known = json.loads(file.read_text(encoding="utf-8"))["annotators"] if file.exists() else []
    together = tuple(dict.fromkeys([*known, *wanted]))
    if list(together) != known:
        write_json(file, {"annotators": list(together)})
    return People(together, _secret(folder / "secret"))


def _secret(file: Path) -> bytes:
    """The folder's secret, made once; readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".secret.{os.getpid()}")
    if not file.exists():
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_hex(32).encode())
        try:
            os.link(temporary, file)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return file.read_bytes()
