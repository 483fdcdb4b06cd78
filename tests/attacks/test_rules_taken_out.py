"""The attacks are real: with the rules taken out that its file names, an attack succeeds."""

from dataclasses import replace

import pytest
from arena import Arena
from attack import FOLDER, all_attacks, read_attack
from rules import REMOVALS, RULES

SUCCEED = (
    "artifact/weakening_touches_code",
    "artifact/weakening_outside_the_list",
    "artifact/touches_other_tests",
    "artifact/padded_files",
    "script/keyed_on_the_tree",
    "script/parser_finds_what_tests_left",
    "injector/host_name",
    "injector/random_order",
    "injector/idle_code",
    "solver/edits_the_oracle",
    "solver/conftest",
    "solver/installed_plugin",
    "solver/sitecustomize",
    "solver/patches_the_runner",
    "solver/equals_everything",
    "solver/plants_results",
    "solver/history",
    "sandbox/disk_filler",
    "sandbox/memory_bomb",
    "sandbox/reads_the_hosts_files",
    "sandbox/reads_the_hosts_variables",
)
CHECKED = ("artifact/", "script/", "injector/")
"""Families that succeed by a whole consistency check: a second or more each."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * name.startswith(CHECKED)) for name in SUCCEED]
)
def test_attack_succeeds_without_its_rules(arena: Arena, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attack = read_attack(FOLDER / f"{name}.sh")
    bare = replace(arena, store=None)  # what was run under all rules is no run without one
    bare = replace(bare, _made={}) if "sealed" in attack.stopped_by else bare
    for rule in attack.stopped_by:
        bare = REMOVALS[rule](monkeypatch, bare)
    outcome = bare.play(attack)
    assert not outcome.stopped, outcome.seen


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("solver/installed_plugin", "not solved: canary"),
        ("solver/sitecustomize", "not solved: canary"),
        ("injector/length_of_the_code", "invalid: repeats, keyed_outcomes"),
    ],
)
def test_second_rule_stops_it_too(arena: Arena, name: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attack = read_attack(FOLDER / f"{name}.sh")
    outcome = REMOVALS[attack.stopped_by[0]](monkeypatch, replace(arena, store=None)).play(attack)
    assert (outcome.stopped, outcome.seen) == (True, seen)


def test_every_rule_is_known_and_stops_something() -> None:
    assert {rule for attack in all_attacks() for rule in attack.stopped_by} == set(RULES)
