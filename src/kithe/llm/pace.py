"""How many calls at once, and how long to wait before trying again.

Additive increase, multiplicative decrease: while answers come in time the limit grows; a refusal to serve or a timeout cuts it,
at most once for the calls that were under way together. Waiting times are drawn from the whole interval (full jitter), so that
callers who failed together do not come back together.
"""

import random
from dataclasses import dataclass, field
from typing import Final

_FIRST: Final = 8  # calls at once before anything is known
_BUSY: Final = 0.5  # of the limit remains after "slow down"
_LATE: Final = 0.7  # after a timeout
_SLOW: Final = 0.9  # after an answer that took more than half of the time it had
_BASE: Final = 0.5  # seconds; doubled with each attempt
_CAP: Final = 30.0


@dataclass
class Pace:
    """The number of calls that may be under way.

    Attributes:
        most: what it never exceeds.
        timeout: seconds a call may take.
        limit: what it is now.
        active: calls under way.
        held_until: nothing starts before this time, because the server said so.
        eras: how often the limit was cut; a call belongs to the era it started in.
    """

    most: int
    timeout: float
    limit: float = 0.0
    active: int = 0
    held_until: float = 0.0
    eras: int = 0
    _growing: bool = field(default=True, repr=False)

    def __post_init__(self) -> None:
        self.limit = float(min(self.most, _FIRST))

    def free(self, now: float) -> bool:
        """Whether a call may start."""
        return self.active < int(self.limit) and now >= self.held_until

    def start(self) -> int:
        """A call starts; its era."""
        self.active += 1
        return self.eras

    def end(self) -> None:
        """A call is over, however."""
        self.active -= 1

    def answered(self, era: int, seconds: float) -> None:
        """An answer came: grow where the limit was the limit, or shrink before timeouts begin."""
        if seconds > self.timeout / 2:
            self._cut(era, _SLOW)
        elif self.active + 1 >= int(self.limit):
            self.limit = min(self.most, self.limit + (1.0 if self._growing else 1.0 / self.limit))

    def late(self, era: int) -> None:
        """A call timed out."""
        self._cut(era, _LATE)

    def busy(self, era: int, until: float = 0.0) -> None:
        """The server said "slow down", and perhaps until when."""
        self.held_until = max(self.held_until, until)
        self._cut(era, _BUSY)

    def _cut(self, era: int, factor: float) -> None:
        if era == self.eras:
            self.limit = max(1.0, self.limit * factor)
            self._growing = False
            self.eras += 1


def delay(attempt: int, after: float | None, draw: random.Random) -> float:
    """Seconds to wait after a failed attempt (the first is 0).

    Args:
        after: what the server asked for; waited in full, with jitter on top.
    """
    jitter = draw.uniform(0, min(_CAP, _BASE * 2.0**attempt))
    return jitter if after is None else after + min(jitter, 1.0)
