"""The user's scripts, which run at every start before JupyterLab does.

Regular files, or links to such, directly in DATA/cont-init.d that are executable and begin with "#!", in ascending
order of their names' bytes, one after the other. Beside SCRIPT, SCRIPT.exitcode has its exit code and SCRIPT.output
what it wrote; DATA/cont-init.output has the log of all of them. No failure of a script or of the disk keeps the
notebook from starting: it is where its user mends them.
"""

import contextlib
import os
import signal
import stat
import sys
import time

from .storage import scripts_folder

RESULTS = (".exitcode", ".output")
# Between asking a script that takes too long to end, and ending it.
GRACE = 5

TIMED_OUT, CANNOT_RUN, NOT_FOUND = 124, 126, 127


def run(options, status):
    names = found(scripts_folder(options.data))
    with Log(os.path.join(options.data, "cont-init.output")) as log:
        for name in names:
            status.enter("scripts", name)
            started = time.monotonic()
            log.say(f"{name}: started")
            script = Script(os.path.join(scripts_folder(options.data), name), options)
            exit_code = script.run()
            seconds = time.monotonic() - started
            log.copy(script.output)
            log.say(f"{name}: exit code {exit_code} after {seconds:.1f} s")
            for complaint in script.complaints:
                log.say(f"{name}: {complaint}")
            status.add_script(name, exit_code, seconds)


def found(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted((name for name in names if is_script(os.path.join(folder, name))), key=os.fsencode)


def is_script(path):
    if path.endswith(RESULTS):
        return False
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) or not os.access(path, os.X_OK):
            return False
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


class Script:
    def __init__(self, path, options):
        self.path, self.directory, self.timeout = path, options.data, options.init_timeout
        self.output = f"{path}.output"
        # What could not be written beside it.
        self.complaints = []

    def run(self):
        """Runs it to its end. Returns its exit code, which is also written down."""
        self.attempt(self.remove, f"{self.path}.exitcode")
        output = self.attempt(self.create, self.output)
        if output is None:
            output = os.open(os.devnull, os.O_WRONLY)
        try:
            exit_code = self.execute(output)
        finally:
            os.close(output)
        self.attempt(self.write_exit_code, exit_code)
        return exit_code

    def execute(self, output):
        import subprocess

        try:
            # Its output goes straight to the file: what it leaves running may go on writing there. A session of its own
            # makes all of its processes one group.
            process = subprocess.Popen(
                [self.path],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            exit_code, reason = self.why_not(error)
            self.say(output, reason)
            return exit_code
        with Ending(process):
            try:
                code = process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                end(process, GRACE)
                self.say(output, f"ended because it took longer than {self.timeout:g} s")
                return TIMED_OUT
        return code if code >= 0 else 128 - code

    def why_not(self, error):
        """The exit code that a shell would give, and the reason."""
        try:
            with open(self.path, "rb") as file:
                line = file.readline(300).rstrip(b"\n")
        except OSError:
            return NOT_FOUND, "it has gone since the first script was started"
        interpreter = os.fsdecode(line[2:]).strip(" \t").split(" ")[0]
        if line.endswith(b"\r"):
            return NOT_FOUND, 'the first line ends with a carriage return: convert the file to Unix line ends ("\\n")'
        if isinstance(error, FileNotFoundError):
            return NOT_FOUND, f"its interpreter {interpreter} is not there"
        return CANNOT_RUN, f"it cannot be run: {error.strerror}"

    def say(self, output, line):
        self.attempt(os.write, output, os.fsencode(f"takumi: {line}\n"))

    def write_exit_code(self, exit_code):
        path = f"{self.path}.exitcode"
        self.remove(path)
        descriptor = self.create(path)
        try:
            os.write(descriptor, b"%d\n" % exit_code)
        finally:
            os.close(descriptor)

    def create(self, path):
        self.remove(path)
        # Appending: two processes that write there do not overwrite each other.
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def remove(self, path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def attempt(self, function, *arguments):
        try:
            return function(*arguments)
        except OSError as error:
            self.complaints.append(f"{error.filename or self.output}: {error.strerror}")
            return None


class Ending:
    """While a script runs, SIGTERM ends it, and then this program."""

    def __init__(self, process):
        self.process = process

    def __enter__(self):
        self.former = signal.signal(signal.SIGTERM, self.stop)

    def __exit__(self, *_):
        signal.signal(signal.SIGTERM, self.former)

    def stop(self, *_):
        end(self.process, 2)
        os._exit(0)


def end(process, grace):
    """Ends a whole group of processes: asks, waits, then insists."""

    def send(number):
        try:
            os.killpg(process.pid, number)
            return True
        except ProcessLookupError:
            return False

    deadline = time.monotonic() + grace
    send(signal.SIGTERM)
    while time.monotonic() < deadline:
        process.poll()
        if not send(0):
            return
        time.sleep(0.02)
    send(signal.SIGKILL)
    process.wait()


class Log:
    """The log of all scripts, new at each start."""

    def __init__(self, path):
        self.path = path
        try:
            if os.path.lexists(path):
                os.unlink(path)
            self.file = open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb", 0)
        except OSError as error:
            self.give_up(error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.file:
            self.file.close()

    def give_up(self, error):
        print(f"{self.path} cannot be written: {error.strerror}", file=sys.stderr)
        self.file = None

    def say(self, line):
        """Also in the notebook's own log."""
        print(f"script {line}".encode(errors="replace").decode(), flush=True)
        self.write(os.fsencode(f"[{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}] {line}\n"))

    def copy(self, path):
        """What a script has written until now; whole lines, whatever it ended with."""
        try:
            with open(path, "rb") as source:
                last = b"\n"
                while self.file and (part := source.read(1 << 20)):
                    self.write(part)
                    last = part[-1:]
        except OSError:
            return
        if last != b"\n":
            self.write(b"\n")

    def write(self, data):
        try:
            while self.file and data:
                data = data[self.file.write(data) :]
        except OSError as error:
            self.file.close()
            self.give_up(error)
