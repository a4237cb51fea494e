"""A Takumi server as users run it: the real binary, a home of its own, free ports."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import requests

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TAKUMI_BIN", REPOSITORY / "bin" / "takumi"))
# One for all servers: PyTorch and TensorFlow are installed once, and again only where their locks change.
ENVIRONMENTS = Path(os.environ.get("TAKUMI_ENVIRONMENTS", REPOSITORY / ".cache" / "environments"))

# Of whoever runs the tests: none of it may reach a server or a command under test.
FOREIGN = ("TAKUMI_", "EM_", "OS_", "ST_", "PYTEST_")


def environment(**more: str) -> dict[str, str]:
    """The variables of this process without what would steer the programs under test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | {"TAKUMI_ENVIRONMENTS": str(ENVIRONMENTS)} | more


def eventually(condition, what: str, timeout: float = 20, pause: float = 0.05):
    """Waits until `condition()` is true; returns what it gave. `what` is a text, or a function that makes one."""
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"within {timeout:g} s: {what() if callable(what) else what}")
        time.sleep(pause)


class Server:
    """`takumi serve` for one home; may be stopped, killed and started again."""

    running: list["Server"] = []

    def __init__(self, home: Path, config: str = "", variables: dict[str, str] | None = None, log: Path | None = None):
        self.home = home
        self.log = log or home.with_name(f"{home.name}.log")
        self.variables = variables or {}
        self.process: subprocess.Popen | None = None
        self.url = self.tls_url = self.apps_url = self.gateway_url = ""
        # Only what is given is kept between starts: links and stored URIs name the ports.
        self.ports = ("0", "0", "0", "0")
        home.mkdir(parents=True, exist_ok=True)
        if config:
            (home / "config.yaml").write_text(config)

    # MARK: Life

    def start(self) -> "Server":
        """Starts it and waits until it answers."""
        assert self.process is None, "the server runs already"
        with self.log.open("ab") as log:
            doors = zip(("--port", "--tls-port", "--apps-port", "--gateway-port"), self.ports)
            self.process = subprocess.Popen(
                [BINARY, "serve", "--home", self.home, *(word for door in doors for word in door)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(**self.variables),
            )
        Server.running.append(self)
        eventually(self._answers, lambda: f"the server does not answer; its log:\n{self.log_tail()}", pause=0.02)
        return self

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self._ended(0)}; its log:\n{self.log_tail()}")
        try:
            file = json.loads((self.home / "server.json").read_text())
            # A server that was killed leaves its file behind.
            if file["pid"] != self.process.pid:
                return False
            self.url, self.tls_url, self.apps_url = file["url"], file["tlsURL"], file["appsURL"]
            self.gateway_url = file["gatewayURL"]
            self.ports = tuple(str(file[name]) for name in ("port", "tlsPort", "appsPort", "gatewayPort"))
            return requests.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except (OSError, ValueError):
            return False

    def stop(self, timeout: float = 30) -> int:
        """SIGTERM. Returns the exit status."""
        self.process.terminate()
        return self._ended(timeout)

    def kill(self) -> None:
        """SIGKILL, as the out-of-memory killer or a power cut would."""
        self.process.kill()
        self._ended(10)

    def _ended(self, timeout: float) -> int:
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the server has not ended within {timeout:g} s; its log:\n{self.log_tail()}"
            ) from None
        self.process = None
        Server.running.remove(self)
        return code

    def close(self) -> None:
        """Ends the server and everything that it has started. For the end of a test, whatever its outcome."""
        if self.process is not None:
            self.kill()
        for process in self.processes():
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                pass

    # MARK: What it is made of

    @property
    def ca(self) -> Path:
        return self.home / "ca.pem"

    def processes(self) -> list[psutil.Process]:
        """Every process whose command line names this home: agents, sandboxes, programs in them."""
        return find_processes(lambda words: any(str(self.home) in word for word in words))

    def agents(self) -> list[psutil.Process]:
        return find_processes(
            lambda words: len(words) == 3 and words[1] == "agent" and words[2].startswith(str(self.home))
        )

    def log_tail(self, lines: int = 40) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    # MARK: Commands

    def command(
        self, *words: str, check: bool = True, client: bool = True, timeout: float = 120, **options
    ) -> subprocess.CompletedProcess:
        """Runs `takumi …` against this home."""
        where = ["--home", str(self.home)] if client else []
        result = subprocess.run(
            [BINARY, *words, *where],
            env=environment(**self.variables),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            **options,
        )
        assert not check or result.returncode == 0, (
            f"takumi {' '.join(words)} ended with {result.returncode}:\n{result.stdout}{result.stderr}"
        )
        return result

    def token(self, project: str = "default", *options: str) -> str:
        return self.command("token", "create", "--project", project, *options).stdout.strip()


def find_processes(matches) -> list[psutil.Process]:
    """The processes whose command line `matches`, this one left out."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.pid != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE and words and matches(words):
            found.append(process)
    return found
