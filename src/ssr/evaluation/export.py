"""Bugs of a run as a dataset in SWE-bench's format: parquet, JSON lines, a card, and recipes of the snapshots."""

import base64
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from ssr.errors import EvaluationError
from ssr.evaluation.grading import LOG_PARSER, framed, row_of
from ssr.files import written
from ssr.game.instance import Instance, read_instances, write_instances
from ssr.repository.snapshot import MANIFEST, Manifest, read_manifest

_SPACE = re.compile(r"[\s%]")
_OUTCOMES = (
    "import json; print(*(('PASSED ' if v == 'passed' else 'FAILED ') + ''.join(f'%{ord(c):02X}' if c.isspace() or "
    "c == '%' else c for c in k) for k, v in json.load(open('/tmp/ssr/results.json')).items()), sep='\\n')"
)
_TEXT = pa.string()
_COLUMNS = (
    "instance_id", "repo", "base_commit", "version", "problem_statement", "hints_text", "created_at", "patch",
    "test_patch", "FAIL_TO_PASS", "PASS_TO_PASS", "image", "eval_script", "log_parser", "eval_type", "strategy",
    "order", "licence",
)  # fmt: skip
SCHEMA = pa.schema([pa.field(name, pa.int8() if name == "order" else _TEXT) for name in _COLUMNS])


def export_bugs(files: Sequence[Path], snapshots: Path, out: Path, author: str = "a language model") -> int:
    """Write the bugs of some instances.parquet into the folder `out`; returns their number.

    `dataset.parquet` and `dataset.jsonl` hold the rows, `instances.parquet` the bugs as this project reads them,
    README.md is the card, which names the `author`, `recipes/` says how each repository's snapshot is made again.
    Raises EvaluationError when there is no bug, GameError for a file that is something else.
    """
    found = [bug for file in files for bug in read_instances(file)]
    bugs = list({bug.instance_id: bug for bug in found}.values())
    if not bugs:
        raise EvaluationError("these files hold no bug: name the instances.parquet of stages `validate` or `solve`")
    manifests = {repo: read_manifest(snapshots / repo) for repo in sorted({bug.repo for bug in bugs})}
    rows = [bug_row(bug, manifests[bug.repo].licence) for bug in bugs]
    with written(out) as partial:
        partial.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), partial / "dataset.parquet", compression="zstd")
        (partial / "dataset.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        write_instances(partial / "instances.parquet", bugs)
        (partial / "README.md").write_text(card(bugs, manifests, author))
        for repo, manifest in manifests.items():
            recipe = partial / "recipes" / repo
            recipe.mkdir(parents=True)
            for name in (MANIFEST, manifest.requirements):
                if (snapshots / repo / name).exists():
                    shutil.copyfile(snapshots / repo / name, recipe / name)
    return len(bugs)


def bug_row(bug: Instance, licence: str) -> dict[str, object]:
    """A bug as a row; its own script and parser run between swebench's markers, as lines of pytest's summary."""
    own = {"strategy": bug.strategy, "order": bug.order, "licence": licence}
    if bug.source != "selfplay":
        return row_of(bug) | own
    lists = {name: json.dumps([one_word(test) for test in getattr(bug, name)])
             for name in ("FAIL_TO_PASS", "PASS_TO_PASS")}  # fmt: skip
    return row_of(bug) | lists | {"eval_script": bug_script(bug), "log_parser": LOG_PARSER} | own


def bug_script(bug: Instance) -> str:
    """The eval script of a bug with a test script and a parser of its own, which are carried in base64."""
    script, parser = (base64.b64encode(text.encode()).decode() for text in (bug.test_script, bug.test_parser))
    steps = [
        "mkdir -p /tmp/ssr",
        f"echo {script} | base64 -d > /tmp/ssr/test_script.sh",
        f"echo {parser} | base64 -d > /tmp/ssr/test_parser.py",
        "bash /tmp/ssr/test_script.sh < /dev/null > /tmp/ssr/output.txt 2>&1",
        "python /tmp/ssr/test_parser.py < /tmp/ssr/output.txt > /tmp/ssr/results.json",
        f'python -c "{_OUTCOMES}"',
    ]
    return framed(bug, "\n".join(steps))


def one_word(test: str) -> str:
    """A test's id without white space, which swebench's parser would cut it at."""
    return _SPACE.sub(lambda found: quote(found.group()), test)


def card(bugs: Sequence[Instance], manifests: Mapping[str, Manifest], author: str) -> str:
    """The dataset's card: counts, licences, provenance, how to evaluate on it."""
    licences = sorted({manifest.licence for manifest in manifests.values()})
    counts = Counter((bug.repo, bug.strategy, bug.order) for bug in bugs)
    repositories = [
        f"| {name} | {manifest.licence} | {sum(bug.repo == name for bug in bugs)} | `{manifest.head}` | "
        f"{len(manifest.sources)} |"
        for name, manifest in manifests.items()
    ]
    by_kind = [f"| {repo} | {strategy} | {order} | {n} |" for (repo, strategy, order), n in sorted(counts.items())]
    return "\n".join(
        [
            "---",
            "license: other",
            f"license_name: {'-and-'.join(licences).lower()}",
            "tags: [swe-bench, self-play]",
            f"size_categories: [{'n<1K' if len(bugs) < 1000 else '1K<n<10K'}]",
            "configs: [{config_name: default, data_files: [{split: test, path: dataset.parquet}]}]",
            "---",
            f"# {len(bugs)} bugs of Self-play SWE-RL",
            "",
            f"Every bug was put into a real repository by {author} and found valid by execution: its",
            "tests pass on the original, fail with the bug, and pass again with the gold patch. Rows have SWE-bench's",
            "fields.",
            "",
            "| repository | licence | bugs | original | source files |",
            "| --- | --- | --- | --- | --- |",
            *repositories,
            "",
            "| repository | strategy | order | bugs |",
            "| --- | --- | --- | --- |",
            *by_kind,
            "",
            "A patch and its tests are under the licence of their repository. `recipes/` names every file that a",
            "repository was made from, with its sha256, and pins what its tests need. `/testbed` of an image holds the",
            "buggy codebase as one commit; `base_commit` is the original, which is not in it.",
            "",
            "```",
            "ssr evaluate images instances.parquet --scale SCALE    # make the images on a Docker engine",
            "swebench eval dataset.jsonl --gold                     # every gold patch resolves",
            "```",
            "",
        ]
    )


def instances_of_run(results: Path, run: str, seed: int) -> list[Path]:
    """The files of a run's bugs, of both orders, in a fixed order. Raises EvaluationError when there are none."""
    places: Iterable[Path] = (results / stage / run / f"s{seed}" for stage in ("validate", "solve"))
    files = [file for place in places for file in sorted(place.rglob("instances.parquet"))]
    if not files:
        raise EvaluationError(f"{results} holds no bugs of the run {run}, seed {seed}")
    return files
