"""How many files a request passes through. A newcomer reads them, so the number must not grow unnoticed."""

from __future__ import annotations

import pytest

from bench.trip import COUNTED, MAY_RISE_BY, trips

pytestmark = pytest.mark.serial


def test_a_typed_request_passes_through_at_most_the_recorded_number_of_files() -> None:
    for verb, files in trips().items():
        assert len(files) <= COUNTED[verb] + MAY_RISE_BY, files
        assert {"bot/http_server.py", "bot/slack/handler.py", "bot/core/operations.py"} <= set(files), "traced at all"
