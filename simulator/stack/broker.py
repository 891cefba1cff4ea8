"""A Mosquitto of our own, with the configuration of `deploy/mosquitto/` and other paths."""

import contextlib
import re
import shutil
import signal
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from simulator.stack.errors import StackError
from simulator.stack.native import find_programs
from simulator.stack.place import Place, can_pass, checkout_folder, find_place, give
from simulator.stack.process import Child, free_port, require_free, wait_until

START_TIMEOUT_S = 60.0
CERTIFICATE_FILES = ("ca.pem", "server.pem", "server.key")


class Broker:
    """A broker on 127.0.0.1 that lets in who has a certificate of the given authority.

    Its port stays the same across restarts, so that clients find it again.

    Args:
        folder: for sessions, configuration and log; made if absent; the servers' user must be able to reach it.
        certificates: folder with `ca.pem`, `server.pem` and `server.key`, as made by `ingest certificates init`.
        program: the `mosquitto` to run.
        place: says whom to run as.
        port: None finds a free one.
        more_rules: added to the access list.
    """

    def __init__(
        self,
        folder: Path,
        certificates: Path,
        *,
        program: Path,
        place: Place,
        port: int | None = None,
        more_rules: str = "",
    ) -> None:
        self.folder = folder
        self.certificates = certificates
        self._program = program
        self._account = place.account
        self.port = port or 0
        self._more_rules = more_rules
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """The address it listens on."""
        return "127.0.0.1"

    @property
    def pid(self) -> int | None:
        """The broker's process id, None when it does not run."""
        return self._child.pid if self._child and self._child.running else None

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self.folder / "mosquitto.log"

    def start(self) -> None:
        """Start the broker and wait until it answers over TLS.

        Raises:
            StackError: it cannot run; the message says why.
        """
        if self.port:
            require_free(self.port, "BRIMWATCH_MQTT_PORT")
        else:
            self.port = free_port()
        self._prepare()
        self._child = Child(
            [str(self._program), "-c", str(self.folder / "mosquitto.conf")],
            name="Mosquitto",
            log=self.log,
            cwd=self.folder,
            account=self._account,
        )
        try:
            wait_until(
                self._answers, timeout_s=START_TIMEOUT_S, what="Mosquitto did not start", child=self._child, every_s=0.1
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the broker, which saves its sessions; does nothing when it does not run."""
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """End the broker at once, as a power cut would: what it got in the last seconds is lost."""
        if self._child:
            self._child.kill()

    def reload(self) -> None:
        """Make it read its access list and revocations again; open connections stay."""
        if self._child:
            self._child.send_signal(signal.SIGHUP)

    def _prepare(self) -> None:
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._account and not can_pass(self._account, self.folder):
            raise StackError(
                f"The broker's user cannot reach {self.folder}; choose a folder under {find_place().root}."
            )
        data = self.folder / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        give(self._account, data)
        # It reads these as the servers' user, who may not read the originals.
        source = checkout_folder() / "deploy/mosquitto"
        self._hand_over(source / "acl", "acl")
        with (self.folder / "acl").open("a") as acl:
            acl.write(self._more_rules)
        for name in CERTIFICATE_FILES:
            self._hand_over(self.certificates / name, name)
        text = render((source / "mosquitto.conf").read_text(), self._changes())
        (self.folder / "mosquitto.conf").write_text(text)

    def _changes(self) -> dict[str, str]:
        return {
            "listener": f"{self.port} {self.host}",
            "acl_file": str(self.folder / "acl"),
            "cafile": str(self.folder / "ca.pem"),
            "certfile": str(self.folder / "server.pem"),
            "keyfile": str(self.folder / "server.key"),
            "persistence_location": f"{self.folder / 'data'}/",
        }

    def _hand_over(self, source: Path, name: str) -> None:
        target = self.folder / name
        target.unlink(missing_ok=True)
        target.touch(mode=0o600)
        try:
            shutil.copyfile(source, target)
        except FileNotFoundError:
            raise StackError(f"The broker needs {source}, which does not exist.") from None
        give(self._account, target)

    def _answers(self) -> bool:
        context = ssl.create_default_context(cafile=self.certificates / "ca.pem")
        with contextlib.suppress(OSError):
            raw = socket.create_connection((self.host, self.port), timeout=5)
            try:
                # We show no certificate and are turned away, after the broker has shown its own.
                context.wrap_socket(raw, server_hostname=self.host).close()
            except ssl.SSLCertVerificationError as error:
                raise StackError(f"The broker's certificate is not valid for {self.host}: {error.reason}.") from None
            finally:
                raw.close()
            return True
        return False


def render(configuration: str, changes: Mapping[str, str]) -> str:
    """Give the configuration with other values for some options.

    Raises:
        StackError: an option to change is not in it exactly once.
    """
    for option, value in changes.items():
        line = f"{option} {value}".replace("\\", r"\\")
        configuration, count = re.subn(rf"^{option} .*$", line, configuration, flags=re.MULTILINE)
        if count != 1:
            raise StackError(f"deploy/mosquitto/mosquitto.conf sets '{option}' {count} times instead of once.")
    return configuration


def open_broker(
    folder: Path, certificates: Path, environ: Mapping[str, str], *, port: int | None = None, more_rules: str = ""
) -> Broker:
    """Give a broker to start, with the programs that are set up.

    Raises:
        StackError: nothing is set up.
    """
    place = find_place()
    program = find_programs(place, environ).mosquitto
    return Broker(folder, certificates, program=program, place=place, port=port, more_rules=more_rules)
