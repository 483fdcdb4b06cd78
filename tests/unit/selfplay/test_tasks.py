"""Tasks of a generation: fixed by names, balanced over repositories and strategies."""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from selfplay_examples import instance

from ssr.config import Scale, SelfplayConfig
from ssr.errors import ConfigError
from ssr.game.instance import read_instances, write_instances
from ssr.selfplay.stages import make_tasks
from ssr.selfplay.tasks import Place, drawn, injection_tasks, read_tasks, write_tasks

REPOS = ["alpha", "beta", "gamma"]
CONFIG = SelfplayConfig(injections=24, injector_group=4, strategies={"removal": 1.0, "history": 1.0})


def test_groups_share_repository_and_strategy_and_differ_in_their_seeds() -> None:
    tasks = injection_tasks(Place("ssr", 0, 1), REPOS, CONFIG)
    assert len(tasks) == 24
    for start in range(0, 24, 4):
        group = tasks[start : start + 4]
        assert len({(task.repo, task.strategy) for task in group}) == 1
        assert [task.attempt for task in group] == [0, 1, 2, 3]
    assert len({task.episode_seed for task in tasks}) == len({task.episode_id for task in tasks}) == 24


def test_repositories_take_turns_over_generations() -> None:
    counts = Counter(task.repo for g in range(1, 5) for task in injection_tasks(Place("ssr", 0, g), REPOS, CONFIG))
    assert set(counts.values()) == {4 * 24 // 3}


def test_strategies_follow_their_weights() -> None:
    config = CONFIG.model_copy(update={"strategies": {"direct": 1.0, "removal": 2.0, "history": 0.0}})
    counts = Counter(task.strategy for task in injection_tasks(Place("ssr", 0, 3), REPOS, config))
    assert counts == {"direct": 8, "removal": 16}


def test_the_same_names_give_the_same_tasks_and_other_names_others() -> None:
    tasks = injection_tasks(Place("ssr", 0, 1), REPOS, CONFIG)
    assert tasks == injection_tasks(Place("ssr", 0, 1), REPOS, CONFIG)
    for other in (Place("direct", 0, 1), Place("ssr", 1, 1), Place("ssr", 0, 2)):
        assert {task.episode_seed for task in tasks}.isdisjoint(
            task.episode_seed for task in injection_tasks(other, REPOS, CONFIG)
        )


def test_tasks_survive_the_file(tmp_path: Path) -> None:
    tasks = injection_tasks(Place("ssr", 0, 1), REPOS, CONFIG)
    write_tasks(tmp_path / "tasks.parquet", tasks)
    assert read_tasks(tmp_path / "tasks.parquet") == tasks


def test_a_part_of_a_group_is_refused() -> None:
    with pytest.raises(ConfigError, match="multiple of injector_group"):
        injection_tasks(Place("ssr", 0, 1), REPOS, CONFIG.model_copy(update={"injections": 10}))


def test_no_injections_give_no_tasks() -> None:
    assert injection_tasks(Place("ssr", 0, 1), REPOS, CONFIG.model_copy(update={"injections": 0})) == []


def test_issues_are_drawn_in_turn_and_never_twice_in_a_generation() -> None:
    pool = [instance(f"issue-{number}") for number in range(10)]
    generations = [drawn(Place("baseline", 0, g), pool, 4) for g in range(1, 6)]
    counts = Counter(issue.instance_id for issues in generations for issue in issues)
    assert all(len({issue.instance_id for issue in issues}) == 4 for issues in generations)
    assert set(counts.values()) <= {1, 2, 3} and sum(counts.values()) == 20
    assert drawn(Place("baseline", 0, 2), list(reversed(pool)), 4) == generations[1]


def test_a_pool_smaller_than_a_generation_is_drawn_whole() -> None:
    pool = [instance("a"), instance("b")]
    assert {issue.instance_id for issue in drawn(Place("baseline", 0, 3), pool, 16)} == {"a", "b"}
    with pytest.raises(ConfigError, match="pool"):
        drawn(Place("baseline", 0, 1), [], 4)


def test_an_untouched_repository_is_in_no_task_and_no_issue(tmp_path: Path) -> None:
    listing = tmp_path / "list.yaml"
    entry = {"kind": "git", "licence": "MIT", "environment": "x.txt", "source": "x", "commit": "0" * 40}
    listing.write_text(yaml.safe_dump(dict.fromkeys(REPOS, entry)))
    pool, out = tmp_path / "pool.parquet", tmp_path / "tasks.parquet"
    write_instances(pool, [instance(f"{repo}-{n}").model_copy(update={"repo": repo}) for repo in REPOS for n in (1, 2)])

    def scale(**keys: object) -> Scale:
        selfplay = CONFIG.model_dump() | {"untouched": ["beta"]} | keys
        given = {"name": "kept", "repositories": listing, "model": {"base": "none"}, "runs": {"ssr": {}}}
        return Scale.model_validate(given | {"selfplay": selfplay})

    make_tasks(scale(), Place("ssr", 0, 1), None, tmp_path, out)
    assert {task.repo for task in read_tasks(out)} == {"alpha", "gamma"}
    make_tasks(scale(data="issues", issues=6), Place("baseline", 0, 1), pool, tmp_path, out)
    assert sorted(issue.repo for issue in read_instances(out)) == ["alpha", "alpha", "gamma", "gamma"]
    with pytest.raises(ConfigError, match=r"untouched names delta"):
        make_tasks(scale(untouched=["delta"]), Place("ssr", 0, 1), None, tmp_path, out)
