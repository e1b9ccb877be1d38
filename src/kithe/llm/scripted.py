"""A client that is played by a function: for tests and for simulated parts, and always named as such."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kithe.llm.client import Ask, Failure, Keep, Reply, failed

Answer = Callable[[Ask], str | Failure | Reply]


@dataclass(frozen=True)
class ScriptedClient:
    """Answers with what a function returns, in order, one at a time.

    Attributes:
        answer: the text, a failure, or a whole reply. Tokens are words where it returns a text.
        part: whom it plays; another part is another identity.
    """

    answer: Answer
    part: str = "client"

    @property
    def name(self) -> str:
        """`scripted:<part>`."""
        return f"scripted:{self.part}"

    @property
    def identity(self) -> str:
        """The name."""
        return self.name

    def complete(self, asks: Iterable[Ask], keep: Keep | None = None) -> Iterator[Reply]:
        """See `Client.complete`."""
        for ask in asks:
            reply = self._reply(ask)
            if keep is not None:
                keep(ask, reply)
            yield reply

    def _reply(self, ask: Ask) -> Reply:
        said = self.answer(ask)
        if isinstance(said, Reply):
            return said
        read = sum(len(message.content.split()) for message in ask.messages)
        if isinstance(said, Failure):
            return failed(ask, said.reason, said.message, prompt_tokens=read, model=self.name)
        words = said.split(" ")
        cut = len(words) > ask.max_tokens
        text = " ".join(words[: ask.max_tokens])
        return Reply(
            ask.id,
            text,
            "length" if cut else "stop",
            prompt_tokens=read,
            new_tokens=min(len(words), ask.max_tokens),
            model=self.name,
        )
