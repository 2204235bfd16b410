"""The way to a service far off: TLS, and a round-trip time, in front of servers on loopback. Counts both.

python -m bench.fakes.network FOLDER       (its certificate is written to FOLDER/network.pem)

A TCP connection is made one round trip after it was begun, and every byte is half of one on its way, the handshake's
too. So a request over a new connection takes three round trips, and one over a kept connection takes one.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.fakes.told import Order, obey

CERTIFICATE = "network.pem"


class Network:
    """`counts` are those of each server since they were last asked for."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._half_s = 0.0
        self._counts: dict[str, Counter[str]] = {}

    async def set(self, order: Order) -> None:
        self._half_s = order["rtt_ms"] / 2000

    async def route(self, order: Order) -> int:
        """Opens a way to the server `name` at `port`. Returns the port where the way begins."""
        counts = self._counts.setdefault(order["name"], Counter())
        inner = await asyncio.start_server(partial(_relayed, order["port"]), "127.0.0.1", 0, ssl=self._tls)
        inner_port = inner.sockets[0].getsockname()[1]
        outer = await asyncio.start_server(partial(self._delayed, inner_port, counts), "127.0.0.1", 0, backlog=1000)
        port: int = outer.sockets[0].getsockname()[1]
        return port

    async def counts(self, _order: Order) -> dict[str, dict[str, int]]:
        """`handshakes`, and `round_trips`: those of connecting, of handshakes, and of requests."""
        found = {name: dict(counter) for name, counter in self._counts.items()}
        for counter in self._counts.values():
            counter.clear()
        return found

    async def _delayed(
        self, port: int, counts: Counter[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        counts["handshakes"] += 1
        counts["round_trips"] += 1  # TCP's
        waits_for_answer = False

        def asked() -> None:
            nonlocal waits_for_answer
            if not waits_for_answer:
                counts["round_trips"] += 1
            waits_for_answer = True

        def answered() -> None:
            nonlocal waits_for_answer
            waits_for_answer = False

        connected_s = asyncio.get_running_loop().time() + 2 * self._half_s
        await asyncio.gather(
            self._late(reader, far_writer, connected_s, asked), self._late(far_reader, writer, 0.0, answered)
        )

    async def _late(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        not_before_s: float,
        seen: Callable[[], None],
    ) -> None:
        """Passes on what comes, half a round trip later, and the end as well."""
        loop = asyncio.get_running_loop()
        end = loop.create_future()

        def ended() -> None:
            writer.close()
            end.set_result(None)

        try:
            while data := await reader.read(65_536):
                seen()
                loop.call_at(max(loop.time(), not_before_s) + self._half_s, writer.write, data)
        except OSError:
            pass
        loop.call_at(max(loop.time(), not_before_s) + self._half_s, ended)
        await end


async def _relayed(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_passed_on(reader, far_writer), _passed_on(far_reader, writer))


async def _passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except OSError:
        pass
    writer.close()


def certificate(folder: Path) -> Path:
    """Makes a key and a certificate for loopback, valid for a day, in one file. Returns its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / CERTIFICATE
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


async def main(folder: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate(folder))
    tls.num_tickets = 0  # a ticket is no answer
    network = Network(tls)
    orders: dict[str, Any] = {name: getattr(network, name) for name in ("set", "route", "counts")}
    await obey(orders, first={"port": 0})
    os._exit(0)  # open ways need not be closed one by one


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
