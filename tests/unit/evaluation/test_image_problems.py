"""Official problems in container images, as their makers leave them: with the future in git, on a real engine."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from official_examples import history, pro_problem, swebench_problem, write_scripts

from ssr.config import SandboxConfig
from ssr.daemon import Daemon
from ssr.errors import MissingRelease, SandboxError
from ssr.evaluation.leaks import find_leaks_in, solution_lines
from ssr.evaluation.pro import Scripts, pro_tasks
from ssr.evaluation.problem import Problem
from ssr.evaluation.repositories import ImageSnapshots
from ssr.evaluation.task_images import PATH
from ssr.evaluation.tasks import Task, swebench_tasks
from ssr.repository.git import git
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.docker import Docker

pytestmark = pytest.mark.docker
IMAGES = {"/testbed": "ssr-test/official:verified", "/app": "ssr-test/official:pro"}
MAKE = """
set -e
git config --system safe.directory '*' 2> /dev/null || true
cd /testbed
git -c safe.directory='*' checkout -q -f --detach "$2"
git -c safe.directory='*' branch -q -f later "$3"
echo '# made for the tests' >> pocket/text.py
if [ "$1" != /testbed ]; then cd /; cp -a /testbed "$1"; rm -rf /testbed; fi
"""


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    try:
        daemon = Daemon(None)
        with daemon.errors("no Docker tests"):
            daemon.api.inspect_image(SandboxConfig().image)
    except SandboxError as error:
        pytest.skip(f"{error} (envs/docker-engine, envs/docker-image)")
    with Docker(SandboxConfig(backend="docker")) as backend:
        yield backend


@pytest.fixture(scope="module")
def images(docker: Docker, snapshot: Snapshot) -> dict[str, str]:
    """Images with the repository at the base commit, a changed file, and the solution in another branch."""
    base, solution = history(snapshot)[-2:]
    environment = [f"PATH={PATH}", "PYTHONPATH=/testbed:/app", "PYTHONDONTWRITEBYTECODE=1"]
    for place, name in IMAGES.items():
        with docker.daemon.workshop(docker.images.of(snapshot, None), MAKE, [place, base, solution]) as container:
            docker.daemon.run(container, 120)
            repository, _, tag = name.partition(":")
            conf = {"Env": environment, "Entrypoint": [], "Cmd": ["bash"]}
            docker.daemon.api.commit(container, repository, tag, conf=conf)
    return IMAGES


def no_leaks(task: Task, problem: Problem, snapshot: Snapshot) -> str:
    """The state of the agent's repository, which holds nothing of the solution."""
    before = git("grep", "-h", "", problem.base_commit, cwd=snapshot.tree)
    with closing(task.open_agent()) as sandbox:
        assert find_leaks_in(sandbox, solution_lines(problem.patch + problem.test_patch, [before])) == []
        return sandbox.run("git status --short; git log --format=%s -1", timeout_s=30).output


def test_verified_in_an_image(docker: Docker, images: dict[str, str], snapshot: Snapshot, tmp_path: Path) -> None:
    problem = swebench_problem(snapshot).model_copy(update={"image": images["/testbed"]})
    source = ImageSnapshots(tmp_path, 100, {problem.instance_id: problem.image}, docker.daemon.host)
    task = swebench_tasks([problem], source, docker, 120)[0]
    assert no_leaks(task, problem, snapshot) == "The environment of the tests\n"
    assert task.grade(problem.patch, "gold").resolved
    assert not task.grade("", "empty").resolved
    assert source.pinned(problem) == problem, "no registry gave this image a digest"


def test_pro_in_an_image(docker: Docker, images: dict[str, str], snapshot: Snapshot, tmp_path: Path) -> None:
    problem = pro_problem(snapshot)
    source = ImageSnapshots(tmp_path / "s", 100, {problem.instance_id: images["/app"]}, docker.daemon.host)
    scripts = Scripts(write_scripts(tmp_path / "scripts", problem))
    task = pro_tasks([problem], source, scripts, docker, 120)[0]
    assert (
        no_leaks(task, problem, snapshot)
        .strip()
        .endswith(git("log", "--format=%s", "-1", problem.base_commit, cwd=snapshot.tree).strip())
    )
    assert task.grade(problem.patch, "gold").resolved
    assert not task.grade("", "empty").resolved


def test_images_are_removed_when_room_is_needed_but_never_in_use(
    docker: Docker, images: dict[str, str], snapshot: Snapshot, tmp_path: Path
) -> None:
    api = docker.daemon.api
    names = {f"pocket__pocket-{number}": f"ssr-test/room:{number}" for number in range(3)}
    for number, name in enumerate(names.values()):
        with docker.daemon.workshop(images["/testbed"], f"echo {number} > /number") as container:
            docker.daemon.run(container, 60)
            api.commit(container, *name.split(":"))
    problems = [swebench_problem(snapshot).model_copy(update={"instance_id": name}) for name in names]
    source = ImageSnapshots(tmp_path, 1e-6, names, docker.daemon.host)

    def there() -> list[str]:
        return sorted(tag for image in api.images("ssr-test/room") for tag in image["RepoTags"])

    source.of(problems[0])
    source.of(problems[1])
    assert there() == sorted(names.values()), "both are in use"
    source.release(problems[0])
    assert there() == [names["pocket__pocket-1"], names["pocket__pocket-2"]]
    with pytest.raises(MissingRelease, match="bring it to the engine"):
        source.of(problems[0])
