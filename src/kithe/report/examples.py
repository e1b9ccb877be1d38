"""What the cells said, to be read: conversations with their evidence highlighted, and the worst errors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Final

from kithe.corpora.words import stems
from kithe.knowledge.text import words
from kithe.records.history import History, KnowledgeItem
from kithe.report.errors import WRONG, Mistake, worst
from kithe.report.material import Answer
from kithe.report.study import SetStudy
from kithe.report.text import count, shorten

PEOPLE: Final = 10
TURNS: Final = 80
TURN: Final = 1_200
RAW: Final = 3_000
CELLS: Final = 12
ERRORS: Final = 40
LONG: Final = 300


def chosen(part: SetStudy) -> list[str]:
    """The users whose conversations are shown: those whose ids hash lowest, whatever the cells said of them."""
    ids = dict.fromkeys(each.history.id for answers in part.first_seeds.values() for each in answers)
    return sorted(ids, key=lambda name: sha256(name.encode()).digest())[:PEOPLE]


def examples(part: SetStudy, place: str) -> Iterator[str]:
    """A foldable block for each user shown; `place` sets the ids of this test set apart from others on the page."""
    by_user = {cell: {each.history.id: each for each in answers} for cell, answers in list(part.first_seeds.items())[:CELLS]}
    for number, user in enumerate(chosen(part)):
        answers = {cell: own[user] for cell, own in by_user.items() if user in own}
        yield example(next(iter(answers.values())).history, answers, f"{place}-{number}", part.name)


def example(history: History, answers: Mapping[str, Answer], place: str, test_set: str) -> str:
    """One user: the conversation on one side, gold facts and every cell's items on the other."""
    found = [f"{cell.partition(' ')[0]} {len(answer.right)}/{len(answer.calls)}" for cell, answer in answers.items()]
    facts = f"{len(history.items)} facts" if history.items else "no gold facts"
    blocks = "".join(said(cell, answer, place, opened=number == 0) for number, (cell, answer) in enumerate(answers.items()))
    return (
        f'<details data-row data-set="{escape(test_set)}"><summary>{escape(shorten(history.id, 60))} '
        f'<span class="soft">{escape(facts)} · right of inferred: {escape(", ".join(found))}</span></summary>'
        f'<div class="example"><div>{talk(history, answers.values(), place)}</div>'
        f"<div>{gold(history, answers, place)}{blocks}</div></div></details>"
    )


def talk(history: History, answers: Iterable[Answer], place: str) -> str:
    """The conversation, with the evidence of gold facts and right items marked."""
    sources = evidence(history, answers)
    lines, session = [], 1
    for number, turn in enumerate(history.turns[:TURNS]):
        if turn.session != session:
            session = turn.session
            lines.append(f'<li class="session">session {session}</li>')
        own = " class=own" if turn.speaker == history.user else ""
        text = marked(shorten(turn.text, TURN), sources.get(number, ()))
        lines.append(f'<li{own} id="{place}-t{number}"><span class="who">{number} · {escape(turn.speaker)}</span>{text}</li>')
    left = len(history.turns) - TURNS
    return f'<ol class="talk">{"".join(lines)}</ol>' + (
        f'<p class="note">{left} more turns are in the file.</p>' if left > 0 else ""
    )


def evidence(history: History, answers: Iterable[Answer]) -> dict[int, list[tuple[str, str]]]:
    """Turn -> quote and statement of everything that has its evidence there; an empty quote is the whole turn."""
    items = [*history.items, *(answer.prediction.items[index] for answer in answers for index in answer.right)]
    found: dict[int, list[tuple[str, str]]] = {}
    for item in items:
        for part in item.evidence:
            found.setdefault(part.turn, []).append((part.quote, item.statement))
    return found


def marked(text: str, sources: Sequence[tuple[str, str]]) -> str:
    """Text with its evidence marked: the quote, or the words that the statement shares with it where only the turn is known.

    Args:
        text: of a turn.
        sources: quote (empty: none) and statement of each item with its evidence here.
    """
    wanted = {stem for quote, statement in sources if not quote for stem in stems(statement)}
    spans = [(text.find(quote), text.find(quote) + len(quote)) for quote, _ in sources if quote and quote in text]
    spans += [(start, end) for word, start, end in words(text) if wanted & stems(word)] if wanted else []
    out, at = [], 0
    for start, end in sorted(spans):
        if start >= at:
            out += [escape(text[at:start]), f"<mark>{escape(text[start:end])}</mark>"]
            at = end
    return "".join([*out, escape(text[at:])])


def gold(history: History, answers: Mapping[str, Answer], place: str) -> str:
    """The gold facts, each with the cells that found it."""
    if not history.items:
        return ""
    lines = []
    for index, item in enumerate(history.items):
        cells = [cell.partition(" ")[0] for cell, answer in answers.items() if index in answer.found]
        known = any(not answer.judged for answer in answers.values())
        mark = ("yes" if cells else "no") if known else "open"
        who = f"found by {', '.join(cells)}" if cells else "found by none" if known else ""
        lines.append(line(item, mark, [who, labels(item)], place))
    return f'<h4>Gold facts</h4><ul class="items">{"".join(lines)}</ul>'


