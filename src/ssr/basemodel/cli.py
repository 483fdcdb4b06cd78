"""`ssr basemodel …`: the small base model made from nothing, stage by stage."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import ScaleFile, changeable

app = typer.Typer(help="Make the small base model from nothing.", no_args_is_help=True)
Out = Annotated[Path, typer.Option("--out", help="Folder to write.")]
Snapshots = Annotated[Path, typer.Option("--snapshots", help="Folder of the snapshots.")]
SNAPSHOTS = Path("results/snapshots")
TokenizerFolder = Annotated[Path, typer.Option("--tokenizer", help="Folder of the tokenizer.")]


@app.command()
@changeable
def tokenizer(scale: ScaleFile, out: Out, snapshots: Snapshots = SNAPSHOTS) -> None:
    """Train the tokenizer on the repositories, library functions and rendered drills."""
    from ssr.basemodel.pretrain import make_tokenizer
    from ssr.config import load_scale

    make_tokenizer(load_scale(scale), snapshots, out)


@app.command()
@changeable
def pretrain(scale: ScaleFile, tokenizer: TokenizerFolder, out: Out, snapshots: Snapshots = SNAPSHOTS) -> None:
    """Pre-train a new model on source code and drills."""
    from ssr.basemodel.pretrain import pretrain as run
    from ssr.basemodel.supervised import log_lines
    from ssr.config import load_scale

    run(load_scale(scale), snapshots, tokenizer, out, log_lines(25))


@app.command()
@changeable
def demonstrate(scale: ScaleFile, tokenizer: TokenizerFolder, out: Out, snapshots: Snapshots = SNAPSHOTS) -> None:
    """Let the demonstrator play both roles in every repository, and keep what passed checks and verdicts."""
    from ssr.basemodel.demonstrate import demonstrate as run
    from ssr.config import load_scale

    run(load_scale(scale), snapshots, tokenizer, out, print)


@app.command()
@changeable
def finetune(
    scale: ScaleFile,
    pretrained: Annotated[Path, typer.Option("--pretrained", help="Folder of the pre-trained model.")],
    demonstrations: Annotated[Path, typer.Option("--demonstrations", help="Folder of the demonstrations.")],
    out: Out,
    snapshots: Snapshots = SNAPSHOTS,
) -> None:
    """Train the pre-trained model on demonstrations and drills."""
    from ssr.basemodel.finetune import finetune as run
    from ssr.basemodel.supervised import log_lines
    from ssr.config import load_scale

    run(load_scale(scale), snapshots, pretrained, demonstrations, out, log_lines(25))


@app.command()
@changeable
def install(scale: ScaleFile, out: Out) -> None:
    """Make checkpoint 000 from the scale's base model: a folder, or a Hugging Face model's name."""
    from ssr.basemodel.install import install as run
    from ssr.config import load_scale

    run(load_scale(scale), out)


@app.command()
@changeable
def score(
    scale: ScaleFile,
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Folder of the model.")],
    out: Annotated[Path, typer.Option("--out", help="JSON file to write.")],
    places: Annotated[int, typer.Option("--places", help="Places of each kind.", min=1)] = 100,
    snapshots: Snapshots = SNAPSHOTS,
) -> None:
    """Ask a model to repair functions that drills showed, that it only read, and that it never met."""
    from rich import print as show

    from ssr.basemodel.score import write_scores
    from ssr.config import load_scale

    for row in write_scores(load_scale(scale), snapshots, checkpoint, places, out):
        show(row)
