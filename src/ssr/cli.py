"""`ssr`: every stage of an experiment as a command that a person can run by hand; the rules run nothing else."""

import logging
import sys
from typing import Annotated

import typer

from ssr.basemodel.cli import app as basemodel
from ssr.bench.cli import app as bench
from ssr.errors import ConfigError, SSRError, storage_named
from ssr.evaluation.cli import app as evaluate
from ssr.evaluation.export_cli import app as export
from ssr.lifetime import end_with_parent
from ssr.logs import start_logging
from ssr.paper.cli import app as paper
from ssr.plan.cli import app as plan
from ssr.play.cli import app as play
from ssr.report.cli import app as site
from ssr.repository.cli import app as repository
from ssr.selfplay.cli import app as selfplay
from ssr.terminal.cli import app as terminal
from ssr.training.cli import app as training

logger = logging.getLogger(__name__)
EXIT_CODES = (
    "Exit codes: 0 done · 1 a check says no, or a failure of another kind · 2 wrong words, or a wrong scale · 3 a "
    "repository cannot be had, installed or tested · 4 the machine failed: sandbox, engine, endpoint · 130 interrupted."
)
app = typer.Typer(
    help="Self-play SWE-RL: one model injects bugs, solves them, and learns from both.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def root(
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error; SSR_LOG_LEVEL says the same.")
    ] = None,
) -> None:
    """Self-play SWE-RL: one model injects bugs, solves them, and learns from both."""
    start_logging(log_level)


for room in (repository, selfplay, training, plan, export):
    app.add_typer(room)
app.add_typer(basemodel, name="basemodel")
app.add_typer(evaluate, name="evaluate")
for room in (paper, site, play, terminal):
    app.add_typer(room)
app.add_typer(bench, name="bench")


def main() -> None:
    """Run a command; an error on purpose, and a file that is not there, is one line and an exit code."""
    end_with_parent()
    try:
        with storage_named():
            app()
    except SSRError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except FileNotFoundError as error:
        logger.debug("where it was asked for", exc_info=True)
        missing = error.filename or error
        typer.echo(f"error: {missing} is not there: correct its path, or let snakemake make it", err=True)
        sys.exit(ConfigError.exit_code)
