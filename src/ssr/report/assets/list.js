// A list with filters, sorting, pages, and a view of one entry. The address says what is shown.
"use strict";

/**
 * Show a list.
 *   name      of its data
 *   columns   {key, label, number, cell(row)}: the first links to the entry
 *   filters   {key, label, of(row), order}: a choice among the values that occur
 *   detail    (row, details, target) fills the view of an entry
 *   words     (row) the text that the search looks in
 */
ssr.list = async ({ name, columns, filters, detail, words, prepare = (rows) => rows, details = true }) => {
  const PAGE = 50;
  const { el } = ssr;
  const at = (id) => document.getElementById(id);
  const rows = prepare(await ssr.rows(name));
  const byId = new Map(rows.map((row) => [row.id, row]));
  let shown = rows;

  const search = el("input", { type: "search", name: "words", placeholder: "part of a name" });
  const choices = filters.map((filter) => ({ ...filter, select: el("select", { name: filter.key }) }));

  function fill({ select, of, order }) {
    const counts = new Map();
    for (const row of rows) counts.set(String(of(row)), (counts.get(String(of(row))) ?? 0) + 1);
    const compare = order
      ? (a, b) => order.indexOf(a) - order.indexOf(b)
      : (a, b) => a.localeCompare(b, "en", { numeric: true });
    const values = [...counts.keys()].filter((value) => value !== "").sort(compare);
    select.append(el("option", { value: "" }, "all"), ...values.map((value) =>
      el("option", { value }, `${value} (${counts.get(value).toLocaleString("en")})`)));
    return values.length > 1;
  }

  function select(state) {
    const wanted = choices.filter(({ key }) => state.get(key));
    const text = (state.get("words") ?? "").toLowerCase();
    const found = rows.filter((row) => wanted.every(({ key, of }) => String(of(row)) === state.get(key))
      && (!text || words(row).toLowerCase().includes(text)));
    const column = columns.find(({ key }) => key === state.get("sort"));
    if (!column) return found;
    const value = column.value ?? ((row) => row[column.key]);
    const sign = state.get("down") ? -1 : 1;
    return [...found].sort((a, b) => sign * order(value(a), value(b)));
  }

  function order(a, b) {
    if (a === null || b === null) return (a === null) - (b === null);
    return typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  }

  function heading({ key, label, number }, state) {
    const sorted = state.get("sort") === key;
    const direction = sorted ? (state.get("down") ? "descending" : "ascending") : null;
    const turn = () => ssr.go({ sort: sorted && state.get("down") ? "" : key, down: sorted && !state.get("down") ? 1 : "", page: "" }, true);
    return el("th", { scope: "col", class: number ? "number" : null, "aria-sort": direction },
      el("button", { type: "button", onclick: turn }, label));
  }

  function line(row) {
    return el("tr", {}, columns.map(({ key, label, number, cell }, index) => {
      const content = cell ? cell(row) : String(row[key] ?? "");
      const inside = index ? content : el("a", { class: "open", href: ssr.address({ id: row.id }) }, content);
      return el("td", { class: number ? "number" : null, "data-name": label }, inside);
    }));
  }

  function drawList(state) {
    shown = select(state);
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    const page = Math.min(Math.max(1, Number(state.get("page") ?? 1)), pages);
    const from = (page - 1) * PAGE;
    const part = shown.slice(from, from + PAGE);
    at("rows").replaceChildren(
      el("thead", {}, el("tr", {}, columns.map((column) => heading(column, state)))),
      el("tbody", {}, part.map(line)));
    const all = rows.length.toLocaleString("en");
    at("count").textContent = shown.length
      ? `${from + 1} to ${from + part.length} of ${shown.length.toLocaleString("en")}${shown.length < rows.length ? `, out of ${all}` : ""}`
      : `None of ${all} fits.`;
    const step = (label, to) => el("button", { type: "button", disabled: to < 1 || to > pages, onclick: () => turn(to) }, label);
    at("pager").replaceChildren(...(pages > 1 ? [step("Previous", page - 1), `page ${page} of ${pages}`, step("Next", page + 1)] : []));
    search.value = state.get("words") ?? "";
    for (const { key, select: box } of choices) {
      box.value = state.get(key) ?? "";
      box.classList.toggle("chosen", box.value !== "");
    }
    ssr.keys.set("n", () => page < pages && turn(page + 1));
    ssr.keys.set("p", () => page > 1 && turn(page - 1));
    ssr.keys.set("j", () => move(1));
    ssr.keys.set("k", () => move(-1));
    ssr.keys.set("Escape", () => document.activeElement.blur());
  }

  function turn(page) {
    ssr.go({ page: page > 1 ? page : "" }, true);
    at("list").scrollIntoView();
  }

  function move(by) {
    const links = [...at("rows").querySelectorAll(".open")];
    const next = links.indexOf(document.activeElement) + by;
    links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
  }

  async function drawDetail(row, state) {
    shown = select(state);
    const index = shown.indexOf(row);
    const step = (label, key, to) => el("button", { type: "button", title: key, disabled: !shown[to], onclick: () => ssr.go({ id: shown[to].id }) }, label);
    const bar = el("div", { class: "bar" },
      el("a", { href: ssr.address({ id: "" }), class: "back" }, "Back to the list"),
      step("Previous", "p", index - 1), step("Next", "n", index + 1),
      el("span", { class: "quiet" }, index < 0 ? "" : `${(index + 1).toLocaleString("en")} of ${shown.length.toLocaleString("en")}`));
    const title = el("h2", { tabindex: -1 }, row.title ?? row.id);
    const target = at("detail");
    target.replaceChildren(bar, title);
    ssr.keys.set("n", () => shown[index + 1] && ssr.go({ id: shown[index + 1].id }));
    ssr.keys.set("p", () => shown[index - 1] && ssr.go({ id: shown[index - 1].id }));
    ssr.keys.set("Escape", () => ssr.go({ id: "" }));
    ssr.keys.delete("j");
    ssr.keys.delete("k");
    scrollTo(0, 0);
    title.focus({ preventScroll: true });
    const content = details ? (await ssr.load(`${name}/${row.chunk}`))[row.id] : null;
    if (target.contains(title)) await detail(row, content, target);
  }

  function draw() {
    const state = ssr.state();
    const row = byId.get(state.get("id"));
    const before = at("detail").hidden ? null : at("detail").dataset.id;
    at("list").hidden = Boolean(row);
    at("detail").hidden = !row;
    if (row) {
      at("detail").dataset.id = row.id;
      drawDetail(row, state);
      return;
    }
    drawList(state);
    if (before) [...at("rows").querySelectorAll(".open")].find((link) => new URLSearchParams(link.hash.slice(1)).get("id") === before)?.focus();
    if (state.get("id")) at("count").textContent = `There is no ${state.get("id")} in this report. ${at("count").textContent}`;
  }

  const useful = choices.filter(fill);
  at("filters").append(el("label", {}, "search", search), ...useful.map(({ label, select: box }) => el("label", {}, label, box)),
    el("button", { type: "reset", title: "all filters" }, "Clear"));
  const choose = (event) => ssr.go({ [event.target.name]: event.target.value, page: "" }, true);
  search.addEventListener("input", choose);
  for (const { select: box } of useful) box.addEventListener("change", choose);
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("filters").addEventListener("reset", () => ssr.go({ words: "", page: "", ...Object.fromEntries(choices.map(({ key }) => [key, ""])) }, true));
  ssr.keys.set("/", () => search.focus());
  addEventListener("hashchange", draw);
  draw();
};
