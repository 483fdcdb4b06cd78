"""Draws docs/loop.svg and docs/graph.svg: `envs/shell python docs/pictures.py`.

The graph is read from the rules themselves: the edges that `snakemake --rulegraph` prints, less those that follow from
others, and how often a rule is run from the wildcards of its first output.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
SCALE = "workflow/config/mini.yaml"
STYLE = """
text { font: 14px sans-serif; fill: #1f2328; text-anchor: middle }
.small { font-size: 12px; fill: #59636e }
.left { text-anchor: start }
rect { stroke: #59636e; fill: #ffffff }
.once { fill: #ffffff } .seed { fill: #dafbe1 } .generation { fill: #ddf4ff } .shard { fill: #fff1c9 }
path { stroke: #59636e; fill: none; stroke-width: 1.4; marker-end: url(#tip) }
.later { stroke-dasharray: 5 4 }
#tip path { fill: #59636e; stroke: none; marker-end: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } rect { stroke: #9198a1 }
rect, .once { fill: #0d1117 } .seed { fill: #0f3d1e } .generation { fill: #123a5c } .shard { fill: #4d3800 }
path { stroke: #9198a1 } #tip path { fill: #9198a1 }
}
"""
KINDS = {
    "once": "once a scale",
    "seed": "once a run and seed",
    "generation": "once a generation",
    "shard": "once a shard: many jobs at the same time",
}


@dataclass(frozen=True)
class Box:
    """A labelled box by its centre."""

    x: float
    y: float
    title: str
    line: str = ""
    kind: str = "once"
    width: float = 170
    height: float = 46

    def drawn(self) -> str:
        shift = -3 if self.line else 5
        parts = [
            f'<rect class="{self.kind}" x="{self.x - self.width / 2:g}" y="{self.y - self.height / 2:g}" '
            f'width="{self.width:g}" height="{self.height:g}" rx="7"/>',
            f'<text x="{self.x:g}" y="{self.y + shift:g}">{escape(self.title)}</text>',
        ]
        if self.line:
            parts.append(f'<text class="small" x="{self.x:g}" y="{self.y + 14:g}">{escape(self.line)}</text>')
        return "\n".join(parts)


def picture(width: int, height: int, title: str, parts: list[str]) -> str:
    """A whole SVG file."""
    tip = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker>'
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    body = "\n".join(parts)
    return f"{head}\n<title>{title}</title>\n<style>{STYLE}</style>\n<defs>{tip}</defs>\n{body}\n</svg>\n"


def path(points: str, kind: str = "") -> str:
    return f'<path class="{kind}" d="{points}"/>'


def text(x: float, y: float, words: str, kind: str = "small") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def loop() -> str:
    """The game of one generation."""
    boxes = [
        Box(110, 50, "repository", "snapshot: code, history, tests"),
        Box(110, 150, "injector", "explores, breaks, hides it", "shard"),
        Box(350, 150, "bug artifact", "two diffs, script, parser, list"),
        Box(590, 150, "consistency check", "by execution, in a sandbox", "shard"),
        Box(590, 260, "instance", "in SWE-bench's fields"),
        Box(590, 370, "solver", "several attempts", "shard"),
        Box(350, 370, "verdict", "oracle tests put back and run", "shard"),
        Box(110, 370, "rewards", "of both roles", "generation"),
        Box(110, 260, "training", "one model plays both roles", "generation"),
    ]
    arrows = [
        path("M110 73V125"),
        path("M195 150H263"),
        path("M435 150H503"),
        path("M590 173V235"),
        path("M590 283V345"),
        path("M505 370H437"),
        path("M265 370H197"),
        path("M110 347V285"),
        path("M110 237V175"),
        path("M390 347C390 300 430 262 503 260", "later"),
        path("M530 173C500 235 270 215 165 345", "later"),
    ]
    words = [
        text(330, 218, "a check fails: the injector gets -1"),
        text(408, 322, "a failed patch is a", "small left"),
        text(408, 337, "second-order bug", "small left"),
        text(118, 208, "new weights", "small left"),
    ]
    return picture(700, 420, "The loop of self-play", [*arrows, *(box.drawn() for box in boxes), *words])


def rules() -> dict[str, tuple[str, str]]:
    """Each rule, how often it is run, and the command that it runs."""
    found = {}
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", file.read_text(), re.DOTALL | re.MULTILINE):
            output = re.search(r'output:\s+(?:\w+=)?(?:\w+\()?"([^"]+)"', body)
            first = output.group(1) if output else ""
            kind = next((kind for kind in ("shard", "generation", "seed") if f"{{{kind}}}" in first), "once")
            command = re.search(r"\bssr(?: [a-z][a-z-]*)+", body.partition("shell:")[2])
            found[name] = (kind, command.group() if command else "")
    return found


def edges() -> set[tuple[str, str]]:
    """Pairs of rules of which the second reads what the first made; targets are left out."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "--forceall", "--configfile", SCALE]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', said, re.MULTILINE))
    pairs = re.findall(r"^\s*(\d+) -> (\d+)", said, re.MULTILINE)
    return {(names[a], names[b]) for a, b in pairs if a != b and names[b] != "all"}


def reach(pairs: set[tuple[str, str]], start: str) -> set[str]:
    """What can be reached from a rule, itself left out."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        waiting += [b for a, b in pairs if a == here and b not in found]
        found |= {b for a, b in pairs if a == here}
    return found


def reduced(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The edges of a graph without circles that do not follow from others."""
    return {(a, b) for a, b in pairs if not any(b in reach(pairs, c) for x, c in pairs if x == a and c != b)}


def layers(pairs: set[tuple[str, str]]) -> list[list[str]]:
    """Rules by the longest way that leads to them, each row ordered by where its inputs stand."""
    depth = dict.fromkeys({name for pair in pairs for name in pair}, 0)
    for _ in depth:
        for a, b in sorted(pairs):
            depth[b] = max(depth[b], depth[a] + 1)
    for name in depth:  # What waits for nothing stands just above the first rule that reads it.
        if depth[name] == 0:
            depth[name] = min(depth[b] for a, b in pairs if a == name) - 1
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    place: dict[str, float] = {}
    for number, row in enumerate(rows):
        row += sorted(name for name in depth if depth[name] == number)
        row.sort(key=lambda name: (sum(place[a] for a, b in pairs if b == name), name))
        place |= {name: index - (len(row) - 1) / 2 for index, name in enumerate(row)}
    return rows


def graph() -> str:
    """The rules of a scale, from repositories to figures."""
    known, found = rules(), edges()
    back = {(a, b) for a, b in found if a == "train" and "train" in reach(found - {(a, b)}, b)}
    forward = reduced(found - back)
    first = reduced({(b, c) for _, b in back for _, c in back if c in reach(forward, b)})
    targets = {b for _, b in back} - {c for _, c in first}
    rows = layers(forward)
    widest = max(map(len, rows))
    middle, step = 60 + widest * 90, 72
    boxes = {
        name: Box(middle + 180 * (index - (len(row) - 1) / 2), 40 + step * number, name, known[name][1], known[name][0])
        for number, row in enumerate(rows)
        for index, name in enumerate(row)
    }
    arrows = [path(_down(boxes[a], boxes[b])) for a, b in sorted(forward)]
    arrows += [path(_back(boxes["train"], boxes[b]), "later") for b in sorted(targets)]
    bottom = 40 + step * len(rows)
    legend = [Box(40, bottom + 26 * n, "", kind=kind, width=26, height=16).drawn() for n, kind in enumerate(KINDS)]
    legend += [text(62, bottom + 5 + 26 * n, words, "small left") for n, words in enumerate(KINDS.values())]
    legend.append(path(f"M27 {bottom + 26 * len(KINDS)}H53", "later"))
    note = "to a later generation; edges that follow from others are left out"
    legend.append(text(62, bottom + 5 + 26 * len(KINDS), note, "small left"))
    drawn = [box.drawn() for box in boxes.values()]
    return picture(
        max(2 * middle, 500), bottom + 22 + 26 * len(KINDS), "The graph of a scale", [*arrows, *drawn, *legend]
    )


def _down(a: Box, b: Box) -> str:
    top, end = a.y + a.height / 2, b.y - b.height / 2 - 1
    if a.x == b.x and end - top > 64:
        return f"M{a.x + 40:g} {top:g}C{a.x + 150:g} {top + 30:g} {b.x + 150:g} {end - 30:g} {b.x + 40:g} {end:g}"
    bend = (end - top) / 2
    return f"M{a.x:g} {top:g}C{a.x:g} {top + bend:g} {b.x:g} {end - bend:g} {b.x:g} {end:g}"


def _back(a: Box, b: Box) -> str:
    left = min(a.x - a.width / 2, b.x - b.width / 2)
    out = left - 70
    return f"M{a.x - a.width / 2:g} {a.y:g}C{out:g} {a.y:g} {out:g} {b.y:g} {b.x - b.width / 2 - 1:g} {b.y:g}"


if __name__ == "__main__":
    (ROOT / "docs" / "loop.svg").write_text(loop())
    (ROOT / "docs" / "graph.svg").write_text(graph())
