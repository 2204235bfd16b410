"""A TLS server on loopback that counts handshakes, and hands on what it decrypts to a plain server."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class TlsServer:
    """`target` returns the plain server's port; called for each connection. `ca_file` has the certificate to trust."""

    def __init__(self, folder: Path, target: Callable[[], int]) -> None:
        self.ca_file, key_file = folder / "ca.pem", folder / "key.pem"
        _make_certificate(self.ca_file, key_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.ca_file, key_file)
        self._target = target
        self._changed = threading.Condition()
        self._handshakes = self._closed = 0
        self._sockets: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self.gate = threading.Event()
        """Handshakes wait for it."""
        self.gate.set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def handshakes(self) -> int:
        with self._changed:
            return self._handshakes

    def wait_for(self, *, handshakes: int = 0, closed: int = 0, timeout_s: float = 20.0) -> bool:
        """Whether so many handshakes were made and connections closed by the client, waiting for it."""
        with self._changed:
            return self._changed.wait_for(lambda: self._handshakes >= handshakes and self._closed >= closed, timeout_s)

    def stop(self) -> None:
        self.gate.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in list(self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listening.accept()
                thread = threading.Thread(target=self._serve, args=(plain,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        self._sockets.append(plain)
        self.gate.wait()
        with suppress(OSError):
            client = self._context.wrap_socket(plain, server_side=True)
            self._sockets.append(client)
            with self._changed:
                self._handshakes += 1
                self._changed.notify_all()
            target = socket.create_connection(("127.0.0.1", self._target()))
            self._sockets.append(target)
            back = threading.Thread(target=pump, args=(target, client))
            self._threads.append(back)
            back.start()
            pump(client, target)
        with self._changed:
            self._closed += 1
            self._changed.notify_all()


def pump(source: socket.socket, to: socket.socket) -> None:
    """Hands on what comes, until either side ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with suppress(OSError):
        to.shutdown(socket.SHUT_RDWR)


def _make_certificate(ca_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
