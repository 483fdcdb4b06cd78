"""Where the marks of a chart stand: panels as coordinates for the SVG template, without a drawing library."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from ssr.report.curves import Curve, Panel, Point

WIDTH, HEIGHT = 360.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 10.0, 34.0


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A point: its place, what it says when asked, and where it leads."""

    x: float
    y: float
    text: str
    link: str


@dataclass(frozen=True)
class Line:
    """A run's curve: path and band as SVG path data; `style` numbers colour and dash."""

    run: str
    style: int
    path: str
    band: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Chart:
    """Everything the template draws."""

    panel: Panel
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]

    @property
    def summary(self) -> str:
        """The chart in words, for those who do not see it: each run's last value."""
        ends = [f"{line.run} {line.dots[-1].text}" for line in self.lines if line.dots]
        return f"{self.panel.title}. Last values: {'; '.join(ends)}."


def ticks(low: float, high: float, count: int = 5, whole: bool = False) -> list[float]:
    """Round numbers that cover the range, about `count` of them."""
    if high <= low:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    raw = (high - low) / count
    unit = 10 ** floor(log10(raw))
    step = next(unit * size for size in (1, 2, 5, 10) if unit * size >= raw * 0.999)
    step = max(1.0, ceil(step)) if whole else step
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def chart(panel: Panel, styles: Sequence[str]) -> Chart:
    """A panel laid out; a run's style is its place in `styles`."""
    points = [point for curve in panel.curves for point in curve.points]
    first, last = min(point.x for point in points), max(point.x for point in points)
    xs = ticks(first if first == 1 else 0.0, max(first + 1, last), whole=True)
    lows, highs = [point.low for point in points], [point.high for point in points]
    ys = ticks(min(lows), max(highs)) if not panel.percent else ticks(0.0, max(1.0, *highs))
    across = _Axis(xs[0], xs[-1], LEFT, WIDTH - RIGHT)
    up = _Axis(ys[0], ys[-1], HEIGHT - BOTTOM, TOP)
    lines = tuple(_line(curve, styles.index(curve.run), across, up, panel) for curve in panel.curves)
    return Chart(
        panel,
        lines,
        tuple(Tick(across.place(x), f"{x:g}") for x in xs),
        tuple(Tick(up.place(y), f"{y:.6g}") for y in ys),
    )


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)


def _line(curve: Curve, style: int, across: _Axis, up: _Axis, panel: Panel) -> Line:
    places = [(across.place(point.x), up.place(point.value)) for point in curve.points]
    band = [(across.place(point.x), up.place(point.high)) for point in curve.points]
    band += [(across.place(point.x), up.place(point.low)) for point in reversed(curve.points)]
    dots = tuple(Dot(x, y, _text(point, panel), point.link) for (x, y), point in zip(places, curve.points, strict=True))
    return Line(curve.run, style, _path(places), f"{_path(band)}Z", dots)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in places)


def _text(point: Point, panel: Panel) -> str:
    unit = "%" if panel.percent else ""
    number = ".1f" if panel.percent else ".4g"
    place = f"{panel.axis.removesuffix('s') if point.x == 1 else panel.axis} {point.x:g}"
    interval = f" ({point.low:{number}} to {point.high:{number}})" if point.low != point.high else ""
    return f"{point.value:{number}}{unit}{interval} at {place}, n = {point.n}"
