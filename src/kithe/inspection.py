"""A training example as the model sees it."""

from collections.abc import Sequence

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError
from kithe.llm.chat import encode_example

GREEN, DIM, OFF = "\x1b[32m", "\x1b[2m", "\x1b[0m"


def marked_example(overrides: Sequence[str], number: int, *, colour: bool) -> str:
    """The tokens of training example `number`, the supervised ones in green, or in [brackets] without colour.

    Raises:
        ConfigError: there are not so many examples.
    """
    cell = Cell.of(compose(overrides))
    examples = cell.build("task").format.examples(cell.build_corpus().train)
    if not 0 <= number < len(examples):
        raise ConfigError(f"--example {number}: there are {len(examples)} examples, numbered from 0")
    tokenizer = cell.build("model").tokenizer()
    encoded = encode_example(tokenizer, examples[number])
    pieces = [tokenizer.decode([token]) for token in encoded.ids]
    shown = (mark(piece, learnt, colour) for piece, learnt in zip(pieces, encoded.supervised, strict=True))
    return f"{''.join(shown)}\n{examples[number].id}: {len(encoded.ids)} tokens, {encoded.targets} of them learnt\n"


def mark(piece: str, learnt: bool, colour: bool) -> str:
    """One token's text with its mark."""
    if colour:
        return f"{GREEN if learnt else DIM}{piece}{OFF}"
    return f"[{piece}]" if learnt else piece
