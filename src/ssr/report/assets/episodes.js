// The episodes of all runs, and one episode: turn by turn, with its tokens on demand.
"use strict";

addEventListener("DOMContentLoaded", () => {
  const { el } = ssr;
  const SHADES = [0.1, 0.7, 1.5, 3, 5]; // nats: a token's surprise, from one shade to the next
  const good = (row) => row.outcome === "solved" || row.outcome === "valid";

  ssr.list({
    name: "episodes",
    words: (row) => `${row.id} ${row.repo}`,
    columns: [
      { key: "id", label: "episode" },
      { key: "role", label: "role" },
      { key: "repo", label: "repository" },
      { key: "outcome", label: "outcome", cell: (row) => el("span", { class: good(row) ? "good" : "bad" }, row.outcome) },
      { key: "reward", label: "reward", number: true, cell: (row) => ssr.signed(row.reward) },
      { key: "turns", label: "turns", number: true },
      { key: "tokens", label: "tokens", number: true, cell: (row) => row.tokens.toLocaleString("en") },
    ],
    filters: [
      { key: "role", label: "role or benchmark", of: (row) => row.role },
      { key: "repo", label: "repository", of: (row) => row.repo },
      { key: "strategy", label: "strategy", of: (row) => row.strategy },
      { key: "order", label: "order", of: (row) => row.order },
      { key: "outcome", label: "outcome", of: (row) => row.outcome },
      { key: "exit", label: "ended by", of: (row) => row.exit },
      { key: "run", label: "run", of: (row) => row.run },
      { key: "seed", label: "seed", of: (row) => row.seed },
      { key: "generation", label: "generation", of: (row) => row.generation },
    ],
    detail(row, episode, target) {
      const button = episode.tokens < 0 ? "" : el("button", { type: "button", "aria-pressed": "false", title: "s" }, "Tokens");
      target.querySelector(".bar").append(button);
      const turns = episode.turns.map(turn);
      number(turns);
      target.append(
        ssr.about({
          role: row.role, run: `${row.run}, seed ${row.seed}`, generation: row.generation, repository: row.repo, strategy: row.strategy,
          bug: row.bug ? el("a", { href: ssr.address({ id: row.bug }, "bugs.html") }, row.bug) : episode.problem ?? "",
          turns: row.turns, "generated tokens": row.tokens, "prompt tokens": episode.prompt_tokens, "format errors": episode.format_errors,
          "ended by": row.exit, "weights of step": episode.weight_version,
        }),
        el("div", { class: `why ${good(row) ? "good" : "bad"}` },
          el("p", {}, el("b", {}, `${row.reward === null ? "" : `Reward ${ssr.signed(row.reward)}. `}`), episode.why),
          episode.training ? el("p", { class: "quiet" }, episode.training) : ""),
        ...turns,
        episode.patch ? el("section", {}, el("h3", {}, "The patch that was handed in"), ssr.diff(episode.patch, "patch")) : "",
      );
      if (button) shading(row, episode, turns, button, target);
      ssr.keys.set("j", () => move(turns, 1));
      ssr.keys.set("k", () => move(turns, -1));
    },
  });

  function turn(message) {
    if (message.role === "assistant") return said(message);
    if (message.role === "tool") return el("pre", { class: "seen", tabindex: 0, "aria-label": "observation" }, message.text);
    return el("article", { class: "turn", tabindex: -1 },
      el("details", { open: message.role === "user" }, el("summary", {}, { system: "System prompt", user: "Task" }[message.role]), el("pre", {}, message.text)));
  }

  function said({ thought, tool, arguments: given, problem }) {
    const words = el("div", { class: "words" }, thought ? el("p", { class: "thought" }, thought) : "");
    if (tool) words.append(el("div", { class: "call" }, call(tool, given)));
    if (problem) words.append(el("p", { class: "bad" }, problem));
    return el("article", { class: "turn said", tabindex: -1 }, el("h3", {}), words);
  }

  function call(tool, given) {
    const head = el("span", { class: "tool" }, tool);
    if (tool === "bash") return [head, el("pre", {}, given.command)];
    if (tool === "submit") return [head, " ", el("code", {}, given.path)];
    if (tool === "create") return [head, " ", el("code", {}, given.path), el("pre", {}, given.content)];
    const lines = (text) => text.replace(/\n$/, "").split("\n");
    const [before, after] = [lines(given.search), given.replace ? lines(given.replace) : []];
    const diff = [`@@ -1,${before.length} +1,${after.length} @@`, ...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)];
    const shown = ssr.diff(diff.join("\n"), "edit");
    shown.querySelector(".hunk").remove();
    shown.classList.add("edit");
    return [head, " ", el("code", {}, given.path), shown];
  }

  function number(turns) {
    turns.filter((node) => node.matches(".said")).forEach((node, index) => (node.querySelector("h3").textContent = `Turn ${index + 1}`));
  }

  function move(turns, by) {
    const places = turns.filter((node) => node.matches("article"));
    const now = places.indexOf(document.activeElement);
    const next = places[Math.min(Math.max(now + by, 0), places.length - 1)];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start" });
  }

  /** The sampled tokens in place of the words, each with the shade of its surprise, when the button is pressed. */
  function shading(row, episode, turns, button, target) {
    const line = el("p", { id: "token", role: "status", hidden: true }, "Point at a token, or walk through a turn with the arrow keys.");
    const said = turns.filter((node) => node.matches(".said"));
    const legend = el("p", { class: "shades", hidden: true }, "probability",
      ...SHADES.map((nats, shade) => el("span", { class: `s${shade}` }, `≥ ${Math.round(100 * Math.exp(-nats))}%`)), el("span", { class: "s5" }, "less"));
    let words = null;

    async function turned() {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      legend.hidden = line.hidden = !on;
      words ??= await read();
      said.forEach((node, index) => words[index] && node.querySelector(".words, .tokens").replaceWith(on ? words[index].tokens : words[index].words));
    }

    async function read() {
      const [pieces, texts] = await Promise.all([ssr.load(`tokens/${episode.tokens}`), ssr.load("vocabulary")]);
      return said.map((node, index) => pieces[row.id][index] && {
        words: node.querySelector(".words"),
        tokens: tokens(pieces[row.id][index], texts),
      });
    }

    function tokens({ ids, logprobs }, texts) {
      const spans = ids.map((id, index) => {
        const surprise = -logprobs[index] / 100;
        const shade = SHADES.findIndex((nats) => surprise <= nats);
        return el("span", { class: `s${shade < 0 ? SHADES.length : shade}`, "data-id": id, "data-logprob": logprobs[index] }, texts[id] ?? `⟨${id}⟩`);
      });
      const box = el("div", { class: "tokens", tabindex: 0, role: "group", "aria-label": "tokens of this turn" }, spans);
      let now = -1;
      box.addEventListener("pointerover", (event) => tell(event.target));
      box.addEventListener("click", (event) => tell(event.target));
      box.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        now = Math.min(Math.max(now + by, 0), spans.length - 1);
        tell(spans[now]);
        spans.forEach((span, index) => span.toggleAttribute("aria-current", index === now));
      });
      return box;
    }

    function tell(span) {
      if (span.dataset.id === undefined) return;
      const logprob = span.dataset.logprob / 100;
      line.textContent = `${JSON.stringify(span.textContent)}, id ${span.dataset.id}: probability ${(100 * Math.exp(logprob)).toPrecision(3)}%, log-probability ${logprob.toFixed(2)}`;
    }

    target.querySelector(".why").after(legend);
    target.append(line);
    button.addEventListener("click", turned);
    ssr.keys.set("s", turned);
  }
});
