"""Noise for releases under differential privacy that is drawn once: the same statistics get the same noise from every process.

Noise that is drawn anew at every run averages out over runs, and each of them spends the budget again. Here it is a function of a
secret key, of the exact statistics and of the budget: asking again tells nothing new, and other statistics (one history more)
get noise that has nothing to do with it. Whoever knows the key can take the noise off.
"""

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from kithe.errors import ConfigError

VARIABLE: Final = "KITHE_NOISE_KEY"  # the path of the file that holds the key
BYTES: Final = 32
BITS: Final = 53  # of a double's fraction


class KeyedNoise(Random):
    """Uniform numbers from HMAC-SHA256 of a counter, so that what is released does not betray what comes next."""

    def __init__(self, key: bytes) -> None:
        super().__init__(0)
        self._key, self._counter = key, 0

    def random(self) -> float:
        """A number in [0, 1)."""
        self._counter += 1
        drawn = hmac.digest(self._key, self._counter.to_bytes(8, "big"), "sha256")
        return (int.from_bytes(drawn[:8], "big") >> (64 - BITS)) * 2.0**-BITS


def noise_for(what: str, key: bytes) -> KeyedNoise:
    """The noise that belongs to some statistics.

    Args:
        what: the exact statistics and the budget, in words that are the same whenever they are.
        key: the secret.
    """
    return KeyedNoise(hmac.digest(key, what.encode(), "sha256"))


def secret_key() -> bytes:
    """The key of this user: the file that `KITHE_NOISE_KEY` names, or `kithe/noise.key` in the user's configuration folder.

    It is made when it is first needed, readable by its owner only.

    Raises:
        ConfigError: it cannot be made or is no key.
    """
    path = _place()
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: the key of the noise cannot be kept ({error.strerror}); name a file with {VARIABLE}"
        ) from error
    if len(key) < BYTES:
        raise ConfigError(
            f"{path}: a key of noise has {BYTES} bytes, not {len(key)}; restore it, or name another with {VARIABLE}"
        )
    return key


def _place() -> Path:
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "kithe" / "noise.key"


def _make(path: Path) -> None:
    """Put a whole key there; of several processes the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(BYTES))
    try:
        with suppress(FileExistsError):
            os.link(own, path)
    finally:
        own.unlink()
