// Every number, and the files it was taken from.
"use strict";

addEventListener("DOMContentLoaded", () => {
  const { el } = ssr;

  ssr.list({
    name: "provenance",
    details: false,
    prepare: (rows) => rows.map((row, index) => ({ ...row, id: String(index), title: `${row.metric} of ${row.run}` })),
    words: (row) => row.metric,
    columns: [
      { key: "metric", label: "metric" },
      { key: "run", label: "run" },
      { key: "seed", label: "seed", number: true, cell: (row) => (row.seed === null ? "all" : String(row.seed)) },
      { key: "generation", label: "generation", number: true },
      { key: "step", label: "step", number: true },
      { key: "benchmark", label: "benchmark" },
      { key: "against", label: "minus the run" },
      { key: "value", label: "value", number: true, cell: (row) => ssr.number(row.value) },
      { key: "stderr", label: "±", number: true, cell: (row) => ssr.number(row.stderr) },
      { key: "n", label: "n", number: true },
    ],
    filters: [
      { key: "metric", label: "metric", of: (row) => row.metric },
      { key: "run", label: "run", of: (row) => row.run },
      { key: "seed", label: "seed", of: (row) => row.seed ?? "all" },
      { key: "generation", label: "generation", of: (row) => row.generation },
      { key: "benchmark", label: "benchmark", of: (row) => row.benchmark },
    ],
    async detail(row, _, target) {
      const { sources, digests } = await ssr.load("provenance");
      const { rule, files } = sources[row.source];
      target.append(
        ssr.about({
          value: String(row.value), "standard error": row.stderr ?? "", n: row.n, run: row.run, seed: row.seed ?? "all",
          generation: row.generation, "optimizer step": row.step, benchmark: row.benchmark, "minus the run": row.against,
        }),
        el("p", {}, "Gathered by the rules ", el("code", {}, "summary"), " and ", el("code", {}, "metrics"), " from what the rule ", el("code", {}, rule), " made:"),
        el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "file under the results"), el("th", { scope: "col" }, "sha256"))),
          el("tbody", {}, files.map((file) => el("tr", {}, el("td", {}, el("code", {}, file)), el("td", { class: "digest" }, digests[file] ?? "not on the machine that made this report"))))),
      );
    },
  });
});
