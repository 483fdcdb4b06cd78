// Two generations side by side.
"use strict";

addEventListener("DOMContentLoaded", async () => {
  const { el } = ssr;
  const [bugs, episodes, numbers] = await Promise.all([ssr.rows("bugs"), ssr.rows("episodes"), ssr.rows("provenance")]);
  const [left, right] = ["left", "right"].map((id) => document.getElementById(id));
  const target = document.getElementById("compared");
  const nameOf = (row) => `${row.run} seed ${row.seed} generation ${row.generation}`;
  const played = episodes.filter((row) => row.role === "injector" || row.role === "solver");
  const places = [...new Map([...played, ...bugs].map((row) => [nameOf(row), row])).values()]
    .map(({ run, seed, generation }) => ({ run, seed, generation }));
  if (!places.length) {
    target.replaceChildren(el("p", { class: "note" }, "No generation has been played yet."));
    return;
  }

  const first = Math.max(0, places.findIndex(({ run }) => run === "ssr"));
  const last = places.findLastIndex(({ run, seed }) => run === places[first].run && seed === places[first].seed);
  const MAX_BUGS = 12;
  const within = (rows, place) => rows.filter((row) => nameOf(row) === nameOf(place));
  const count = (rows, of) => rows.reduce((counts, row) => counts.set(of(row), (counts.get(of(row)) ?? 0) + 1), new Map());

  for (const select of [left, right]) {
    select.append(...places.map((place, index) => el("option", { value: index }, nameOf(place))));
    select.addEventListener("change", () => ssr.go({ [select.id]: select.value }, true));
  }

  function draw() {
    const state = ssr.state();
    left.value = places[state.get("left")] ? state.get("left") : first;
    right.value = places[state.get("right")] ? state.get("right") : last;
    const pair = [places[left.value], places[right.value]];
    target.replaceChildren(
      both(pair, "Bugs by check that failed", (place) => bars(count(within(bugs, place).filter((row) => row.strategy !== "issue" && row.order === 1), (row) => row.check || "valid"))),
      both(pair, "Bugs by solve rate", (place) => bars(count(within(bugs, place).filter((row) => !row.check), ssr.rateClass), ssr.RATES)),
      both(pair, "How injectors ended", (place) => bars(count(within(played, place).filter((row) => row.role === "injector"), (row) => row.exit))),
      both(pair, "How attempts ended", (place) => bars(count(within(played, place).filter((row) => row.role === "solver"), (row) => row.outcome))),
      both(pair, "Valid bugs", bugList),
      el("h2", {}, "Metrics"),
      measured(pair),
    );
  }

  function measured(pair) {
    const found = pair.map((place) => new Map(within(numbers, place).filter((row) => !row.benchmark).map((row) => [row.metric, row])));
    const names = [...new Set(found.flatMap((rows) => [...rows.keys()]))].sort();
    if (!names.length) return el("p", { class: "note" }, "No metrics yet: they are gathered when every stage of the scale is done.");
    const cell = (row) => el("td", { class: "number" }, row ? el("a", { href: ssr.address(
      { run: row.run, seed: row.seed, generation: row.generation, metric: row.metric }, "provenance.html") },
    `${ssr.number(row.value)}${row.stderr ? ` ± ${ssr.number(row.stderr)}` : ""}`) : "");
    const lines = names.map((name) => {
      const [a, b] = found.map((rows) => rows.get(name));
      const change = a && b ? b.value - a.value : null;
      return el("tr", {}, el("th", { scope: "row" }, name), cell(a), cell(b),
        el("td", { class: "number" }, change === null ? "" : `${change > 0 ? "+" : ""}${ssr.number(change)}`));
    });
    const head = ["metric", ...pair.map(nameOf), "difference"].map((text, index) => el("th", { scope: "col", class: index ? "number" : null }, text));
    return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, lines)));
  }

  const both = (pair, title, content) => el("section", {}, el("h2", {}, title),
    el("div", { class: "two" }, pair.map((place) => el("div", {}, el("h3", { class: "quiet" }, nameOf(place)), content(place)))));

  function bars(counts, order) {
    if (!counts.size) return el("p", { class: "quiet" }, "None.");
    const most = Math.max(...counts.values());
    const names = [...counts.keys()].sort(order ? (a, b) => order.indexOf(a) - order.indexOf(b) : (a, b) => counts.get(b) - counts.get(a) || a.localeCompare(b));
    return el("div", { class: "bars" }, names.flatMap((name) => {
      const bar = el("div", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${(100 * counts.get(name)) / most}%`;
      return [el("span", {}, name), el("span", {}, bar), el("span", { class: "number" }, String(counts.get(name)))];
    }));
  }

  function bugList(place) {
    const valid = within(bugs, place).filter((row) => !row.check);
    if (!valid.length) return el("p", { class: "quiet" }, "None.");
    const all = ssr.address({ run: place.run, seed: place.seed, generation: place.generation, check: "valid" }, "bugs.html");
    return el("ul", {}, valid.slice(0, MAX_BUGS).map((row) => el("li", {}, el("a", { href: ssr.address({ id: row.id }, "bugs.html") }, row.id),
      ` ${row.strategy}, ${row.lines} lines${row.attempts ? `, ${row.solved} of ${row.attempts} solved` : ""}`)),
    el("li", {}, el("a", { href: all }, valid.length > MAX_BUGS ? `all ${valid.length}` : "in the list")));
  }

  addEventListener("hashchange", draw);
  draw();
});
