"""How well a model repairs what no drill showed it: a third set beside training and benchmarks, for tuning alone."""

import asyncio
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, repeat
from pathlib import Path

from ssr.agent.formats import FORMATS, FormatProblem
from ssr.basemodel.conversation import Conversation
from ssr.basemodel.corpus import library_functions, repository_source
from ssr.basemodel.documents import document_of
from ssr.basemodel.drills import Drills
from ssr.basemodel.looks import lines_of
from ssr.basemodel.pretrain import LIBRARY_FUNCTIONS, SEED, snapshots_of
from ssr.config import Scale
from ssr.contracts import CompletionRequest
from ssr.engine.transformers_engine import TransformersEngine
from ssr.files import written
from ssr.seeds import seed_of

GREEDY = 1e-4
"""A temperature at which only the likeliest token is drawn."""


@dataclass(frozen=True)
class Score:
    """Shares of one set of places, at one temperature."""

    places: int
    looked: float
    """First turns that are the right command."""
    copied: float
    """Second turns, asked for after the right command, that write the function again, other than it was shown."""
    exact: float
    """Those that undo the mutation and change nothing else of it."""


def held_out_drills(scale: Scale, snapshots: Path, count: int) -> dict[str, list[Conversation]]:
    """Drills over functions from anywhere that training never showed (`library`), and over functions of the
    repositories in the tuning share, which it read and never broke (`repository`)."""
    sources = [repository_source(snapshot) for snapshot in snapshots_of(scale, snapshots)]
    library = library_functions(LIBRARY_FUNCTIONS // 10, SEED, share="builtin-tuning")
    drills = Drills(sources, library, scale.agent, scale.game, noted=0.0, checked=0.0)
    rng = random.Random(SEED + 11)

    def in_repositories() -> Iterator[Conversation]:
        places = [(source, functions) for source in sources if (functions := source.of_share("builtin-tuning"))]
        while True:
            source, functions = rng.choice(places)
            made = drills.solver(source, rng.choice(functions), rng)
            if made is not None:
                yield made

    anywhere = (made for _ in repeat(None) if (made := drills.library_solver(rng)) is not None)
    kinds = {"library": anywhere, "repository": in_repositories()}
    return {kind: list(islice(repairs, count)) for kind, repairs in kinds.items()}


def write_scores(scale: Scale, snapshots: Path, checkpoint: Path, count: int, out: Path) -> list[dict[str, object]]:
    """Score a checkpoint on `count` places of each kind, sampled as in training and greedily; JSON, a row each."""
    kinds = held_out_drills(scale, snapshots, count)
    rows: list[dict[str, object]] = [
        {"kind": kind, "temperature": temperature, **asdict(score(scale, checkpoint, conversations, temperature))}
        for kind, conversations in kinds.items()
        for temperature in (scale.sampling.training.temperature, GREEDY)
    ]
    with written(out) as partial:
        partial.write_text(json.dumps(rows, indent=1) + "\n")
    return rows


def score(scale: Scale, checkpoint: Path, conversations: Sequence[Conversation], temperature: float) -> Score:
    """Ask for the first turn and, after the right one, for the change of each conversation."""
    engine = TransformersEngine(checkpoint, scale.model.dtype, scale.engine.threads)
    first = [Conversation(c.prompt) for c in conversations]
    second = [Conversation(c.prompt, c.turns[:1], c.answers[:1]) for c in conversations]
    looks = asyncio.run(_ask(engine, scale, first, temperature))
    edits = asyncio.run(_ask(engine, scale, second, temperature))
    looked = [_place(text) == _place(c.turns[0]) for text, c in zip(looks, conversations, strict=True)]
    asked = [_made_by(c.turns[1], c.answers[0]) for c in conversations]
    made = [_made_by(text, c.answers[0]) for text, c in zip(edits, conversations, strict=True)]
    exact = [text is not None and text == right for text, right in zip(made, asked, strict=True)]
    count = len(conversations)
    return Score(count, sum(looked) / count, sum(text is not None for text in made) / count, sum(exact) / count)


def _place(look: str) -> str:
    """What a look is at, however much it shows."""
    return look.partition(";")[0]


def _made_by(turn: str, shown: str) -> str | None:
    """What a function written again makes of what was shown of its file; None for a turn that changes nothing."""
    call = FORMATS["cwm"].parse(turn)
    if isinstance(call, FormatProblem) or call.name != "bash":
        return None
    written = {line.number: line.text for line in lines_of(call.arguments["command"], 1, sys.maxsize)}
    changed = re.sub(r"^(\d+):(.*)$", lambda m: f"{m[1]}:{written.get(int(m[1]), m[2])}", shown, flags=re.MULTILINE)
    return changed if changed != shown else None


async def _ask(
    engine: TransformersEngine, scale: Scale, conversations: Sequence[Conversation], temperature: float
) -> list[str]:
    async def one(number: int, conversation: Conversation) -> str:
        ids = document_of(conversation, engine._codec, scale.agent).ids.tolist()
        request = CompletionRequest(
            key=f"score/{number:04d}/0",
            messages=(),
            prompt_ids=ids,
            max_tokens=scale.agent.action_tokens,
            temperature=temperature,
            top_p=1.0,
            seed=seed_of("score", number),
        )
        completion = await engine.complete(request)
        engine.leave()
        return completion.text

    for _ in conversations:
        engine.join()
    return await asyncio.gather(*(one(number, c) for number, c in enumerate(conversations)))
