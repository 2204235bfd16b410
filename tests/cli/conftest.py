"""A bot process on a sandbox, over each transport or over HTTP alone."""

from __future__ import annotations

from tests.processes.bot_process import either, either_runs, http, runs

__all__ = ["either", "either_runs", "http", "runs"]
