"""A model behind a server as an option of `model`: it is asked as it is, and nothing of it is here to be trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

from kithe.errors import ConfigError, at_least
from kithe.llm.client import Client


@dataclass(frozen=True)
class Remote:
    """A model that is reached through a client.

    Attributes:
        client: who answers.
        context: the longest sequence the model takes, in tokens.
    """

    client: Client
    context: int = 8192
    remote: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the value.

        Raises:
            ConfigError: there is no room for anything.
        """
        at_least("model.context", self.context, 64)

    @property
    def name(self) -> str:
        """The client's."""
        return self.client.name

    def load(self, dtype: str) -> Client:
        """The client itself; the server chooses its precision."""
        del dtype
        return self.client

    def tokenizer(self) -> None:
        """None: the server has it."""

    def parameters(self) -> int:
        """None of them are here."""
        return 0

    def folder(self) -> Path:
        """See `meta`."""
        self._nothing_here()

    def meta(self) -> NoReturn:
        """Not to be had.

        Raises:
            ConfigError: always.
        """
        self._nothing_here()

    def _nothing_here(self) -> NoReturn:
        raise ConfigError(f"{self.name} is behind a server: its weights are not here; choose another model to train or to export")
