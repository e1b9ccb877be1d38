"""Plots as inline SVG: no library, no external resource, colours from the page so that they follow light and dark."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil

import numpy as np

WIDTH = 720
LABEL = 210
ROW = 9
Series = Mapping[str, Sequence[float]]


def svg(title: str, height: float, parts: Sequence[str], width: float = WIDTH) -> str:
    """An image that scales to the page, with its title for those who cannot see it."""
    name = escape(title)
    shapes = "\n".join(parts)
    box = f"0 0 {width:.0f} {height:.0f}"
    return f'<svg viewBox="{box}" role="img" aria-label="{name}">\n<title>{name}</title>\n{shapes}\n</svg>'


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """Text at a point."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def legend(names: Sequence[str]) -> str:
    """Names beside their colours, as HTML."""
    marks = "".join(f'<span><i class="c{place % 6}"></i>{escape(name)}</span>' for place, name in enumerate(names))
    return f'<p class="legend">{marks}</p>'


def bars(title: str, values: Mapping[str, Mapping[str, float]]) -> str:
    """Horizontal bars: a group for each category, in it a bar for each series; `values` is series -> category -> number."""
    names = list(values)
    categories = sorted({name for own in values.values() for name in own})
    most = max((value for own in values.values() for value in own.values()), default=0.0) or 1.0
    parts, tall = [], ROW * len(names) + 6
    for row, category in enumerate(categories):
        top = row * tall + 4
        parts.append(text(LABEL - 8, top + tall / 2 + 2, category, "end"))
        for place, name in enumerate(names):
            value = values[name].get(category, 0.0)
            length = (WIDTH - LABEL - 60) * value / most
            at = top + place * ROW
            parts.append(f'<rect class="c{place % 6}" x="{LABEL}" y="{at:.1f}" width="{length:.1f}" height="{ROW - 1}"/>')
            parts.append(f'<text class="small" x="{LABEL + length + 4:.1f}" y="{at + 7:.1f}">{100 * value:.1f}</text>')
    return legend(names) + svg(title, len(categories) * tall + 8, parts)


def histograms(title: str, unit: str, values: Series, bins: int = 24) -> str:
    """A line for each series: the share of its values in equal steps up to the 99 % point of all."""
    pooled = np.concatenate([np.asarray(own, dtype=np.float64) for own in values.values()])
    most = max(1, ceil(float(np.quantile(pooled, 0.99)))) if len(pooled) else 1
    step = max(1, ceil(most / bins))
    edges = np.arange(0, most + step + 1, step)
    shares = {name: np.histogram(np.minimum(own, edges[-1] - 1e-9), edges)[0] / max(1, len(own)) for name, own in values.items()}
    top = max((float(own.max()) for own in shares.values()), default=0.0) or 1.0
    high, left, bottom = 220, 46, 196
    across, up = _scale(0, float(edges[-1]), left, WIDTH - 12), _scale(0, top, bottom, 14)
    parts = [f'<line x1="{left}" y1="{bottom}" x2="{WIDTH - 12}" y2="{bottom}"/>']
    parts += [text(across(edge), bottom + 16, f"{edge:g}", "middle") for edge in edges[:: max(1, len(edges) // 8)]]
    parts += [text(left - 6, up(share) + 4, f"{100 * share:.0f} %", "end") for share in (0, top / 2, top)]
    parts.append(text(WIDTH - 12, high - 4, unit, "end"))
    for place, own in enumerate(shares.values()):
        points = [
            f"{across(edges[i]):.1f},{up(share):.1f} {across(edges[i + 1]):.1f},{up(share):.1f}" for i, share in enumerate(own)
        ]
        parts.append(f'<polyline class="l{place % 6}" points="{" ".join(points)}"/>')
    return legend(list(values)) + svg(title, high, parts)


def intervals(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, float, float | None, float | None]]]]) -> str:
    """A panel for each metric on a scale of its own: a dot with its interval for each series (name, value, low, high)."""
    parts, y = [], 8.0
    names = [name for name, *_ in rows[0][1]] if rows else []
    for metric, points in rows:
        ends = [end for _, value, low, high in points for end in (value, low, high) if end is not None]
        across = _scale(min(ends), max(ends), LABEL + 14, WIDTH - 64)
        parts.append(text(LABEL - 8, y + 6 * len(points) + 4, metric, "end"))
        for name, value, low, high in points:
            place, at = names.index(name) % 6, y + 6
            if low is not None and high is not None:
                parts.append(
                    f'<line class="l{place}" x1="{across(low):.1f}" y1="{at:.1f}" x2="{across(high):.1f}" y2="{at:.1f}"/>'
                )
            parts.append(f'<circle class="c{place}" cx="{across(value):.1f}" cy="{at:.1f}" r="3.5"/>')
            parts.append(f'<text class="small" x="{WIDTH - 56}" y="{at + 3:.1f}">{value:.3g}</text>')
            y += 12
        y += 8
        parts.append(f'<line class="rule" x1="{LABEL}" y1="{y - 3:.1f}" x2="{WIDTH}" y2="{y - 3:.1f}"/>')
    return legend(names) + svg(title, y + 4, parts)


def scatter(title: str, values: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Points in the plane, a colour for each series, equal scales."""
    points = [point for own in values.values() for point in own] or [(0.0, 0.0)]
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    across, up = _scale(low[0], high[0], 12, WIDTH - 12), _scale(low[1], high[1], 408, 12)
    parts = [
        f'<circle class="c{place % 6} dot" cx="{across(x):.1f}" cy="{up(y):.1f}" r="2.4"/>'
        for place, own in enumerate(values.values())
        for x, y in own
    ]
    return legend(list(values)) + svg(title, 420, parts)


def labelled(title: str, points: Sequence[tuple[float, float, str]]) -> str:
    """Points in the plane, each of the colour of its label; there may be dozens, so they are spread over the hues."""
    names = sorted({name for *_, name in points})
    colours = {name: f"hsl({360 * n / max(1, len(names)):.0f} 70% {(40, 58)[n % 2]}%)" for n, name in enumerate(names)}
    places = [point[:2] for point in points] or [(0.0, 0.0)]
    low, high = np.min(places, axis=0), np.max(places, axis=0)
    rows = max(1, ceil(len(names) / 4))
    across, up, bottom = _scale(low[0], high[0], 12, WIDTH - 12), _scale(low[1], high[1], 408, 12), 430
    parts = [
        f'<circle fill="{colours[name]}" cx="{across(x):.1f}" cy="{up(y):.1f}" r="3.4"><title>{escape(name)}</title></circle>'
        for x, y, name in points
    ]
    for n, name in enumerate(names):
        x, y = 16 + (WIDTH - 20) / 4 * (n // rows), bottom + 16 * (n % rows)
        parts.append(f'<circle fill="{colours[name]}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>{text(x + 9, y + 4, name)}')
    return svg(title, bottom + 16 * rows, parts)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    wide = high - low
    return lambda value: start + (end - start) * ((value - low) / wide if wide else 0.5)
