"""A real OpenStack Swift of Debian's packages: one server of each kind, rings of one device, tempauth, TLS."""

import getpass
import os
import shutil
import socket
import subprocess
from pathlib import Path

import requests
import swiftclient

from harness import eventually

TENANT, USER, KEY = "research", "alice", "alice-key"
# The account that Takumi uses: it owns nothing, and may do what a container's policy says.
SERVICE_TENANT, SERVICE_USER, SERVICE_KEY = "takumi", "service", "service-key"

PROGRAMS = (
    "swift-ring-builder",
    "swift-proxy-server",
    "swift-account-server",
    "swift-container-server",
    "swift-object-server",
    "memcached",
    "openssl",
)


class OpenStackSwift:
    def __init__(self, folder: Path):
        missing = [program for program in PROGRAMS if not shutil.which(program)]
        assert not missing, f"{', '.join(missing)} missing; run Tests/EndToEndTests/setup.sh"
        self.folder = folder
        self.log = folder / "swift.log"
        self.ports = dict(zip(("proxy", "account", "container", "object", "memcached"), free_ports(5)))
        self.host = f"127.0.0.1:{self.ports['proxy']}"
        self.url = f"https://{self.host}"
        self.ca = folder / "cert.pem"
        self.processes: dict[str, subprocess.Popen] = {}
        (folder / "devices/d1").mkdir(parents=True)
        self._make_certificate()
        self._make_rings()
        self._write_configurations()

    # MARK: Life

    def start(self) -> "OpenStackSwift":
        """Starts what does not run, and waits until it answers."""
        memcached = ["memcached", "-l", "127.0.0.1", "-p", str(self.ports["memcached"]), "-U", "0"]
        self._start("memcached", memcached + (["-u", "nobody"] if os.geteuid() == 0 else []))
        for kind in ("account", "container", "object", "proxy"):
            self._start(kind, [f"swift-{kind}-server", str(self.folder / f"{kind}-server.conf")])
        for kind in ("account", "container", "object", "memcached"):
            eventually(lambda: self._listens(kind), lambda: f"{kind} does not listen:\n{self._log_tail()}")
        eventually(self._answers, lambda: f"the proxy does not answer:\n{self._log_tail()}", timeout=30)
        return self

    def _listens(self, kind: str) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[kind])) == 0

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthcheck", verify=str(self.ca), timeout=5).text == "OK"
        except requests.RequestException:
            return False

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def _start(self, name: str, command: list[str]):
        if name in self.processes:
            return
        # Debian's Python and packages, whatever environment the tests run in.
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def stop_one(self, name: str):
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self):
        for name in list(self.processes):
            self.stop_one(name)

    # MARK: What Takumi and the tests need

    def account(self, tenant: str = TENANT) -> str:
        """The account's `obs://` URI."""
        return f"obs://{self.host}/v1/AUTH_{tenant}"

    def configuration(self, **changes: str) -> str:
        """The lines for Takumi's config.yaml."""
        fields = {
            "host": self.host,
            "authKind": "tempauth",
            "authURL": f"{self.url}/auth/v1.0",
            "tenant": SERVICE_TENANT,
            "user": SERVICE_USER,
            "password": SERVICE_KEY,
            "caFile": str(self.ca),
        } | changes
        entry = ", ".join(f'{name}: "{value}"' for name, value in fields.items() if value is not None)
        return f"storage:\n  swift:\n    - {{{entry}}}\n"

    def connect(self) -> swiftclient.Connection:
        """As the user who owns the data."""
        return swiftclient.Connection(
            authurl=f"{self.url}/auth/v1.0", user=f"{TENANT}:{USER}", key=KEY, cacert=str(self.ca), retries=2
        )

    # MARK: Files

    def _make_certificate(self):
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=swift.test",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
            ],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def _make_rings(self):
        def build(kind: str, *words: str):
            subprocess.run(
                ["swift-ring-builder", f"{kind}.builder", *words], cwd=self.folder, check=True, capture_output=True
            )

        for kind in ("account", "container", "object"):
            build(kind, "create", "4", "1", "0")
            build(kind, "add", f"r1z1-127.0.0.1:{self.ports[kind]}/d1", "1")
            build(kind, "rebalance")

    def _write_configurations(self):
        common = (
            f"user = {getpass.getuser()}\nswift_dir = {self.folder}\n"
            "bind_ip = 127.0.0.1\nworkers = 0\nlog_level = WARNING\n"
        )
        for kind in ("account", "container", "object"):
            (self.folder / f"{kind}-server.conf").write_text(
                f"[DEFAULT]\n{common}bind_port = {self.ports[kind]}\n"
                f"devices = {self.folder}/devices\nmount_check = false\n"
                f"[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n"
            )
        filters = (
            "catch_errors",
            "gatekeeper",
            "healthcheck",
            "cache",
            "listing_formats",
            "tempauth",
            "copy",
            "slo",
            "dlo",
        )
        settings = {
            "cache": f"use = egg:swift#memcache\nmemcache_servers = 127.0.0.1:{self.ports['memcached']}\n",
            "tempauth": "use = egg:swift#tempauth\n"
            f"user_{TENANT}_{USER} = {KEY} .admin\nuser_{SERVICE_TENANT}_{SERVICE_USER} = {SERVICE_KEY}\n",
            "slo": "use = egg:swift#slo\nmin_segment_size = 1\n",
        }
        sections = "".join(f"[filter:{name}]\n{settings.get(name, f'use = egg:swift#{name}')}\n" for name in filters)
        (self.folder / "proxy-server.conf").write_text(
            f"[DEFAULT]\n{common}bind_port = {self.ports['proxy']}\n"
            f"cert_file = {self.ca}\nkey_file = {self.folder}/key.pem\n"
            f"[pipeline:main]\npipeline = {' '.join(filters)} proxy-server\n"
            f"[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n{sections}"
        )


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses; all held until the last is found, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
