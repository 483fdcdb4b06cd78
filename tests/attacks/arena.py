"""Where attacks are played for real: through the check, the verdict, a sandbox, or a whole episode."""

import re
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from attack import Attack
from host import GOOD, GOOD_PATCH, Host, Turns

from ssr.agent.episode import write_episodes
from ssr.agent.formats import FORMATS
from ssr.agent.rollout import EpisodeSpec, run_episodes
from ssr.agent.tools import read_patch
from ssr.config import AgentConfig, GameConfig, Sampling, SandboxConfig
from ssr.contracts import Sandbox, SandboxBackend
from ssr.game.artifact import BugArtifact
from ssr.game.codebase import open_codebase
from ssr.game.consistency import ConsistencyReport, check
from ssr.game.instance import Instance, instance_of
from ssr.game.reward import injection_reward, solver_reward
from ssr.game.store import RunStore
from ssr.game.verdict import judge
from ssr.repository.snapshot import Snapshot
from ssr.selfplay.inject import read_artifact

SECONDS = 60
IMPATIENT_SECONDS = 2
RULES = GameConfig(min_passing_tests=4, test_timeout_s=20)
ARTIFACTS = Path(__file__).parent / "artifacts"
PATCH = "cd /testbed; [ -e /tmp/patch.diff ] || { git add -A -f; git diff --cached > /tmp/patch.diff; }"


@dataclass(frozen=True)
class Outcome:
    """How an attack ended."""

    stopped: bool
    seen: str


