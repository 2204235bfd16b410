"""Raw samples on disk: a compressed file of JSON lines for each kind. The document depends only on them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]


class Samples:
    """Writes one run into `folder`, replacing the previous one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.json*"):
            old.unlink()
        self._lines: dict[str, list[str]] = {}

    def write(self, kind: str, record: Record) -> None:
        """Written at once, so that an interrupted run keeps its samples."""
        lines = self._lines.setdefault(kind, [])
        lines.append(_line(record))
        # Complete, and without a time in its header: the same samples give the same bytes.
        packed = gzip.compress("\n".join(lines).encode() + b"\n", mtime=0)
        (self._folder / f"{kind}.jsonl.gz").write_bytes(packed)

    def describe(self, run: Record) -> None:
        """Writes what holds for the whole run: machine, versions, plan."""
        text = json.dumps(run, indent=2, ensure_ascii=False, sort_keys=True)
        (self._folder / "run.json").write_text(text + "\n", encoding="utf-8")


def read(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Records in the order in which they were written; empty if the run had no such scene."""
    file = folder / f"{kind}.jsonl.gz"
    if not file.exists():
        return []
    return [json.loads(line) for line in gzip.decompress(file.read_bytes()).decode().splitlines()]


def read_run(folder: Path) -> dict[str, Any]:
    """Raises OSError if there is no run."""
    run: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return run


def _line(record: Record) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)
