// What every page shares: data in pieces, elements, the address, colours and keys.
// A page opened from a file may not fetch, so data comes as scripts that call ssr.receive.
"use strict";

const ssr = {
  /** @type {Map<string, Promise<any>>} */
  pieces: new Map(),
  /** @type {Map<string, (value: any) => void>} */
  waiting: new Map(),
  /** What keys do on this page, by key. */
  keys: new Map(),

  /** Called by data/{name}.js. */
  receive(name, value) {
    ssr.waiting.get(name)(value);
    ssr.waiting.delete(name);
  },

  /** The value in data/{name}.js, read once. */
  load(name) {
    if (!ssr.pieces.has(name)) {
      ssr.pieces.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        ssr.waiting.set(name, resolve);
        script.src = `data/${name}.js`;
        script.onload = () => script.remove();
        script.onerror = () => reject(new Error(`data/${name}.js is missing: make the report again`));
        document.head.append(script);
      }));
    }
    return ssr.pieces.get(name);
  },

  /** The rows of a list as objects. */
  async rows(name) {
    const { columns, rows } = await ssr.load(name);
    return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
  },

  /** An element. Texts become text nodes, so nothing that a model wrote is ever read as HTML. */
  el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  },

  /** Terms and what they are, as a list; empty values are left out. */
  about(facts, name = "about") {
    const shown = Object.entries(facts).filter(([, value]) => value !== "" && value !== null && value !== undefined);
    return ssr.el("dl", { class: name }, shown.map(([term, value]) =>
      ssr.el("div", {}, ssr.el("dt", {}, term), ssr.el("dd", {}, value instanceof Node ? value : String(value)))));
  },

  /** The part of the address after #, as names and values. */
  state() {
    return new URLSearchParams(location.hash.slice(1));
  },

  /** An address with some names of the state changed; empty values go. */
  address(changes, page = "") {
    const state = page ? new URLSearchParams() : ssr.state();
    for (const [name, value] of Object.entries(changes)) {
      if (value === "" || value === null || value === undefined) state.delete(name);
      else state.set(name, value);
    }
    return `${page}#${state}`;
  },

  /** Change the state; with `keep`, the way back does not stop here. */
  go(changes, keep = false) {
    if (!keep) {
      location.hash = ssr.address(changes);
      return;
    }
    history.replaceState(null, "", ssr.address(changes));
    dispatchEvent(new HashChangeEvent("hashchange"));
  },

  /** A number in at most four significant digits; counts keep all of theirs. */
  number(value) {
    if (value === null || value === undefined) return "";
    return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
  },

  signed(value) {
    return value === null ? "" : `${value > 0 ? "+" : ""}${value.toFixed(2)}`;
  },
};

/** How often of how many, as a class that can be filtered by. */
ssr.RATES = ["not attempted", "0", "0 to ¼", "¼ to ½", "½ to ¾", "¾ to 1", "1"];
ssr.rateClass = ({ solved, attempts }) => {
  if (!attempts) return ssr.RATES[0];
  const rate = solved / attempts;
  if (rate === 0 || rate === 1) return String(rate);
  return ssr.RATES[2 + Math.min(3, Math.ceil(rate * 4) - 1)];
};

{
  const THEMES = ["auto", "light", "dark"];
  const root = document.documentElement;
  const show = (theme) => {
    root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
  };
  const next = () => {
    const theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    localStorage.setItem("ssr-theme", theme);
    show(theme);
  };
  show(localStorage.getItem("ssr-theme") ?? "auto");

  addEventListener("DOMContentLoaded", () => {
    const dialog = document.getElementById("keys");
    show(root.dataset.theme);
    document.getElementById("theme").addEventListener("click", next);
    document.getElementById("help").addEventListener("click", () => dialog.showModal());
    const pages = [...document.querySelectorAll(".top nav a")];
    pages.forEach((page, index) => ssr.keys.set(String(index + 1), () => page.click()));
    ssr.keys.set("t", next);
    ssr.keys.set("?", () => dialog.showModal());
  });

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input") || (event.target.matches("select") && /^\w$/.test(event.key));
    if (typing && event.key !== "Escape") return;
    const action = ssr.keys.get(event.key);
    if (action) {
      event.preventDefault();
      action();
    }
  });
}
