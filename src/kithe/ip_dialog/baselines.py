"""What can be had without reading a conversation: chance and the best constant answers, under the metric they stand beside."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations, permutations
from math import comb, factorial
from statistics import mean

from kithe.ip_dialog.metrics import f1, rank_agreement
from kithe.records.question import Question

Agreement = Callable[[Sequence[str], Sequence[str]], float]


def letters(questions: Sequence[Question]) -> str:
    """The option letters of a task: those of its option texts, or up to the last one that is a right answer somewhere."""
    chosen = [question for question in questions if question.form in ("options", "order")]
    texts = max((len(question.options) for question in chosen), default=0)
    last = max((ord(letter) - 64 for question in chosen for letter in question.answer), default=0)
    return "ABCDE"[: texts or last]


def chance(questions: Sequence[Question]) -> float:
    """The expected accuracy of a random answer to one task: options of the gold answer's size; 0 for open tasks."""
    return mean(chance_of(question, len(letters(questions))) for question in questions)


def chance_of(question: Question, size: int) -> float:
    """The same for one item with so many options, or as many as it has itself."""
    if question.form in ("yes_no", "order"):
        return 0.5
    size = len(question.options) or size
    # With k of n options at random, k²/n are expected to be right: F1 = k/n.
    return len(question.answer) / size if question.form == "options" else 0.0


def chance_of_exact_match(questions: Sequence[Question]) -> float:
    """The probability of the very answer at random: the published row, which stands beside shares of another kind."""
    return mean(exact_chance_of(question, len(letters(questions))) for question in questions)


def exact_chance_of(question: Question, size: int) -> float:
    """The same for one item with so many options, or as many as it has itself."""
    if question.form == "yes_no":
        return 0.5
    size = len(question.options) or size
    if question.form == "order":
        return 1 / factorial(len(question.answer))
    return 1 / comb(size, len(question.answer)) if question.form == "options" else 0.0


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


def frequent_types(questions: Sequence[Question]) -> list[float]:
    """ATF of always naming the k most frequent attribute types, for k = 1, 2, …"""
    ranked = [name for name, _ in Counter(name for question in questions for name in question.related).most_common()]
    return [mean(f1(question.related, ranked[:k]) for question in questions) for k in range(1, len(ranked) + 1)]


def best_types(questions: Sequence[Question]) -> list[str]:
    """The most frequent attribute types, as many as score best when they are always named."""
    curve = frequent_types(questions)
    ranked = [name for name, _ in Counter(name for question in questions for name in question.related).most_common()]
    return ranked[: curve.index(max(curve)) + 1] if curve else []


def _answers(questions: Sequence[Question]) -> Iterator[tuple[str, ...]]:
    names = letters(questions)
    if questions[0].form == "order":
        return permutations(names)
    return chain.from_iterable(combinations(names, size) for size in range(1, len(names) + 1))
