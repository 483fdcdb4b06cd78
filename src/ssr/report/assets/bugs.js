// The bugs of all runs, and one bug: its diffs, its specification, the checks, and the attempts on it.
"use strict";

addEventListener("DOMContentLoaded", () => {
  const { el } = ssr;

  const CHECKED = "valid";
  const outcome = (row) => row.check || CHECKED;

  ssr.list({
    name: "bugs",
    words: (row) => `${row.id} ${row.repo}`,
    columns: [
      { key: "id", label: "bug" },
      { key: "repo", label: "repository" },
      { key: "strategy", label: "strategy" },
      { key: "order", label: "order", number: true },
      { key: "check", label: "checks", value: outcome, cell: (row) => el("span", { class: row.check ? "bad" : "good" }, row.check ? `fails ${row.check}` : CHECKED) },
      { key: "solved", label: "solved", number: true, value: (row) => (row.attempts ? row.solved / row.attempts : null), cell: (row) => (row.attempts ? `${row.solved} of ${row.attempts}` : "") },
      { key: "lines", label: "lines", number: true },
      { key: "failing", label: "failing tests", number: true, cell: (row) => String(row.failing || "") },
    ],
    filters: [
      { key: "repo", label: "repository", of: (row) => row.repo },
      { key: "strategy", label: "strategy", of: (row) => row.strategy },
      { key: "order", label: "order", of: (row) => row.order },
      { key: "rate", label: "solve rate", of: ssr.rateClass, order: ssr.RATES },
      { key: "check", label: "check that failed", of: outcome },
      { key: "run", label: "run", of: (row) => row.run },
      { key: "seed", label: "seed", of: (row) => row.seed },
      { key: "generation", label: "generation", of: (row) => row.generation },
    ],
    detail(row, bug, target) {
      target.append(
        ssr.about({
          repository: row.repo, strategy: row.strategy, order: row.order, run: `${row.run}, seed ${row.seed}`, generation: row.generation,
          "changed lines": row.lines, "failing tests": row.failing || "", release: bug.version ?? "", commit: bug.commit?.slice(0, 12) ?? "",
          injector: bug.injector ? episode(bug.injector) : "",
          "made of": bug.parent ? el("a", { href: ssr.address({ id: bug.parent }) }, bug.parent) : "",
        }),
        verdict(row, bug),
        section("The bug", diffOf(bug.files["bug_inject.diff"], "bug_inject.diff")),
        section("The weakening of the tests", diffOf(bug.files["test_weaken.diff"], "test_weaken.diff")),
        bug.failed_patch ? section("The failed patch it starts from", ssr.diff(bug.failed_patch, "failed patch")) : "",
        section("What the solver is told", specification(bug)),
        attempts(bug),
        files(bug),
      );
    },
  });

  const episode = (id, text = id) => el("a", { href: ssr.address({ id }, "episodes.html") }, text);
  const section = (title, ...content) => el("section", {}, el("h3", {}, title), ...content);
  const diffOf = (text, label) => (text?.trim() ? ssr.diff(text, label) : el("p", { class: "quiet" }, "None."));

  function verdict(row, bug) {
    if (row.check) {
      return el("div", { class: "why bad" }, el("p", {}, el("b", {}, `Fails the check ${row.check}. `), bug.reason),
        bug.tail ? el("details", {}, el("summary", {}, "the end of the output"), el("pre", {}, bug.tail)) : "");
    }
    const rate = row.attempts ? `${row.solved} of ${row.attempts} attempts solved it.` : "Nobody has attempted it yet.";
    return el("div", { class: "why good" }, el("p", {}, el("b", {}, row.strategy === "issue" ? "An issue. " : "Passes every check. "), rate));
  }

  function specification(bug) {
    if (!bug.specification) return el("p", { class: "quiet" }, "Nothing: an artifact that fails a check is not played.");
    const start = bug.specification.search(/^(diff --git|--- )/m);
    const words = start < 0 ? bug.specification : bug.specification.slice(0, start);
    return el("div", {}, el("pre", {}, words.trim()),
      start < 0 ? "" : ssr.diff(bug.specification.slice(start), "specification"),
      bug.hidden ? el("details", {}, el("summary", {}, "what the verdict asks for beside that"), ssr.diff(bug.hidden, "hidden part")) : "",
      tests("Must pass again", bug.fail_to_pass), bug.pass_to_pass ? el("p", { class: "quiet" }, `${bug.pass_to_pass} more tests must go on passing.`) : "");
  }

  function tests(title, names) {
    if (!names?.length) return "";
    return el("details", {}, el("summary", {}, `${title}: ${names.length} tests`), el("ul", { class: "mono" }, names.map((name) => el("li", {}, name))));
  }

  function attempts(bug) {
    if (!bug.attempts.length) return "";
    const rows = bug.attempts.map((attempt) => el("tr", {},
      el("td", {}, episode(attempt.episode_id, `attempt ${attempt.attempt}`)),
      el("td", { class: attempt.solved ? "good" : "bad" }, attempt.solved ? "solved" : attempt.verdict),
      el("td", { class: "number" }, ssr.signed(attempt.reward)),
      el("td", { class: "number" }, String(attempt.turns))));
    const head = ["attempt", "verdict", "reward", "turns"].map((name, index) => el("th", { scope: "col", class: index > 1 ? "number" : null }, name));
    return section("Attempts", el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
  }

  function files(bug) {
    const names = ["test_script.sh", "test_files.txt", "test_parser.py"].filter((name) => bug.files[name]);
    return names.length ? section("The other files of the artifact", names.map((name) =>
      el("details", {}, el("summary", {}, el("code", {}, name)), el("pre", {}, bug.files[name])))) : "";
  }
});
