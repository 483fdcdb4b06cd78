"""What a command sees and what it may use, whatever isolates it: paths, variables, fixed files, limits."""

import os
import resource

from ssr.config import SandboxConfig
from ssr.repository.snapshot import Snapshot

REPOSITORY = "/testbed"
SCRIPT = "/run/script"
RUN_SCRIPT = f'bash {SCRIPT} "$@" 2>&1'
RUN_DRIVER = 'bash --noprofile --norc -c "$1" bash'

UID = 1000
"""Who runs commands, as seen inside."""

_DATE = "2000-01-01T00:00:00+0000"
ENVIRONMENT = {
    "HOME": "/tmp/home",
    "USER": "user",
    "LOGNAME": "user",
    "SHELL": "/bin/bash",
    "TERM": "dumb",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PAGER": "cat",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/etc/gitconfig",
    "GIT_AUTHOR_DATE": _DATE,
    "GIT_COMMITTER_DATE": _DATE,
    "GIT_EDITOR": "true",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
}
ETC = {
    "passwd": "root:x:0:0:root:/:/bin/false\nuser:x:1000:1000:user:/tmp/home:/bin/bash\n",
    "group": "root:x:0:\nuser:x:1000:\n",
    "hosts": "127.0.0.1 localhost sandbox\n",
    "hostname": "sandbox\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    # A copied tree has other inodes and change times than its index says; times and sizes still match.
    "gitconfig": "[user]\n\tname = user\n\temail = user@sandbox\n[safe]\n\tdirectory = *\n"
    "[init]\n\tdefaultBranch = main\n[core]\n\tcheckStat = minimal\n\ttrustctime = false\n"
    "[advice]\n\tdetachedHead = false\n[gc]\n\tauto = 0\n",
    # Every Python program draws the same lots each time; a run with another hash seed draws others.
    "python/sitecustomize.py": "import os\nimport random\n\nrandom.seed(os.environ.get('PYTHONHASHSEED'))\n",
}


def variables_of(snapshot: Snapshot) -> dict[str, str]:
    """The environment variables that differ by snapshot: import paths, and those that its environment is found by."""
    paths = [*(os.path.normpath(f"{REPOSITORY}/{path}") for path in snapshot.import_paths), "/etc/python"]
    return ({"PYTHONPATH": ":".join(paths)} if snapshot.import_paths else {}) | dict(snapshot.variables)


def first_process(limits: str, command: str) -> str:
    """The script of process 1 of a command: it sets the limits, says `ready` on stderr, and outlives `command`.

    A machine that runs out of memory kills what runs in sandboxes first. When process 1 ends, the kernel kills whatever
    is left of its namespace.
    """
    return f'{limits}; echo 1000 > /proc/self/oom_score_adj; echo ready >&2; {command}; exit "$?"'


def limits(config: SandboxConfig, letters: str, *, clip: bool) -> str:
    """The `ulimit` command of a sandbox for some of bash's limits; `clip` keeps them under this process's own."""
    wanted = {
        "c": (resource.RLIMIT_CORE, 0, 1),
        "n": (resource.RLIMIT_NOFILE, 1024, 1),
        "t": (resource.RLIMIT_CPU, config.cpu_seconds, 1),
        "u": (resource.RLIMIT_NPROC, config.processes, 1),
        "f": (resource.RLIMIT_FSIZE, config.file_mb * 2**20, 1024),
        "v": (resource.RLIMIT_AS, config.memory_mb * 2**20, 1024),
    }
    parts = []
    for letter in letters:
        kind, value, unit = wanted[letter]
        hard = resource.getrlimit(kind)[1] if clip else resource.RLIM_INFINITY
        parts.append(f"-{letter} {(value if hard == resource.RLIM_INFINITY else min(value, hard)) // unit}")
    return f"ulimit {' '.join(parts)}"
