"""What can be had without reading a conversation: chance and the best constant answers, under the metric they stand beside."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations, permutations
from math import comb, factorial
from statistics import mean

from kithe.ip_dialog.metrics import f1, letter_agreement, rank_agreement
from kithe.records.question import Question

Agreement = Callable[[Sequence[str], Sequence[str]], float]


def letters(questions: Sequence[Question]) -> str:
    """The option letters of a task: those of its option texts, or up to the last one that is a right answer somewhere."""
    texts = max((len(question.options) for question in questions), default=0)
    last = max((ord(letter) - 64 for question in questions for letter in question.answer), default=0)
    return "ABCDE"[: texts or last]


def chance(questions: Sequence[Question]) -> float:
    """The expected accuracy of a random answer to one task: options of the gold answer's size; 0 for open tasks."""
    form, size = questions[0].form, len(letters(questions)) if questions[0].form in ("options", "order") else 0
    if form in ("yes_no", "order"):
        return 0.5
    # With k of n options at random, k²/n are expected to be right: F1 = k/n.
    return mean(len(question.answer) / size for question in questions) if form == "options" else 0.0


def chance_of_exact_match(questions: Sequence[Question]) -> float:
    """The probability of the very answer at random: the published row, which stands beside shares of another kind."""
    form = questions[0].form
    if form == "yes_no":
        return 0.5
    if form == "order":
        return mean(1 / factorial(len(question.answer)) for question in questions)
    size = len(letters(questions)) if form == "options" else 0
    return mean(1 / comb(size, len(question.answer)) for question in questions) if form == "options" else 0.0


def constant(questions: Sequence[Question], agreement: Agreement = rank_agreement) -> tuple[str, float]:
    """The best answer that is always the same, and its accuracy; empty and 0 for open tasks.

    Args:
        questions: of one task.
        agreement: how two orders are compared.
    """
    form = questions[0].form
    if form == "yes_no":
        word, count = Counter(question.answer[0] for question in questions).most_common(1)[0]
        return word, count / len(questions)
    if form not in ("options", "order"):
        return "", 0.0
    measure = agreement if form == "order" else f1
    tried = ((mean(measure(question.answer, said) for question in questions), said) for said in _answers(questions))
    best, said = max(tried, key=lambda pair: pair[0])
    return " ".join(said), best


def official_constant(questions: Sequence[Question]) -> tuple[str, float]:
    """As `constant`, with orders compared letter by letter."""
    return constant(questions, letter_agreement)


def frequent_types(questions: Sequence[Question]) -> list[float]:
    """ATF of always naming the k most frequent attribute types, for k = 1, 2, …"""
    ranked = [name for name, _ in Counter(name for question in questions for name in question.related).most_common()]
    return [mean(f1(question.related, ranked[:k]) for question in questions) for k in range(1, len(ranked) + 1)]


def majority(questions: Sequence[Question], shown: Sequence[Question]) -> list[dict[str, str]]:
    """What to say of each of `shown`: the best number of `questions`' most frequent types, each with its most frequent value."""
    curve = frequent_types(questions)
    ranked = [name for name, _ in Counter(name for question in questions for name in question.related).most_common()]
    pairs = Counter(pair for question in questions for pair in question.related.items())
    best = ranked[: curve.index(max(curve)) + 1]
    said = {name: max((pair for pair in pairs if pair[0] == name), key=lambda pair: pairs[pair])[1] for name in best}
    return [said for _ in shown]


def turn_count(shown: Sequence[Question]) -> list[frozenset[str]]:
    """The shortcut of the official histories: every exchange shows an attribute, and every attribute shown counts.

    What a perfect reader of cues gets who never looks at the request.
    """
    return [frozenset(filter(None, question.shown)) for question in shown]


def _answers(questions: Sequence[Question]) -> Iterator[tuple[str, ...]]:
    names = letters(questions)
    if questions[0].form == "order":
        return permutations(names)
    return chain.from_iterable(combinations(names, size) for size in range(1, len(names) + 1))
