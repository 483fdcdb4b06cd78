"""The one switch of what is logged: `ssr --log-level LEVEL`, or SSR_LOG_LEVEL, which the rules' commands inherit.

Logs go to stderr; a rule's are kept under results/{scale}/logs/.
"""

import logging
import os
import sys
from typing import Literal, get_args

from ssr.errors import ConfigError

Level = Literal["debug", "info", "warning", "error"]
VARIABLE = "SSR_LOG_LEVEL"
DEFAULT: Level = "warning"
NOISY = ("asyncio", "httpcore", "matplotlib", "urllib3", "docker")
"""Libraries that say nothing of use below a warning."""


def start_logging(level: str | None = None, default: Level = DEFAULT) -> None:
    """Log from `level` on, in this process and those that it starts; without one as SSR_LOG_LEVEL says.

    Raises ConfigError for a word that is no level.
    """
    chosen = (level or os.environ.get(VARIABLE) or default).lower()
    if chosen not in get_args(Level):
        raise ConfigError(f"--log-level {chosen} (or {VARIABLE}): there are {', '.join(get_args(Level))}")
    if level:
        os.environ[VARIABLE] = chosen
    logging.basicConfig(level=chosen.upper(), format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
