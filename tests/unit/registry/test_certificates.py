import shutil
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from ingest.registry.bundles import Broker, make_bundle
from ingest.registry.certificates import CLIENTS, NETWORK_SERVERS, init_authority, load_authority
from ingest.registry.errors import RegistryError
from ingest.registry.identity import load_identity

NOW = datetime.now(UTC)
EVERYTHING = ["ca", "server", *CLIENTS, *NETWORK_SERVERS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init_authority(tmp_path / "pem", ["localhost", "127.0.0.1"], NOW)
    return tmp_path / "pem"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def server_names(folder: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_init_makes_everything_and_keeps_keys_private(folder: Path) -> None:
    files = sorted(path.name for path in folder.iterdir())

    assert files == sorted(f"{name}.{ending}" for name in EVERYTHING for ending in ("key", "pem"))
    assert {oct(path.stat().st_mode & 0o777) for path in folder.glob("*.key")} == {"0o600"}


def test_init_again_changes_nothing(folder: Path) -> None:
    before = contents(folder)

    assert init_authority(folder, ["localhost"], NOW) == []
    assert contents(folder) == before


def test_init_adds_a_missing_client_only(folder: Path) -> None:
    before = contents(folder)
    (folder / "brimwatch-send.key").unlink()

    assert init_authority(folder, ["localhost"], NOW) == ["brimwatch-send"]
    assert {name for name, content in contents(folder).items() if before[name] != content} == {
        "brimwatch-send.pem",
        "brimwatch-send.key",
    }


def test_init_reissues_the_server_for_a_new_host_and_keeps_the_old_ones(folder: Path) -> None:
    assert init_authority(folder, ["broker.example", "10.0.0.7"], NOW) == ["server"]
    assert server_names(folder) == ["localhost", "127.0.0.1", "broker.example", "10.0.0.7"]


@pytest.mark.parametrize(
    "host", ["a b", "mqtts://broker.example", "broker.example:8883", "10.0.0.300/24", "-broker", ""]
)
def test_init_refuses_what_no_broker_can_be_reached_by(folder: Path, host: str) -> None:
    with pytest.raises(RegistryError, match="is neither a host name nor an IP address"):
        init_authority(folder, [host], NOW)


def test_init_renews_what_runs_out(folder: Path) -> None:
    assert init_authority(folder, ["localhost"], NOW + timedelta(days=800)) == ["server"]


def test_init_never_replaces_an_authority(folder: Path) -> None:
    (folder / "ca.key").unlink()

    with pytest.raises(RegistryError, match=r"ca\.pem is there but ca\.key is not"):
        init_authority(folder, ["localhost"], NOW)


def test_init_refuses_a_damaged_key(folder: Path) -> None:
    (folder / "ca.key").write_text("not a key")

    with pytest.raises(RegistryError, match=r"ca\.key is damaged"):
        init_authority(folder, ["localhost"], NOW)


def test_openssl_verifies_every_certificate(folder: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("No openssl on this machine.")
    for name, purpose in [("server", "sslserver"), *((client, "sslclient") for client in (*CLIENTS, *NETWORK_SERVERS))]:
        command = [openssl, "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.pem", f"{name}.pem"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr


@pytest.fixture
def bundle(folder: Path, tmp_path: Path) -> Path:
    make_bundle(tmp_path / "bin-7", "bin-7", load_authority(folder), Broker("localhost", 8883), NOW)
    return tmp_path / "bin-7"


def test_tls_handshake_with_a_device(folder: Path, bundle: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(bundle / "ca.pem"))
    context.load_cert_chain(bundle / "device.pem", bundle / "device.key.pem")
    with (
        _Server(folder) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
    ):
        assert connection.recv(10) == b"bin-7"


def test_tls_handshake_with_micropython(folder: Path, bundle: Path) -> None:
    micropython = Path(sys.executable).with_name("micropython")
    if not micropython.exists():
        pytest.skip("No MicroPython beside this Python.")
    program = (
        "import socket, tls, sys\n"
        "def content(name):\n"
        "    with open(name, 'rb') as file:\n"
        "        return file.read()\n"
        "context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\n"
        "context.verify_mode = tls.CERT_REQUIRED\n"
        "context.load_verify_locations(content('ca.der'))\n"
        "context.load_cert_chain(content('device.der'), content('device.key.der'))\n"
        "raw = socket.socket()\n"
        "raw.connect(socket.getaddrinfo('127.0.0.1', int(sys.argv[1]))[0][-1])\n"
        "print(context.wrap_socket(raw, server_hostname='localhost').read(10))\n"
    )
    (bundle / "hello.py").write_text(program)
    with _Server(folder) as server:
        command = [str(micropython), "hello.py", str(server.port)]
        done = subprocess.run(command, cwd=bundle, capture_output=True, text=True, timeout=120, check=False)

    assert done.stdout == "b'bin-7'\n", done.stderr


def test_bundle_again_changes_nothing(folder: Path, bundle: Path) -> None:
    before = contents(bundle)

    _, issued = make_bundle(bundle, "bin-7", load_authority(folder), Broker("localhost", 8883), NOW)

    assert not issued
    assert contents(bundle) == before
    assert {oct(path.stat().st_mode & 0o777) for path in bundle.glob("*.key.*")} == {"0o600"}


@pytest.mark.parametrize("damage", ["device.pem", "device.key.pem"])
def test_bundle_replaces_a_damaged_pair(folder: Path, bundle: Path, damage: str) -> None:
    (bundle / damage).write_text("not PEM")

    _, issued = make_bundle(bundle, "bin-7", load_authority(folder), Broker("localhost", 8883), NOW)

    assert issued


def test_bundle_of_another_authority_is_replaced(bundle: Path, tmp_path: Path) -> None:
    init_authority(tmp_path / "other", ["localhost"], NOW)
    other = load_authority(tmp_path / "other")

    identity, issued = make_bundle(bundle, "bin-7", other, Broker("localhost", 8883), NOW)

    assert issued
    assert identity.signed_by(other)
    assert (bundle / "ca.pem").read_bytes() == (tmp_path / "other" / "ca.pem").read_bytes()


def test_load_identity_refuses_strangers(folder: Path) -> None:
    shutil.copy(folder / "brimwatch-send.key", folder / "server.key")

    with pytest.raises(RegistryError, match="does not belong to"):
        load_identity(folder, "server")


class _Server:
    """Takes one TLS connection that needs a client certificate, and sends its common name."""

    def __init__(self, folder: Path) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        raw, _ = self._listener.accept()
        with self._context.wrap_socket(raw, server_side=True) as connection:
            certificate = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
            name = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
            connection.sendall(str(name).encode())
