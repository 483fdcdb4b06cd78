"""Figure 10: what the injector earns on average against a bug's target solve rate (appendix A.1), exactly."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ssr.game.reward import expected_injection_reward, expected_reward
from ssr.paper.style import SINGLE

ATTEMPTS, ALPHA = 8, 0.8
BETAS = ((1, 4, "#D55E00", "--"), (2, 8, "#009E73", "-."), (4, 16, "#CC79A7", ":"))
"""Exponents a and b of the Beta-shaped rewards, their colour and line; all of them peak at a solve rate of 0.2."""


def beta_reward(rate: float, a: float, b: float) -> float:
    """s^a (1-s)^b, scaled to a peak of 1."""
    peak = a / (a + b)
    return float((rate / peak) ** a * ((1 - rate) / (1 - peak)) ** b)


def maximum(function: Callable[[float], float]) -> tuple[float, float]:
    """Place and value of the maximum on [0, 1] of a function with one maximum, by golden section to 1e-9."""
    low, high, ratio = 0.0, 1.0, (5**0.5 - 1) / 2
    while high - low > 1e-9:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if function(left) > function(right) else (left, high)
    place = (low + high) / 2
    return place, function(place)


def draw() -> Figure:
    """The injection reward of the paper beside Beta-shaped ones, each expected over G = 8 attempts."""
    figure = Figure(figsize=(SINGLE, 2.9), layout="constrained")
    axes = figure.subplots()
    rates = [step / 400 for step in range(401)]
    _curve(axes, rates, expected, "#0072B2", "-", rf"SSR, $\alpha$ = {ALPHA}")
    for a, b, colour, line in BETAS:
        _curve(axes, rates, _expected_beta(a, b), colour, line, rf"$\propto s^{{{a}}}(1-s)^{{{b}}}$, peak 1")
    place, value = maximum(expected)
    axes.plot([place, place], [-0.14, value], color="#0072B2", linewidth=0.6)
    text = f"maximum {value:.4f}\nat p = {place:.3f}"
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axes.text(place + 0.03, -0.16, text, va="top", ha="center", color="#0072B2", bbox=white)
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set(xlabel="target solve rate p", ylabel=f"expected reward, G = {ATTEMPTS} attempts", xlim=(0, 1))
    figure.legend(loc="outside lower center", ncols=2, handlelength=2.4, columnspacing=1.2)
    return figure


def expected(p: float) -> float:
    """The paper's injection reward for a target solve rate, on average over its attempts."""
    return expected_injection_reward(p, ATTEMPTS, ALPHA)


def _expected_beta(a: float, b: float) -> Callable[[float], float]:
    return lambda p: expected_reward(lambda rate: beta_reward(rate, a, b), p, ATTEMPTS)


def _curve(
    axes: Axes, rates: Sequence[float], function: Callable[[float], float], colour: str, line: str, label: str
) -> None:
    axes.plot(rates, [function(rate) for rate in rates], color=colour, linestyle=line, label=label)
    place, value = maximum(function)
    axes.plot([place], [value], marker="o", color=colour, markersize=4)