@dataclass
class Arena:
    """Plays attacks on the fixture repository."""

    backend: SandboxBackend
    limited: SandboxBackend
    """One with small limits, so that what exhausts them does so fast."""
    snapshot: Snapshot
    host: Host
    limits: SandboxConfig
    store: RunStore | None
    """Test runs that attacks share, as the artifacts and attempts of a job do."""
    _instances: dict[str, Instance] = field(default_factory=dict)
    _made: dict[str, Sandbox] = field(default_factory=dict)

    def play(self, attack: Attack) -> Outcome:
        """Play an attack of any family through the doors that the stages of self-play use.

        Those of the family `javascript` need an arena of that repository; their `on` says `solver` or `injector`.
        """
        doors: dict[str, Callable[[Attack], Outcome]] = {
            "solver": self.solve,
            "sandbox": self.break_out,
            "calls": self.call,
        }
        if attack.family == "javascript":
            return (self.solve if attack.on == "solver" else self.inject)(replace(attack, on="javascript"))
        return doors.get(attack.family, self.inject)(attack)

    def inject(self, attack: Attack) -> Outcome:
        """Check the artifact that the script makes of a valid one; stopped if it earns -1.

        The head's `on` names the valid artifact, then what is changed in the rules.
        """
        base, *more = attack.on.split(", ") if attack.on else ["tap"]
        rules = RULES.model_copy(
            update={
                "test_timeout_s": IMPATIENT_SECONDS if "impatient" in more else RULES.test_timeout_s,
                "min_changed_files": 2 if "two files" in more else 1,
            }
        )
        try:
            artifact = self.artifact(base, attack.script)
        except FileNotFoundError as error:
            return Outcome(True, f"not submitted: {error}")
        report = check(artifact, self.backend, self.snapshot, rules, store=self.store)
        return Outcome(injection_reward(report.valid, 1, 4, rules) == -1.0, _seen(report))

    def solve(self, attack: Attack) -> Outcome:
        """Let the script work in the buggy codebase, then judge its patch; stopped if that earns -1.

        The head's `on` names the artifact that the bug is of.
        """
        rules = RULES
        base = attack.on or "tap"
        if base == "impatient":
            base, rules = "tap", RULES.model_copy(update={"test_timeout_s": IMPATIENT_SECONDS})
        instance = self.instance(base)
        with closing(self._codebase(base)) as sandbox:
            shell = sandbox.shell()
            shell.run(self.host.named(attack.script), SECONDS)
            shell.run(PATCH, SECONDS)
            try:
                patch = read_patch(sandbox, "/tmp/patch.diff")
            except (ValueError, FileNotFoundError) as error:
                return Outcome(True, f"not submitted: {error}")
            verdict = judge(self.backend, self.snapshot, instance, patch, rules, store=self.store)
        name = verdict.reason.split(":")[0]
        return Outcome(solver_reward(verdict.solved) == -1.0, name if verdict.solved else f"not solved: {name}")

    def break_out(self, attack: Attack) -> Outcome:
        """Run the script beside a neighbour; it says `escaped` where it gets what it wants.

        The head's `on` says `shell` for the persistent shell, `impatient` for a short time limit.
        """
        seconds = IMPATIENT_SECONDS if "impatient" in attack.on else SECONDS
        script = self.host.named(attack.script)
        with closing(self.limited.open(self.snapshot)) as neighbour, closing(self.limited.open(self.snapshot)) as own:
            before = self.host.state()
            done = own.shell().run(script, seconds) if "shell" in attack.on else own.run(script, timeout_s=seconds)
            harm = self._harm(own, neighbour) or ("host" if self.host.state() != before else "")
        if harm or re.search(r"^escaped", done.output, re.MULTILINE):
            return Outcome(False, f"escaped: {harm or done.output[-200:]}")
        return Outcome(True, "time out" if done.timed_out else "output cut" if done.truncated else "no effect")

    def call(self, attack: Attack) -> Outcome:
        """Play an episode whose turns the script prints, between lines of `%%`, beside one that does its work."""
        printed = subprocess.run(["bash", "-c", attack.script], capture_output=True, check=True).stdout
        turns = printed.decode(errors="surrogateescape").removesuffix("%%\n").split("%%\n")
        call_format: Literal["cwm", "hermes"] = "hermes" if attack.on == "hermes" else "cwm"
        scripts = {"bad": turns, "good": [FORMATS[call_format].render(call) for call in GOOD]}
        before = self.host.state()
        bad, good = run_episodes(
            [
                EpisodeSpec(name, "solver", [], lambda: self.limited.open(self.snapshot), 0, read_patch)
                for name in scripts
            ],
            Turns(scripts),
            AgentConfig(call_format=call_format, max_turns=5, command_timeout_s=IMPATIENT_SECONDS, max_format_errors=5),
            Sampling(),
            in_flight=2,
        )
        with tempfile.TemporaryDirectory() as folder:
            write_episodes(Path(folder), [bad, good])
        told = [message["content"] for message in bad.messages if message["role"] == "tool"]
        escaped = any(re.search(r"^escaped", text, re.MULTILINE) for text in told)
        unharmed = good.submission == GOOD_PATCH and self.host.state() == before
        stopped = unharmed and not escaped and bad.submission is None
        return Outcome(stopped, f"told: {ascii(told[len(turns) - 1].splitlines()[0])[1:-1]:.48}".rstrip())

    def instance(self, name: str) -> Instance:
        """The bug of a valid artifact, made once."""
        if name not in self._instances:
            artifact = self.artifact(name)
            report = check(artifact, self.backend, self.snapshot, RULES, store=self.store)
            self._instances[name] = instance_of(artifact, report, self.snapshot, "direct", name, "")
        return self._instances[name]

    def close(self) -> None:
        """Close what attacks started from."""
        for sandbox in self._made.values():
            sandbox.close()

    def artifact(self, base: str, script: str = "") -> BugArtifact:
        """A valid artifact, or what a script makes of it."""
        with closing(self._injector(base).fork()) as sandbox:
            sandbox.run(f". /tmp/prelude.sh\n{script}", timeout_s=SECONDS)
            return read_artifact(sandbox, "/tmp/artifact")

    def _injector(self, base: str) -> Sandbox:
        """A sandbox in which a valid artifact was made."""
        if base not in self._made:
            self._made[base] = self.backend.open(self.snapshot)
            for path in ARTIFACTS.glob("*.sh"):
                self._made[base].write_file(f"/tmp/{path.name}", path.read_bytes())
            self._made[base].run(f". /tmp/prelude.sh\n. /tmp/{base}.sh\n", timeout_s=SECONDS)
        return self._made[base]

    def _codebase(self, base: str) -> Sandbox:
        """A sandbox with the buggy codebase of an artifact."""
        name = f"{base}'s codebase"
        if name not in self._made:
            self._made[name] = open_codebase(self.backend, self.snapshot, self.instance(base))
        return self._made[name].fork()

    def _harm(self, own: Sandbox, neighbour: Sandbox) -> str:
        if neighbour.run("echo alive", timeout_s=SECONDS).output != "alive\n":
            return "the neighbour is dead"
        left = own.run("ls /proc | grep -c '^[0-9]'", timeout_s=SECONDS).output
        return "" if left.strip().isdigit() and int(left) <= 5 else f"the sandbox is not usable: {left}"


def _seen(report: ConsistencyReport) -> str:
    return "valid" if report.valid else f"invalid: {report.check}, {report.reason.split(':')[0]}"
