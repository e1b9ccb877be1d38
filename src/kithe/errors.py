"""What is nobody's bug: an error the user can fix, and a stop somebody asked for."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")


class ConfigError(Exception):
    """What is wrong, where, what is allowed and how to fix it; printed as one line, without a traceback."""


class Stopped(Exception):  # noqa: N818  # nothing went wrong
    """Work was asked to stop and has saved where it was; the same call goes on from there."""


@contextmanager
def one_line_errors(stopped: str = "stopped") -> Iterator[None]:
    """Turn what a user can fix into one line on stderr and exit status 2, Ctrl-C into 130; a failed cell exits with 1."""
    try:
        yield
    except ConfigError as error:
        sys.stderr.write(f"kithe: {error}\n")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write(f"kithe: {stopped}\n")
        raise SystemExit(130) from None


def until(stop: Callable[[], bool], found: Iterable[T]) -> Iterator[T]:
    """What comes, as long as nobody asks to stop.

    Raises:
        Stopped: `stop` said so, after whoever takes what comes was through with the last of it.
    """
    for each in found:
        yield each
        if stop():
            raise Stopped("the same command goes on from there")


def at_least(place: str, value: float, least: float) -> None:
    """Refuse a number that is too small.

    Raises:
        ConfigError: naming the place, such as "adapt.rank", the value and the limit.
    """
    if not value >= least:
        raise ConfigError(f"{place}={value}: it must be at least {least}")


def a_share(place: str, value: float) -> None:
    """Refuse what is no share or probability.

    Raises:
        ConfigError: naming the place, such as "data.cold.share", and the value.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"{place}={value}: it must be from 0 to 1")


def enough_resamples(place: str, value: int) -> None:
    """Refuse a bootstrap of so few draws that a 95 % interval has no ends; the outermost of 40 is its 2.5 %.

    Raises:
        ConfigError: naming the place, such as "judge.resamples", the value and the limit.
    """
    if value < 40:
        raise ConfigError(f"{place}={value}: a 95 % interval needs at least 40; 10000 is usual")


def more_than(place: str, value: float, limit: float) -> None:
    """Refuse a number that is not above a limit.

    Raises:
        ConfigError: naming the place, the value and the limit.
    """
    if not value > limit:
        raise ConfigError(f"{place}={value}: it must be more than {limit}")


def absent(what: str, name: str, place: object, there: Iterable[str], most: int = 5) -> ConfigError:
    """The error for an id that a folder does not hold, with those that come nearest to it and how many there are.

    Args:
        what: what kind of thing it is, such as "run".
        name: what was given.
        place: where it should be.
        there: every id there is.
        most: at most so many are named.
    """
    names = sorted(there)
    near = get_close_matches(name, names, n=most, cutoff=0.0)
    if len(names) <= most:
        return ConfigError(f"no {what} '{name}' in {place}; there: {', '.join(near) or 'none'}")
    return ConfigError(f"no {what} '{name}' in {place}; the nearest of the {len(names)} there: {', '.join(near)}")


def unknown(what: str, name: str, allowed: Iterable[str]) -> ConfigError:
    """The error for a name that is not among `allowed`, with the nearest ones.

    Args:
        what: what kind of name it is and where, such as "option of the config group 'adapt'".
        name: what was given.
        allowed: every name that would have been right.
    """
    names = sorted(allowed)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'?" if close else "allowed:"
    return ConfigError(f"no such {what}: '{name}'; {hint} ({', '.join(names)})")