def said(cell: str, answer: Answer, place: str, opened: bool) -> str:
    """What one cell said of the user: items with verdicts, and the raw answers folded."""
    marks = {True: "yes", False: "no", None: "open"}
    lines = [
        line(item, marks[call.right], [sure(item), call.why, labels(item)], place)
        for item, call in zip(answer.prediction.items, answer.calls, strict=True)
    ]
    items = f'<ul class="items">{"".join(lines)}</ul>' if lines else '<p class="note">Nothing was inferred.</p>'
    raw = shorten("\n".join(answer.prediction.raw), RAW)
    dropped = "".join(
        f"<li><small>{escape(each.reason)}: {escape(shorten(each.raw, LONG))}</small></li>"
        for each in answer.prediction.rejected[:20]
    )
    inside = f"<pre>{escape(raw)}</pre>" + (f'<p class="note">Not used:</p><ul class="items">{dropped}</ul>' if dropped else "")
    text = f"<details><summary>raw answers</summary><div class=inside>{inside}</div></details>" if answer.prediction.raw else ""
    share = f"{len(answer.right)} of {len(lines)} right" if lines else "nothing"
    return (
        f"<details{' open' if opened else ''}><summary>{named(cell)} <span class=soft>{share}</span></summary>"
        f'<div class="inside">{items}{text}</div></details>'
    )


def line(item: KnowledgeItem, mark: str, notes: Iterable[str], place: str) -> str:
    """One item with its mark, notes, and links to its evidence."""
    turns = dict.fromkeys(part.turn for part in item.evidence)
    links = ", ".join(f'<a href="#{place}-t{turn}">turn {turn}</a>' for turn in turns if turn < TURNS)
    small = " · ".join(filter(None, [*(escape(shorten(note, LONG)) for note in notes if note), links]))
    return f'<li class="{mark}">{escape(shorten(item.statement, LONG))}<small>{small}</small></li>'


def labels(item: KnowledgeItem) -> str:
    """The labels of an item that are known."""
    return ", ".join(filter(None, (item.category, item.type, item.polarity, item.inference)))


def sure(item: KnowledgeItem) -> str:
    """An item's confidence."""
    return "" if item.confidence is None else f"confidence {item.confidence:.2f}"


def named(cell: str) -> str:
    """A cell's short name with its letter set off."""
    key, _, rest = cell.partition(" ")
    return f'<b class="key">{escape(key)}</b>{escape(rest)}'


def errors(part: SetStudy) -> Iterator[str]:
    """A foldable list of the worst errors of each cell."""
    for cell, found in list(part.mistakes.items())[:CELLS]:
        shown = worst(found, ERRORS)
        if shown:
            lines = "".join(error(each, cell, part.name) for each in shown)
            many = f"the {count(len(shown))} it was most sure of, of {count(len(found))} wrong items"
            yield (
                f"<details data-group><summary>{escape(part.name)} · {named(cell)} <span class=soft>{many}</span></summary>"
                f'<div class="inside"><ul class="errors">{lines}</ul></div></details>'
            )


def error(mistake: Mistake, cell: str, test_set: str) -> str:
    """One wrong item with what is near it."""
    sureness = "–" if mistake.item.confidence is None else f"{mistake.item.confidence:.2f}".removeprefix("0")
    nearest = f"<small>nearest fact: {escape(shorten(mistake.nearest, LONG))}</small>" if mistake.nearest else ""
    source = f"<small>from: {escape(shorten(mistake.evidence, LONG))}</small>" if mistake.evidence else ""
    why = mistake.why if mistake.kind == "refused" else WRONG[mistake.kind]
    return (
        f'<li data-row data-cell="{escape(cell)}" data-set="{escape(test_set)}" '
        f'data-kind="{escape(mistake.kind)}"><span class="sure">{sureness}</span>'
        f"<div>{escape(shorten(mistake.item.statement, LONG))} "
        f'<span class="kind">{escape(shorten(why, LONG))}</span>{nearest}{source}<small>{escape(mistake.user)}</small></div></li>'
    )


def tools(target: str, fields: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """A search field and selections that filter a list; hidden where scripts do not run.

    Args:
        target: the id of the list.
        fields: name of the data attribute -> (value, words) of what can be selected.
    """
    selects = "".join(
        f'<select name="{escape(name)}" aria-label="{escape(name)}"><option value="">every {escape(name)}</option>'
        + "".join(f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in values)
        + "</select>"
        for name, values in fields.items()
        if len(values) > 1
    )
    return (
        f'<div class="tools" data-filter="{escape(target)}" hidden>'
        f'<input type="search" aria-label="search" placeholder="search words">'
        f'{selects}<output class="soft"></output></div>'
    )
