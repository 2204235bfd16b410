"""The bot with hostile clients, in short; `python -m bench.hostile` runs them in full number."""

from __future__ import annotations

import pytest

from bench.hostile import run


@pytest.mark.serial
def test_commands_are_acknowledged_while_clients_drip_and_send_half_of_their_bodies() -> None:
    said: list[str] = []
    assert run(100, 50, 2.0, said.append), said
    assert [line.split(":")[0] for line in said] == ["100 dripping connections", "50 half-sent bodies of 500 kB"]
