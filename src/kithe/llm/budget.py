"""What calls may cost: an upper bound is reserved before a call, what it did cost is settled after it.

The ledger is a file where the config names one, so that a resumed run and parallel shards spend from the same budget. A killed
process leaves its reservations in it: those calls may have been paid for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Final

from kithe.errors import ConfigError
from kithe.llm.client import Ask
from kithe.llm.database import Database

_MESSAGE: Final = 16  # tokens that a chat template may put around a message
_TYPICAL: Final = 4  # bytes of English in a token; a token has at least one byte
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS spent (calls INTEGER NOT NULL, tokens INTEGER NOT NULL, cost REAL NOT NULL);
INSERT INTO spent SELECT 0, 0, 0.0 WHERE NOT EXISTS (SELECT 1 FROM spent);
"""
_RESERVE: Final = """
UPDATE spent SET calls = calls + :calls, tokens = tokens + :tokens, cost = cost + :cost
WHERE (:max_calls IS NULL OR calls + :calls <= :max_calls) AND (:max_tokens IS NULL OR tokens + :tokens <= :max_tokens)
  AND (:max_cost IS NULL OR cost + :cost <= :max_cost)
"""


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, in any one currency; a provider's discounts for repeated prompts are not counted."""

    input: float = 0.0
    output: float = 0.0

    def __post_init__(self) -> None:
        if self.input < 0 or self.output < 0:
            raise ConfigError(f"prices are per million tokens and not negative: input {self.input}, output {self.output}")

    def cost(self, prompt_tokens: int, new_tokens: int) -> float:
        """The price of one call."""
        return (prompt_tokens * self.input + new_tokens * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class Amount:
    """Calls, tokens (prompt and new together) and their cost."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class Budget:
    """The most that may be spent; None: no limit.

    Attributes:
        max_cost: in the currency of the prices.
        max_tokens: prompt and new tokens together.
        max_calls: requests, every attempt counted.
        ledger: a file that remembers what was spent, for resumed runs and parallel processes; None: this object's life.
    """

    max_cost: float | None = None
    max_tokens: int | None = None
    max_calls: int | None = None
    ledger: str | None = None


class Ledger:
    """What was spent of a budget, reservations included."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._limits = {"max_cost": budget.max_cost, "max_tokens": budget.max_tokens, "max_calls": budget.max_calls}
        self._database = Database(Path(budget.ledger) if budget.ledger else None, _TABLE)

    def reserve(self, amount: Amount) -> bool:
        """Set an upper bound aside; False (and nothing set aside) where it does not fit any more."""
        values = {"calls": amount.calls, "tokens": amount.tokens, "cost": amount.cost, **self._limits}
        with self._database.connection() as connection:
            return connection.execute(_RESERVE, values).rowcount == 1

    def settle(self, reserved: Amount, actual: Amount) -> None:
        """Replace a reservation by what it came to."""
        change = (actual.calls - reserved.calls, actual.tokens - reserved.tokens, actual.cost - reserved.cost)
        with self._database.connection() as connection:
            connection.execute("UPDATE spent SET calls = calls + ?, tokens = tokens + ?, cost = cost + ?", change)

    def spent(self) -> Amount:
        """All so far."""
        with self._database.connection() as connection:
            return Amount(*connection.execute("SELECT calls, tokens, cost FROM spent").fetchone())

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def prompt_bound(ask: Ask) -> int:
    """An upper bound of the prompt's tokens: its bytes and what a chat template adds."""
    return _bytes(ask) + _MESSAGE * (1 + len(ask.messages))


def bound(ask: Ask, prices: Prices) -> Amount:
    """The most that one attempt can come to."""
    prompt = prompt_bound(ask)
    return Amount(1, prompt + ask.max_tokens, prices.cost(prompt, ask.max_tokens))


@dataclass(frozen=True)
class Estimate:
    """What asking would take, every ask answered at the first attempt.

    Attributes:
        calls: requests.
        prompt_tokens: at four bytes a token, as in English.
        prompt_tokens_at_most: at one byte a token.
        new_tokens_at_most: every answer as long as it may be.
        cost_at_most: of the two upper bounds; `cost_likely_at_most` of the likely prompt and the longest answers.
    """

    calls: int
    prompt_tokens: int
    prompt_tokens_at_most: int
    new_tokens_at_most: int
    cost_likely_at_most: float
    cost_at_most: float


def estimate(asks: Iterable[Ask], prices: Prices) -> Estimate:
    """Count before spending; the asks are gone through once, none is kept."""
    calls = likely = most = new = 0
    for ask in asks:
        calls += 1
        likely += _bytes(ask) // _TYPICAL + _MESSAGE // 2 * (1 + len(ask.messages))
        most += prompt_bound(ask)
        new += ask.max_tokens
    return Estimate(calls, likely, most, new, prices.cost(likely, new), prices.cost(most, new))


def _bytes(ask: Ask) -> int:
    schema = len(dumps(ask.schema)) if ask.schema is not None else 0
    return schema + sum(len(message.content.encode("utf-8", "replace")) for message in ask.messages)
