"""Servers for tests. Most share one; a test that breaks its server makes one of its own."""

import socket
from collections import Counter
from pathlib import Path

import pytest

from client import API
from harness import BINARY, ENVIRONMENTS, Server

# The browser and its windows.
pytest_plugins = ["console"]


def pytest_configure(config):
    if not BINARY.is_file():
        raise pytest.UsageError(f"{BINARY} is not there; build it with: make build, or name another in TAKUMI_BIN")
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for server in Server.running:
            report.sections.append((f"log of {server.home}", server.log_tail()))
    return report


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    """The directories that the shared server offers as NAS: `shared` to all, `foreign` to another project only."""
    return {name: tmp_path_factory.mktemp(name) for name in ("shared", "foreign")}


@pytest.fixture(scope="session")
def server(tmp_path_factory, folders):
    """The server that tests share. Whoever stops it or fills its disk makes one of their own instead."""
    config = f"""
storage:
  nas:
    shared: {{path: {folders["shared"]}}}
    foreign: {{path: {folders["foreign"]}, projects: [other]}}
"""
    shared = Server(tmp_path_factory.mktemp("takumi") / "home", config, {"SECRET_OF_THE_HOST": "hidden"})
    try:
        yield shared.start()
    finally:
        shared.close()


@pytest.fixture(scope="session")
def api(server) -> API:
    return API(server)


@pytest.fixture
def make_server(tmp_path):
    """Makes servers that end with the test."""
    made: list[Server] = []

    def make(name: str = "home", config: str = "", home: Path | None = None, **variables: str) -> Server:
        # Not beside the home, which may lie on a disk that a test fills.
        server = Server(home or tmp_path / name, config, variables, tmp_path / f"{name}.log")
        made.append(server)
        return server.start()

    yield make
    for server in made:
        server.close()


class Witness:
    """Hears of every start of a program by a datagram: no fault of a server can lose or double what it counts."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.counts: Counter[str] = Counter()

    def says(self, word: str) -> str:
        """A line of Python that reports here."""
        address = self.socket.getsockname()
        return (
            f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto({word.encode()!r}, {address!r})\n"
        )

    def heard(self, word: str) -> int:
        while True:
            try:
                self.counts[self.socket.recv(200).decode()] += 1
            except BlockingIOError:
                return self.counts[word]


@pytest.fixture(scope="session")
def witness():
    witness = Witness()
    yield witness
    witness.socket.close()
