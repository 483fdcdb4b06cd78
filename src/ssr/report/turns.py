"""An episode as a reader sees it: thought, call and observation of each turn, and the tokens that were sampled."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ssr.agent.formats import FORMATS, ToolCall
from ssr.report.files import TOKEN_COLUMNS

LOGPROB_STEPS = 100
"""Log-probabilities are kept as whole hundredths of a nat."""


def turns_of(messages: Iterable[Mapping[str, str]], call_format: str) -> list[dict[str, Any]]:
    """Messages as `{role, text}`; the model's as `{role, thought, tool, arguments}` or `{role, thought, problem}`."""
    return [
        _assistant(message["content"], call_format)
        if message["role"] == "assistant"
        else {"role": message["role"], "text": message["content"]}
        for message in messages
    ]


def _assistant(text: str, call_format: str) -> dict[str, Any]:
    form = FORMATS[call_format]
    parsed = form.parse(text)
    if isinstance(parsed, ToolCall):
        arguments = dict(parsed.arguments)
        return {"role": "assistant", "thought": form.thought(text).strip(), "tool": parsed.name, "arguments": arguments}
    return {"role": "assistant", "thought": text, "problem": parsed.message}


def tokens_of(path: Path) -> Iterator[tuple[str, list[dict[str, list[int]]]]]:
    """Each episode of an episodes.parquet with its sampled turns as `{ids, logprobs}`, the latter in hundredths.

    Episodes of an engine that gives no ids are left out.
    """
    file = pq.ParquetFile(path)
    for part in file.iter_batches(batch_size=64, columns=["episode_id", *TOKEN_COLUMNS]):
        names: list[str] = part.column("episode_id").to_pylist()  # type: ignore[assignment]
        for index, name in enumerate(names):
            ids, mask, logprobs = (_numbers(part.column(column)[index]) for column in TOKEN_COLUMNS)
            if ids is not None and mask is not None and logprobs is not None:
                yield name, _sampled(ids, mask, logprobs)


def _numbers(value: "pa.Scalar[Any]") -> NDArray[Any] | None:
    return value.values.to_numpy(zero_copy_only=False) if value.is_valid else None  # type: ignore[attr-defined]


def _sampled(ids: NDArray[Any], mask: NDArray[Any], logprobs: NDArray[Any]) -> list[dict[str, list[int]]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask, [0]))))
    hundredths = np.rint(logprobs * LOGPROB_STEPS).astype(int)
    return [
        {"ids": ids[start:stop].tolist(), "logprobs": hundredths[start:stop].tolist()}
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]
