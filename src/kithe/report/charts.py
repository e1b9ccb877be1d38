"""The plots of a table's report, as inline SVG whose colours follow the page."""

from collections.abc import Sequence
from html import escape

from kithe.report.curves import Curve
from kithe.report.estimates import Estimate
from kithe.report.plots import svg, text
from kithe.report.sureness import Sureness

LINES = 6
WIDE, HIGH = 460, 320
TOP = 26
FRAME = (44, WIDE, HIGH - 40)  # left, right, bottom


def interval_bar(estimate: Estimate, seeds: Sequence[float], low: float, high: float) -> str:
    """A dot with its interval on the scale from `low` to `high`, with a small ring for each of several seeds."""
    wide = (high - low) or 1.0

    def at(value: float) -> str:
        return f"{4 + 192 * min(1.0, max(0.0, (value - low) / wide)):.1f}"

    parts = ['<line class="rule" x1="4" y1="10" x2="196" y2="10"/>']
    if estimate.low is not None and estimate.high is not None:
        parts.append(f'<line class="bar" x1="{at(estimate.low)}" y1="10" x2="{at(estimate.high)}" y2="10"/>')
    parts += [f'<circle class="ring" cx="{at(value)}" cy="10" r="3"/>' for value in seeds if len(seeds) > 1]
    parts.append(f'<circle class="mean" cx="{at(estimate.value)}" cy="10" r="4.2"/>')
    return f'<svg class="forest" viewBox="0 0 200 20" aria-hidden="true">{"".join(parts)}</svg>'


def precision_recall(title: str, found: Sequence[Sureness]) -> str:
    """Precision over recall as the threshold rises, a line for each of at most six cells."""
    shown = [each for each in found if each.points][:LINES]
    low, high, bottom = FRAME
    most = max((point.recall["high"] for each in shown for point in each.points), default=1.0) or 1.0

    def place(recall: float, precision: float) -> tuple[float, float]:
        return low + (high - low - 12) * recall / most, bottom - (bottom - TOP) * precision

    parts = axes(low, high, bottom, most, ("recall", "precision"))
    for number, each in enumerate(shown):
        points = [place(point.recall["value"], point.precision["value"]) for point in each.points if point.precision is not None]
        parts.append(f'<polyline class="l{number}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')
        parts += [
            f'<circle class="c{number}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"><title>{escape(words)}</title></circle>'
            for (x, y), words in zip(points, labels(each), strict=True)
        ]
    return svg(title, HIGH, parts, WIDE)


def steps(title: str, curve: Curve) -> str:
    """A figure over the steps of a curve, a line with intervals for each of at most six cells."""
    shown = list(curve.points.items())[:LINES]
    low, high, bottom = FRAME
    ends = [end for _, own in shown for each in own if each for end in (each.value, each.low, each.high) if end is not None]
    least, most = min(0.0, *ends), max(0.05, *ends)
    first, last = curve.steps[0], curve.steps[-1]

    def up(value: float) -> float:
        return bottom - (bottom - TOP) * (value - least) / (most - least)

    def across(step: int, number: int) -> float:
        return low + 14 + (high - low - 40) * (step - first) / (last - first) + 3 * (number - (len(shown) - 1) / 2)

    parts = [text(2, 9, curve.measure.replace("_", " ")), text(high - 12, bottom + 34, curve.name, "end")]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = least + (most - least) * share
        parts.append(f'<line class="rule" x1="{low}" y1="{up(value):.1f}" x2="{high - 12}" y2="{up(value):.1f}"/>')
        parts.append(text(low - 6, up(value) + 4, f"{value:.2g}", "end"))
    parts += [text(across(step, 0), bottom + 17, str(step), "middle") for step in curve.steps]
    for number, (cell, own) in enumerate(shown):
        points = [(across(step, number), each, step) for step, each in zip(curve.steps, own, strict=True) if each]
        line = " ".join(f"{x:.1f},{up(each.value):.1f}" for x, each, _ in points)
        parts.append(f'<polyline class="l{number}" points="{line}"/>')
        for x, each, step in points:
            if each.low is not None and each.high is not None:
                y = up(each.low), up(each.high)
                parts.append(f'<line class="l{number}" x1="{x:.1f}" y1="{y[0]:.1f}" x2="{x:.1f}" y2="{y[1]:.1f}"/>')
            words = escape(f"{cell}: {curve.name} {step}, {each.value:.3g}")
            parts.append(
                f'<circle class="c{number}" cx="{x:.1f}" cy="{up(each.value):.1f}" r="3.4"><title>{words}</title></circle>'
            )
    return svg(title, HIGH, parts, WIDE)


def labels(each: Sureness) -> list[str]:
    """What the points of a curve say when they are touched."""
    return [
        f"{each.cell}: confidence from {point.threshold:.2f}, precision {point.precision['value']:.3f},"
        f" recall {point.recall['value']:.3f}"
        for point in each.points
        if point.precision is not None
    ]


def axes(low: float, high: float, bottom: float, most: float, names: tuple[str, str]) -> list[str]:
    """The frame of a plot whose shares go up to 1 upwards and to `most` across, with scales and names."""
    across = (high - low - 12) / most
    parts = [f'<line x1="{low}" y1="{bottom}" x2="{high - 12}" y2="{bottom}"/>', text(high - 12, bottom + 34, names[0], "end")]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - (bottom - TOP) * share
        parts += [f'<line class="rule" x1="{low}" y1="{y:.1f}" x2="{high - 12}" y2="{y:.1f}"/>']
        parts += [text(low - 6, y + 4, f"{share:.2f}".removeprefix("0"), "end")]
        parts += [text(low + across * most * share, bottom + 17, f"{most * share:.2f}".removeprefix("0"), "middle")]
    return [*parts, text(2, 9, names[1])]


def reliability(title: str, found: Sequence[Sureness]) -> str:
    """Accuracy over confidence by bins, a colour for each of at most six cells; on the diagonal confidence is right."""
    shown = found[:LINES]
    low, high, bottom = FRAME
    wide, tall = high - low - 12, bottom - TOP
    parts = [
        *axes(low, high, bottom, 1.0, ("confidence", "accuracy")),
        f'<line class="diagonal" x1="{low}" y1="{bottom}" x2="{low + wide}" y2="{TOP}"/>',
    ]
    for number, each in enumerate(shown):
        for each_bin in each.reliability.bins:
            x, y = (
                low + wide * each_bin.confidence + 5 * (number - (len(shown) - 1) / 2),
                bottom - tall * each_bin.accuracy["value"],
            )
            ends = [bottom - tall * each_bin.accuracy[end] for end in ("low", "high")]
            parts.append(f'<line class="l{number}" x1="{x:.1f}" y1="{ends[0]:.1f}" x2="{x:.1f}" y2="{ends[1]:.1f}"/>')
            words = (
                f"{each.cell}: {each_bin.n} items, confidence {each_bin.confidence:.2f}, right {each_bin.accuracy['value']:.2f}"
            )
            parts.append(f'<circle class="c{number}" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{escape(words)}</title></circle>')
    return svg(title, HIGH, parts, WIDE)
