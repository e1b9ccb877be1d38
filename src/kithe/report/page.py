"""One self-contained HTML page: escaped text, light and dark, readable on a phone, nothing loaded from anywhere."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from kithe.report.text import one_line
from kithe.report.writers import Table

COLOURS = "\n".join(
    f".c{i} {{ fill: var(--{i}); background: var(--{i}); }} svg .l{i} {{ stroke: var(--{i}); stroke-width: 1.8; }}"
    for i in range(6)
)


def page(title: str, parts: Sequence[str], places: Sequence[tuple[str, str]] = (), scripted: bool = False) -> str:
    """The whole page around parts that are HTML already.

    Nothing may be loaded, and no script may run but the page's own, which is named by its hash: text that slipped through
    unescaped could not run either.

    Args:
        title: of the page.
        parts: what stands below it.
        places: id and name of the sections that the bar at the top leads to.
        scripted: whether the page has the filters of `page.js`.
    """
    name, style, script = escape(title), _file("page.css"), _file("page.js") if scripted else ""
    own = f"; script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" if script else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'{own}"
    bar = "".join(f'<a href="#{escape(place)}">{escape(words)}</a>' for place, words in places)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}{COLOURS}</style>\n</head>\n<body>\n'
        + (f"<nav>{bar}</nav>\n" if bar else "")
        + f"<h1>{name}</h1>\n"
        + "\n".join(parts)
        + (f"\n<script>{script}</script>" if script else "")
        + "\n</body>\n</html>"
    )


def heading(words: str, place: str = "", level: int = 2) -> str:
    """A section's heading, with a place that links lead to."""
    mark = f' id="{escape(place)}"' if place else ""
    return f"<h{level}{mark}>{escape(words)}</h{level}>"


def paragraph(words: str) -> str:
    """Text in small print."""
    return f'<p class="note">{escape(words)}</p>'


def figure(image: str, caption: str, wide: bool = True) -> str:
    """A plot with its caption; a wide one scrolls sideways on a narrow screen."""
    return f"<figure{' class=wideplot' if wide else ''}>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def folded(summary: str, inside: Iterable[str], more: str = "", opened: bool = False) -> str:
    """Parts that open on a click, with or without scripts; `more` stands softly beside the summary."""
    beside = f' <span class="soft">{escape(more)}</span>' if more else ""
    return (
        f"<details{' open' if opened else ''}><summary>{escape(summary)}{beside}</summary>"
        f'<div class="inside">{"".join(inside)}</div></details>'
    )


def table(content: Table) -> str:
    """A table that scrolls sideways where the screen is narrow; intervals stand below their values."""
    head = "".join(_cell("th", name, right) for name, right in zip(content.header, content.right, strict=True))
    note = paragraph(content.legend) if content.legend else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{_lines(content)}\n</tbody></table></div>{note}'


def grouped(contents: Sequence[Table]) -> str:
    """Tables of equal columns as one: the first column's name heads a group of lines."""
    if not contents:
        return ""
    head = "".join(_cell("th", name, True) for name in contents[0].header[1:])
    groups = "\n".join(
        f'<tbody><tr class="group"><th colspan="{len(each.header)}">{escape(each.header[0])}</th></tr>{_lines(each)}</tbody>'
        for each in contents
    )
    return f'<div class="wide"><table class="even"><thead><tr><th></th>{head}</tr></thead>\n{groups}</table></div>'


def matrix(names: Sequence[str], entries: Mapping[tuple[str, str], tuple[str, str, str, str]]) -> str:
    """Names against names by the letters they begin with; an entry is a class, a title, a number and its marks."""
    head = "".join(
        f'<th class="r" title="{escape(name)}"><b class="key">{escape(name.partition(" ")[0])}</b></th>' for name in names
    )
    lines = []
    for name in names:
        key, _, rest = name.partition(" ")
        cells = "".join(_entry(entries.get((name, other))) for other in names)
        lines.append(f'<tr><td><b class="key">{escape(key)}</b>{escape(rest)}</td>{cells}</tr>')
    return (
        f'<div class="wide"><table class="matrix"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _lines(content: Table) -> str:
    return "\n".join(
        f"<tr>{''.join(_cell('td', words, right) for words, right in zip(line, content.right, strict=True))}</tr>"
        for line in content.body
    )


def _entry(found: tuple[str, str, str, str] | None) -> str:
    if found is None:
        return '<td class="r none">·</td>'
    colour, title, number, marks = map(escape, found)
    return f'<td class="r {colour}" title="{title}">{number}<span class="stars">{marks}</span></td>'


def value(words: str) -> str:
    """A number with its interval below it, if it has one."""
    number, bracket, rest = one_line(words).partition(" [")
    ends, _, after = rest.partition("]")
    return f"{escape(number + after)}<small>[{escape(ends)}]</small>" if bracket else escape(number)


def _cell(tag: str, words: str, right: bool) -> str:
    return f"<{tag}{' class=r' if right else ''}>{value(words) if right and tag == 'td' else escape(one_line(words))}</{tag}>"


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
