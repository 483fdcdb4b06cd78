// A unified diff as lines with numbers; where lines take the place of others, the words that differ are marked.
"use strict";

ssr.diff = (text, label) => {
  const { el } = ssr;
  const box = el("div", { class: "diff", role: "group", "aria-label": label });
  let [before, left, after, right] = [0, 0, 0, 0]; // the next line's number and the lines left, on either side
  let removed = [];
  let added = [];

  function line(kind, old, current, sign, text, part) {
    const content = part && part[1] > part[0]
      ? [text.slice(0, part[0]), el("mark", {}, text.slice(...part)), text.slice(part[1])]
      : [text];
    return el("div", { class: kind }, el("span", { class: "place" }, old), el("span", { class: "place" }, current),
      el("span", { class: "text" }, sign, ...content));
  }

  function flush() {
    const pairs = removed.length === added.length;
    const parts = removed.map((item, index) => (pairs ? differing(item.text, added[index].text) : []));
    removed.forEach(({ place, text }, index) => box.append(line("del", place, "", "-", text, parts[index][0])));
    added.forEach(({ place, text }, index) => box.append(line("add", "", place, "+", text, parts[index]?.[1])));
    removed = [];
    added = [];
  }

  /** A line between hunks: the file's name once, and what is not said by it. */
  function header(row) {
    const name = row.match(/^diff --git (?:a\/)?.* b\/(.*)/)?.[1] ?? row.match(/^(?:---|\+\+\+) (?:[ab]\/)?([^\t]*)/)?.[1];
    const said = [...box.querySelectorAll(".name")].at(-1)?.textContent;
    if (row.startsWith("diff --git ")) box.append(el("div", { class: "name" }, name ?? row));
    else if (name && name !== said && name !== "/dev/null") box.append(el("div", { class: "name" }, name));
    else if (!name && !row.startsWith("index ")) box.append(el("div", { class: "meta" }, row));
  }

  for (const row of text.replace(/\n$/, "").split("\n")) {
    const hunk = row.match(/^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/);
    const within = left > 0 || right > 0;
    if (hunk) {
      flush();
      [before, left, after, right] = hunk.slice(1).map((number) => Number(number ?? 1));
      box.append(el("div", { class: "hunk" }, row));
    } else if (within && row.startsWith("-")) {
      if (added.length) flush();
      removed.push({ place: before++, text: row.slice(1) });
      left--;
    } else if (within && row.startsWith("+")) {
      added.push({ place: after++, text: row.slice(1) });
      right--;
    } else if (within && !row.startsWith("\\")) {
      flush();
      box.append(line("same", before++, after++, " ", row.slice(1)));
      [left, right] = [left - 1, right - 1];
    } else {
      flush();
      header(row);
    }
  }
  flush();
  return box;

  /** From and to of what differs in two lines; nothing where they have too little in common. */
  function differing(a, b) {
    let start = 0;
    let end = 0;
    const shorter = Math.min(a.length, b.length);
    while (start < shorter && a[start] === b[start]) start++;
    while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
    if (start + end < 0.3 * Math.max(a.trim().length, b.trim().length)) return [];
    return [[start, a.length - end], [start, b.length - end]];
  }
};
