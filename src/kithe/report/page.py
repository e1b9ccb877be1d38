"""One self-contained HTML page: escaped text, light and dark, readable on a phone, nothing loaded from anywhere."""

from collections.abc import Sequence
from html import escape

from kithe.report.text import one_line
from kithe.report.writers import Table

STYLE = """
:root{--ink:#1c1c1e;--paper:#fff;--soft:#6b6b70;--rule:#d9d9de;--0:#0072b2;--1:#d55e00;--2:#009e73;--3:#cc79a7;--4:#e69f00;--5:#56b4e9}
@media (prefers-color-scheme:dark){
:root{--ink:#ececf0;--paper:#16161a;--soft:#a0a0a8;--rule:#3a3a42;--0:#4aa8e0;--1:#ff8a4c;--2:#2fc79c}
}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;color:var(--ink);background:var(--paper);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid var(--rule)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
td.r,th.r{text-align:right;white-space:nowrap}
td:first-child{white-space:nowrap}
td:last-child{min-width:16rem}
p.note,figcaption{color:var(--soft);font-size:.86rem}
figure{margin:1.2rem 0;overflow-x:auto}
svg{width:100%;min-width:38rem;height:auto;max-width:60rem;font:11px system-ui,sans-serif}
svg text{fill:var(--ink)}
svg .small{font-size:8px;fill:var(--soft)}
svg line{stroke:var(--soft)}
svg .rule{stroke:var(--rule)}
svg polyline{fill:none;stroke-width:1.8}
svg .dot{opacity:.55}
.legend span{margin-right:1.2rem;white-space:nowrap}
.legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.35rem;border-radius:2px}
"""
COLOURS = "".join(
    f".c{i}{{fill:var(--{i});background:var(--{i})}}svg .l{i}{{stroke:var(--{i});stroke-width:1.8}}" for i in range(6)
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, parts: Sequence[str]) -> str:
    """The whole page around parts that are HTML already."""
    name = escape(title)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n<style>{STYLE}{COLOURS}</style>\n</head>\n<body>\n'
        f"<h1>{name}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>"
    )


def heading(words: str) -> str:
    """A section's heading."""
    return f"<h2>{escape(words)}</h2>"


def paragraph(words: str) -> str:
    """Text in small print."""
    return f'<p class="note">{escape(words)}</p>'


def figure(image: str, caption: str) -> str:
    """A plot with its caption."""
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def table(content: Table) -> str:
    """A table that scrolls sideways where the screen is narrow."""
    head = "".join(_cell("th", name, right) for name, right in zip(content.header, content.right, strict=True))
    body = "\n".join(
        f"<tr>{''.join(_cell('td', words, right) for words, right in zip(line, content.right, strict=True))}</tr>"
        for line in content.body
    )
    note = paragraph(content.legend) if content.legend else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>{note}'


def _cell(tag: str, words: str, right: bool) -> str:
    return f"<{tag}{' class=r' if right else ''}>{escape(one_line(words))}</{tag}>"
