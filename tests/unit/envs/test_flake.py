"""The flake: its lock, and its evaluation where Nix and the sources that it needs can be had."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = [os.environ.get(name, "") for name in ("SSR_NIXPKGS_LIB", "SSR_PYPROJECT_NIX")]


def test_the_lock_pins_each_input_of_the_flake() -> None:
    lock = json.loads((ROOT / "flake.lock").read_text())
    inputs = re.search(r"^  inputs = \{\n(.*?)^  \};", (ROOT / "flake.nix").read_text(), re.MULTILINE | re.DOTALL)
    assert inputs
    named = re.findall(r"^    ([a-z-]+)(?:\.url)? = ", inputs[1], re.MULTILINE)
    assert lock["nodes"]["root"]["inputs"] == {name: name for name in named}
    urls = re.findall(r'"github:([^"]+)"', inputs[1])
    for name, url in zip(named, urls, strict=True):
        node = lock["nodes"][name]
        original = node["original"]
        assert "/".join([original["owner"], original["repo"], *filter(None, [original.get("ref")])]) == url
        assert (node["locked"]["owner"], node["locked"]["repo"]) == (original["owner"], original["repo"])
        assert re.fullmatch(r"[0-9a-f]{40}", node["locked"]["rev"])
        assert re.fullmatch(r"sha256-[A-Za-z0-9+/]{43}=", node["locked"]["narHash"])


@pytest.mark.skipif(
    shutil.which("nix") is None or not all(SOURCES), reason="needs nix, SSR_NIXPKGS_LIB, SSR_PYPROJECT_NIX"
)
def test_the_flake_evaluates_and_names_the_same_packages() -> None:
    done = subprocess.run(
        [ROOT / "envs" / "check-flake", *SOURCES], capture_output=True, text=True, env=os.environ | {"SSR_NIX": "0"}
    )
    assert done.returncode == 0, done.stderr
    for output in ("devShells", "cuda", "reproduce", "checks", "formatter", "image"):
        assert output in done.stdout
    assert len(re.findall(r"pins, 0 faults", done.stdout)) == 2 * 3
