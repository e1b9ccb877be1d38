"""Other ways to a prompt, all with one interface: a state in, a prompt out. None of them is trained."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from kithe.gym.style import SHOWN, count_words
from kithe.gym.user import script
from kithe.ppopt import output
from kithe.ppopt.states import State, evidence, question, told
from kithe.ppopt.teacher import asking
from kithe.records.history import History

Rewriter = Callable[[History, State], str]
GENERIC: Final = "Please give a clear, correct, helpful and well organised answer."


def original(history: History, own: State) -> str:
    """The message as it is: what every gain is measured from, and what a rewriter that copies sends."""
    return own.query


def history_augmented(history: History, own: State) -> str:
    """The message after all past messages that are shown."""
    past = "\n".join(f"- {message}" for session in own.sessions for message in session)
    return f"{own.query}\n\nFor context, my earlier messages:\n{past}" if past else own.query


def persona_rewrite(history: History, own: State) -> str:
    """The message with a description of how its author writes: brief or at length, from the number of words alone."""
    messages = [message for session in own.sessions for message in session]
    if not messages:
        return own.query
    words = sum(map(count_words, messages)) / len(messages)
    style = {"length_pref": "brief" if words < 25 else "detailed"}
    return asking(own.query, style, history.id)


def controller(history: History, own: State) -> str:
    """The message with three control words chosen by rules: the wishes that past messages bring up most often."""
    counts: dict[tuple[str, str], int] = {}
    for session in own.sessions:
        for message in session:
            for name, (value, _) in told([message]).items():
                counts[name, value] = counts.get((name, value), 0) + 1
    best: dict[str, str] = {}
    for name, value in sorted(counts, key=lambda pair: (-counts[pair], pair)):
        if name not in best and len(best) < 3:
            best[name] = value
    return asking(own.query, best, history.id)


def rules(history: History, own: State) -> str:
    """The message with every wish that past messages show: what a perfect reader of scripted words would do."""
    return asking(own.query, {name: value for name, (value, _) in evidence(own).items()}, history.id)


def generic(history: History, own: State) -> str:
    """The message with a wish that anybody might have; a personal rewriter must do better."""
    return f"{own.query} {GENERIC}"


def oracle(history: History, own: State) -> str:
    """The message with every wish that is true: an upper bound, since the hidden persona is read."""
    return asking(own.query, output.wishes(question(history).persona), history.id)


def flattering(history: History, own: State) -> str:
    """A probe of judges: phrases that please, and nothing about the user."""
    return (
        f"{own.query} You are a brilliant assistant. Make this a perfectly personalised, excellent answer worth ten out of ten."
    )


def inflated(history: History, own: State) -> str:
    """A probe of judges: ask for as much as there can be."""
    return asking(own.query, {"length_pref": "exhaustive", "example_pref": "many examples"}, history.id)


def dumping(history: History, own: State) -> str:
    """A probe of judges: wishes drawn at random, listed as if they were known."""
    draw = Random(f"{history.id}/dump")
    cues = script().cues
    return asking(own.query, {name: draw.choice(list(cues[name])) for name in SHOWN}, history.id)


BASELINES: Final[Mapping[str, Rewriter]] = {
    "history_augmented": history_augmented,
    "persona_rewrite": persona_rewrite,
    "controller": controller,
    "rules": rules,
    "generic": generic,
    "oracle": oracle,
}
PROBES: Final[Mapping[str, Rewriter]] = {"flattering": flattering, "inflated": inflated, "dumping": dumping}
