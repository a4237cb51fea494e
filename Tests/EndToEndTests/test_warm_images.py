"""A run that is forked from a warm interpreter is what a cold start would be (docs/warm-images.md).

Every script of `SAME` runs on two servers, one of which has warm images switched off, and must leave the same behind.
"""

import dataclasses
import json
import os
import re
import signal
import subprocess
import time
import zipfile
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from client import API, Training, unique
from harness import REPOSITORY, Server, eventually, find_processes

# MARK: - Two servers


@dataclasses.dataclass
class Script:
    text: str
    # Its exit status, and something that it says: two that fail alike are not the same in what was to be compared.
    exit: int = 0
    says: str = ""
    files: dict = dataclasses.field(default_factory=dict)
    fields: dict = dataclasses.field(default_factory=dict)

    def start(self, api: API, folder: Path) -> Training:
        """From the folder, which is a NAS of the server: hundreds of scripts are not uploaded one file at a time."""
        fields = TORCH | self.fields
        run = f"{api.container}/runs/{folder.name}"
        for name, content in {fields.get("entryPoint", "train.py"): self.text, **self.files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        body = api.body(run, **fields) | {"sourceDirUri": f"nas://scripts:/{folder.name}"}
        return Training(api, api.call("POST", "trainings", json=body)["training"]["trainingId"], run)


def parameters(**values: str) -> dict:
    return {"hyperparameterList": [{"parameterName": name, "parameterValue": value} for name, value in values.items()]}


def how(training: Training) -> str:
    """How its interpreter was started."""
    state = training.api.server.home / "workloads" / training.id / "0" / "state.json"
    return json.loads(state.read_text()).get("start", "")


def states(server: Server) -> list[dict]:
    """What the warm interpreters of a server say of themselves."""
    found = []
    for file in (server.home / "warm").glob("*.json"):
        try:
            found.append(json.loads(file.read_text()))
        except FileNotFoundError:
            pass
    return found


def ready(server: Server) -> list[int]:
    """The processes of the warm interpreters that can be used."""
    return [state["pid"] for state in states(server) if state["state"] == "ready" and psutil.pid_exists(state["pid"])]


def warm_up(api: API, *kinds: dict) -> None:
    """Leaves a warm interpreter for each kind of run."""
    before = len(ready(api.server))
    for first in [api.train("pass", **kind) for kind in kinds]:
        first.wait(timeout=600)
        assert how(first) == "cold: no interpreter was warm yet"
    eventually(lambda: len(ready(api.server)) == before + len(kinds), lambda: f"{states(api.server)}", timeout=60)


TORCH = {"image": "pytorch"}
TORCH_ON_TWO = {"image": "pytorch", "flavor": "m2.c2m4"}
TENSORFLOW = {"image": "tensorflow"}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("scripts")


@pytest.fixture(scope="module")
def twins(tmp_path_factory, scripts):
    """The APIs of a server that starts all runs cold, and of one that has warm interpreters."""
    folder = tmp_path_factory.mktemp("twins")
    servers = [
        Server(
            folder / name / "home",
            f"warmMemoryMiB: {memory}\ncpuOvercommit: 8\nstorage: {{nas: {{scripts: {{path: {scripts}}}}}}}\n",
        )
        for name, memory in (("cold", 0), ("warm", 8192))
    ]
    try:
        cold, warm = [API(server.start()) for server in servers]
        warm_up(warm, TORCH, TORCH_ON_TWO, TENSORFLOW)
        yield cold, warm
    finally:
        for server in servers:
            server.close()


@pytest.fixture
def warm(twins) -> API:
    return twins[1]


@pytest.fixture(scope="module")
def pairs(twins, scripts, request):
    """By the name of a script: its cold and its warm run. All that are asked for run side by side."""
    names = [
        item.callspec.params["name"] for item in request.session.items if "pairs" in getattr(item, "fixturenames", [])
    ]
    folders = {name: scripts / f"script-{number:03}" for number, name in enumerate(names)}
    return {name: tuple(SAME[name].start(api, folders[name]) for api in twins) for name in names}


SAID_BY_AN_IMPORT = re.compile(
    r"WARNING: All log messages before absl|I0000 .*\.cc:|To enable the following instructions"
)


def ended(training: Training) -> Training:
    training.wait("COMPLETE", "FAIL_TRAIN", timeout=120)
    return training


def seen(training: Training) -> dict:
    """All that somebody sees of a run, without what differs between any two."""
    done = ended(training).read()
    streams = {"stdout": [], "stderr": [], "system": []}
    for record in training.records():
        # TensorFlow says it while it is imported: test_messages_of_an_import.
        if not SAID_BY_AN_IMPORT.match(record["text"]):
            streams[record["stream"]].append(plain(training, record["text"]))
    return {
        "status": done["trainingStatusCode"],
        "exit": done.get("exitCode"),
        "cause": plain(training, done.get("statusReason") or ""),
        "isolation": done["isolation"],
        "model": model(training),
        **streams,
    }


def model(training: Training) -> list[str]:
    """The lines of the files that it left in its model folder."""
    folder = f"{training.folder}/model"
    texts = {name: training.api.download(f"{folder}/{name}").decode() for name in training.api.files(folder)}
    return [f"{name}: {line}" for name, text in texts.items() for line in plain(training, text).splitlines()]


def plain(training: Training, text: str) -> str:
    server = training.api.server
    for value, name in ((str(server.home), "HOME"), (server.url, "URL"), (training.folder.rsplit("/", 1)[-1], "NAME")):
        text = text.replace(value, name)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"(object refcount :) \d+", r"\1", re.sub(r"\b0x[0-9a-f]+", "0x", text))
    return re.sub(r"NAME-[0-9a-f]{8}", "NAME", text)


# MARK: - What is the same

INTERPRETER = """
'''a text'''
print("names", list(globals()))
print("main", __file__, __name__, __spec__, __package__, __cached__, __doc__, __annotations__)
print(type(__loader__), __loader__.name, __loader__.path, type(__builtins__))
import sys, time
began = time.time()
import __main__
print(__main__.__dict__ is globals(), sys.modules.get("__mp_main__") in (None, __main__))
for name in ("argv", "orig_argv", "path", "flags", "executable", "prefix", "base_prefix", "exec_prefix", "warnoptions",
        "_xoptions", "dont_write_bytecode", "pycache_prefix", "platlibdir", "excepthook", "displayhook", "unraisablehook"):
    print(name, getattr(sys, name))
print(sys.getrecursionlimit(), sys.getswitchinterval(), sys.gettrace(), sys.getprofile(), sys.getdlopenflags())
print(sys.exc_info(), hasattr(sys, "last_type"), hasattr(sys, "ps1"), sys.getfilesystemencoding())
import asyncio, faulthandler, gc, locale, logging, multiprocessing, multiprocessing.process, site, tempfile, threading, time
print(site.ENABLE_USER_SITE, site.USER_BASE, site.USER_SITE, site.PREFIXES)
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks, faulthandler.is_enabled())
print(locale.setlocale(locale.LC_ALL), time.tzname, tempfile.gettempdir(), tempfile.tempdir)
print(logging.root.handlers, logging.root.level, began - logging._startTime < 1, time.process_time() < 20)
print(multiprocessing.process.ORIGINAL_DIR, multiprocessing.current_process(), multiprocessing.get_start_method(allow_none=True))
main = threading.main_thread()
print(threading.enumerate() == [main], main.name, main.ident == threading.get_ident(), main.native_id == threading.get_native_id())
print(asyncio.run(asyncio.sleep(0, "ran")))
"""

STREAMS = """
import os, sys
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.newlines, stream.line_buffering, stream.write_through,
        stream.isatty(), stream.seekable(), stream.readable(), stream.writable(), stream.fileno(), stream.closed,
        type(stream).__name__, type(stream.buffer).__name__, stream.buffer.name, stream.buffer.mode,
        stream is getattr(sys, f"__{stream.name[1:-1]}__"))
print({n: os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")})
print([os.get_inheritable(n) for n in (0, 1, 2)], repr(sys.stdin.read()), repr(sys.stdin.readline()))
try:
    print(sys.stdout.tell())
except OSError as error:
    print(type(error), error)
print("日本 \\udcff", end="|")
sys.stdout.buffer.write(b"\\xff bytes\\n")
os.write(1, b"by descriptor\\n")
print("partial", end="")
print(" line")
sys.stdout.reconfigure(line_buffering=True)
print("\\r10%\\r100%", file=sys.stderr)
import ctypes
ctypes.CDLL(None).printf(b"of a C library, in its buffer\\n")
try:
    input()
except EOFError as error:
    print("EOFError", error)
"""

PROCESS = """
import json, os, resource, signal, subprocess, sys
print({name: value for name, value in sorted(os.environ.items())})
print(sorted(subprocess.run(["env", "-0"], capture_output=True).stdout.split(b"\\0")))
print(sorted(open("/proc/self/environ", "rb").read().split(b"\\0")))
print(open("/proc/self/cmdline", "rb").read().split(b"\\0"), open("/proc/self/comm").read(), os.readlink("/proc/self/exe"))
print(os.getcwd(), oct(os.umask(0o22)), os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getgroups(), os.getlogin.__name__)
print({name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")})
print({number: str(signal.getsignal(number)) for number in signal.valid_signals()}, signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(signal.getitimer(signal.ITIMER_REAL), signal.set_wakeup_fd(-1))
kept = ("Name", "Umask", "State", "TracerPid", "Uid", "Gid", "Groups", "NSpgid", "NSsid", "Threads", "SigPnd", "ShdPnd", "SigBlk",
    "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp", "Cpus_allowed", "CoreDumping")
print([line for line in open("/proc/self/status").read().splitlines() if line.split(":")[0] in kept])
print(os.getpgrp(), os.getsid(0), os.sched_getscheduler(0), sorted(os.sched_getaffinity(0)))
print({name: open(f"/proc/self/{name}").read() for name in ("oom_score_adj", "personality", "coredump_filter", "timerslack_ns")})
print(open("/proc/self/cgroup").read())
own = os.stat("/proc/1").st_uid == os.getuid()
print({name: os.readlink(f"/proc/self/ns/{name}") == os.readlink(f"/proc/1/ns/{name}") for name in sorted(os.listdir("/proc/self/ns"))})
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_nswap, len(os.times()))
"""

SANDBOX = """
import os, socket, sys
def attempt(action):
    try:
        return action()
    except OSError as error:
        return type(error).__name__
home = sys.argv[2]
print([line.split(" - ")[0].split(" ", 3)[3] + line.split(" - ")[1] for line in open("/proc/self/mountinfo")])
print({path: attempt(lambda: open(path + "/takumi-was-here", "w").write("x")) for path in ("/etc", "/root", "/usr", "/tmp", "/dev", home)})
print({name: attempt(lambda: open(f"{home}/{name}").read()) for name in ("cli-token", "takumi.db", "agent.json", "server.json")})
print(sorted(os.path.join(path, name) for path, _, names in os.walk(home) for name in names if "__pycache__" not in path))
print(sorted(os.listdir("/")), sorted(os.listdir("/dev")), sorted(os.listdir("/dev/shm")), os.statvfs("/tmp").f_flag)
print(sorted(os.listdir("/tmp")), socket.gethostname(), os.path.exists("/proc/sys/kernel/hostname"))
print({name: attempt(lambda: open(os.environ[name] + "/f", "w").write("x")) for name in
    ("EM_SOURCE_DIR", "EM_MODEL_DIR", "EM_CHECKPOINT_DIR", "EM_TENSORBOARD_LOG_DIR", "HOME")})
print(attempt(lambda: socket.sethostname("x")), attempt(lambda: os.setuid(1)), attempt(lambda: os.nice(-1)), attempt(lambda: os.chroot("/")))
"""

# What importing leaves in the modules, as far as it can be written down. Names of a loop over a set are anything.
MODULES = """
import os, sys
IMPORT
skipped = {"numpy.f2py.rules": ("generationtime", "module_rules"), "joblib._multiprocessing_helpers": ("name",),
    "threading": ("_shutdown_locks",), "logging": ("_startTime",), "tensorflow": ("_s", "_plugin_dir"),
    "tensorflow.python.ops.weak_tensor_ops": ("operator",), "scipy.sparse._data": ("name",)}
def simple(value, depth=0):
    if type(value) in (bool, int, float, str, bytes, type(None)):
        return True
    return type(value) in (tuple, list) and depth < 3 and all(simple(part, depth + 1) for part in value)
def shown(value):
    if type(value) is int and value > 1 << 40:
        return "an address"
    if type(value) in (tuple, list):
        return sorted((shown(part) for part in value), key=str)
    # tokenize makes expressions from a set.
    return repr(value) if type(value) is not str or "|" not in value else "".join(sorted(value))
modules = {}
for name, module in sorted(sys.modules.items()):
    # Those of warm.py itself, and what only they bring with them.
    if name.split(".")[0] not in ("ctypes", "_ctypes", "__main__", "__mp_main__", "select", "fcntl", "site"):
        modules[name] = {str(key): shown(value) for key, value in sorted(getattr(module, "__dict__", {}).items(), key=str)
            if simple(value) and key not in skipped.get(name, ()) and key != "__doc__"}
import json, logging, signal, socket, threading, warnings
json.dump(modules, open(os.environ["EM_MODEL_DIR"] + "/modules.json", "w"), indent=1)
print({name: value for name, value in sorted(os.environ.items()) if name != "TORCHINDUCTOR_CACHE_DIR"})
print(sorted(str(one) for one in warnings.filters))
print(logging.root.handlers, sorted((name, one.level, len(one.handlers), one.propagate)
    for name, one in logging.root.manager.loggerDict.items() if hasattr(one, "level")))
print({number: str(signal.getsignal(number)) for number in signal.valid_signals()}, socket.getdefaulttimeout())
print(sys.path, [type(one).__name__ for one in sys.meta_path], sys.excepthook, threading.excepthook, len(os.listdir("/proc/self/task")))
"""

TORCH_USED = """
import torch, numpy, random
print(torch.get_num_threads(), torch.get_num_interop_threads(), torch.get_default_dtype(), torch.is_grad_enabled())
torch.manual_seed(5)
print(torch.initial_seed(), torch.randn(3).tolist(), torch.random.get_rng_state().sum().item(), torch.are_deterministic_algorithms_enabled())
x = torch.ones(512, 512, requires_grad=True)
(x @ x).sum().backward()
print(x.grad.sum().item(), torch.linalg.inv(torch.eye(64) * 2).sum().item(), torch.fft.fft(torch.ones(64)).real.sum().item())
model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 26 * 26, 10))
optimizer = torch.optim.Adam(model.parameters())
for step in range(3):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(torch.randn(8, 1, 28, 28)), torch.arange(8))
    loss.backward()
    optimizer.step()
    print(step, f"{loss.item():.5f}")
numpy.random.seed(1), random.seed(1)
print(numpy.random.rand(), random.random(), numpy.ones((300, 300)).dot(numpy.ones((300, 300))).sum())
import os
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter(os.environ["EM_TENSORBOARD_LOG_DIR"]) as writer:
    writer.add_scalar("x", 1.0, 0)
print(sorted(name.split(".")[0] for name in os.listdir(os.environ["EM_TENSORBOARD_LOG_DIR"])))
torch.save(model.state_dict(), os.environ["EM_MODEL_DIR"] + "/model.pt")
print(torch.load(os.environ["EM_MODEL_DIR"] + "/model.pt", weights_only=True)["3.bias"].shape)
os.remove(os.environ["EM_MODEL_DIR"] + "/model.pt")
torch.manual_seed(3)
print(torch.rand(2).tolist())
"""

LOADER = """
import torch
from torch.utils.data import DataLoader, Dataset
class Squares(Dataset):
    def __len__(self): return 32
    def __getitem__(self, index):
        if index == FAILS: raise ValueError("a bad one")
        return torch.tensor(index ** 2), torch.utils.data.get_worker_info().id
torch.manual_seed(5)
try:
    print(*[(part.tolist(), worker.tolist()) for part, worker in DataLoader(Squares(), batch_size=8, num_workers=2)], sep="\\n")
except ValueError as error:
    # Where the loader waits then is up to chance, so the whole traceback is not compared.
    raise SystemExit(str(error))
print(*[part.tolist() for part, _ in DataLoader(Squares(), batch_size=8, num_workers=2, shuffle=True, persistent_workers=True)])
"""

TENSORFLOW_USED = """
import tensorflow as tf, tf_keras
print(tf.__version__, tf.config.threading.get_intra_op_parallelism_threads(), tf.executing_eagerly())
tf.random.set_seed(1)
print(tf.random.uniform([3]).numpy().tolist(), tf.linalg.matmul(tf.ones((64, 64)), tf.ones((64, 64))).numpy().sum())
tf_keras.utils.set_random_seed(1)
model = tf_keras.Sequential([tf_keras.layers.Dense(8, activation="relu"), tf_keras.layers.Dense(1)])
model.compile("adam", "mse")
print(["%.5f" % value for value in model.fit(tf.ones((32, 4)), tf.ones((32, 1)), epochs=2, verbose=0).history["loss"]])
@tf.function
def double(x):
    return x * 2
print(double(tf.constant(2)).numpy())
"""

ENDS = {
    "none": ("import sys; sys.exit(None)", 0),
    "zero": ("import sys; sys.exit(0)", 0),
    "three": ("import sys; sys.exit(3)", 3),
    "true": ("import sys; sys.exit(True)", 1),
    "minus-one": ("import sys; sys.exit(-1)", 255),
    "above-a-byte": ("import sys; sys.exit(256 + 4)", 4),
    "huge": ("import sys; sys.exit(1 << 70)", 255),
    "like-a-signal": ("import sys; sys.exit(137)", -9),
    "text": ("import sys; sys.exit('a text')", 1),
    "object": ("import sys; sys.exit((1, 'two'))", 1),
    "raise-class": ("raise SystemExit", 0),
    "own-subclass": ("class End(SystemExit):\n    code = 9\nraise End(4)", 9),
    "quit": ("quit(5)", 5),
    "exit-at-once": ("import os; print('x'); os._exit(6)", 6),
    "abort": ("import os; os.abort()", -6),
    "killed": ("import os; os.kill(os.getpid(), 9)", -9),
    "terminated": ("import os; os.kill(os.getpid(), 15)", -15),
    "segmentation": ("import ctypes; ctypes.string_at(0)", -11),
    "real-time-signal": ("import os; os.kill(os.getpid(), 40)", 168),
    "keyboard": ("raise KeyboardInterrupt", -2),
    "interrupted": ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -2),
    "exec": ("import os; os.execv('/bin/sh', ['sh', '-c', 'echo another; exit 8'])", 8),
    "in-a-function": (
        "import sys\ndef f():\n    try:\n        sys.exit(3)\n    finally:\n        print('finally')\nf()",
        3,
    ),
    "with-context": ("import sys\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    sys.exit(7)", 7),
    "in-a-thread": (
        "import sys, threading\nt = threading.Thread(target=sys.exit, args=(3,))\nt.start()\nt.join()\nprint('on')",
        0,
    ),
    "group-killed": ("import os; os.killpg(0, 9)", -9),
}

FAILURES = {
    "uncaught": "def f(x):\n    return 1 / x\nprint('before')\nf(0)",
    "chained": "try:\n    {}['a']\nexcept KeyError:\n    int('x')",
    "cause": "def f():\n    raise OSError(2, 'no')\ntry:\n    f()\nexcept OSError as error:\n    raise ValueError('why') from error",
    "hidden-context": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError from None",
    "group": "raise ExceptionGroup('many', [ValueError(1), TypeError('two')])",
    "note": "error = ValueError('x')\nerror.add_note('a note')\nraise error",
    "recursion": "def f():\n    f()\ntry:\n    f()\nexcept RecursionError as error:\n    raise RecursionError(str(error)) from None",
    "assertion": "assert 1 == 2, 'one is not two'",
    "syntax": "print('never')\nfor x in\n",
    "indentation": "if True:\nprint(1)",
    "not-utf-8": b"x = 1\nprint('\xff')\n",
    "null-byte": b"print('a')\nprint('\0')\n",
    "unknown-coding": "# -*- coding: nonsense -*-\nprint(1)",
    "missing-module": "import nothing_of_that_name",
    "in-a-module": "import helper",
    "syntax-in-a-module": "import broken",
    "hook": "import sys\nsys.excepthook = lambda kind, value, trace: print('hook', kind, value, trace.tb_lineno, sys.exc_info())\n1 / 0",
    "hook-fails": "import sys\ndef hook(*_):\n    raise TypeError('the hook')\nsys.excepthook = hook\n1 / 0",
    "hook-exits": "import sys\nsys.excepthook = lambda *_: sys.exit(1)\n1 / 0",
    "atexit": "import atexit\natexit.register(print, 'at the end')\n1 / 0",
    "unprintable": "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd",
    "logged": "import logging\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('said')\nraise SystemExit(1)",
    "warning-as-error": "import warnings\nwarnings.simplefilter('error')\nwarnings.warn('now')",
    "no-stderr": "import sys\nsys.stderr = None\n1 / 0",
    "closed-stderr": "import sys\nsys.stderr.close()\n1 / 0",
}

CODE = {
    "main-guard": "def main():\n    print('ran')\nif __name__ == '__main__':\n    main()",
    "modules-beside": "import helper2, package.inner, package\nprint(helper2.WORD, package.inner.WORD, package.__path__, __import__('sys').path[0])",
    "relative-open": "print(open('data.txt').read(), open('package/inner.py').read())",
    "runpy": "import runpy\nprint(runpy.run_module('helper2')['WORD'], runpy.run_path('helper2.py', run_name='x')['__name__'])",
    "source": "import inspect, __main__\ndef f(x):\n    return x  # a remark\nprint(inspect.getsource(f), inspect.getsourcefile(f), inspect.getmodule(f) is __main__)",
    "byte-order-mark": b"\xef\xbb\xbfprint('a mark')\n",
    "coding-cookie": "# -*- coding: latin-1 -*-\nprint('é')\n".encode("latin-1"),
    "windows-lines": b"x = '''a\r\nb'''\r\nprint(repr(x))\r\n",
    "no-last-line-end": b"print('last')",
    "empty": b"",
    "future": "from __future__ import annotations\ndef f(x: no_such_name): pass\nx: nothing = 1\nprint(f.__annotations__, __annotations__)",
    "no-future": "def f(x: int): pass\ny: int = 1\nprint(f.__annotations__, __annotations__)",
    "pickle": "import pickle\nclass A:\n    def __init__(self): self.x = 1\nprint(pickle.dumps(A(), 0), pickle.loads(pickle.dumps(A())).x, A)",
    "unicode-module": "import ünïcode\nprint(ünïcode.WORD)",
    "reload": "import importlib, helper2\nopen('helper2.py', 'w').write('WORD = \"changed now\"')\nimportlib.invalidate_caches()\nprint(importlib.reload(helper2).WORD)",
    "written-module": "open('made.py', 'w').write('WORD = 3')\nimport made\nprint(made.WORD, made.__file__)",
    "shadowing": "import json, queue2\nprint(queue2.WORD, json.__file__)",
    "deleted-script": "import os\nos.remove(__file__)\ndef f():\n    1 / 0\ntry:\n    f()\nexcept ZeroDivisionError:\n    import traceback; traceback.print_exc()",
    "subprocess": "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import sys, os; print(sys.argv, sorted(os.environ)); sys.exit(3)', 'a'], capture_output=True))",
    "subprocess-inherits": "import subprocess\nsubprocess.run(['sh', '-c', 'echo out; echo err >&2; ls /proc/self/fd | wc -l; ulimit -n'])",
    "warnings": "import warnings, helper3\nwarnings.warn('mine')\nwarnings.warn('old', DeprecationWarning)\nhelper3.f()\nhelper3.f()",
    "logging": "import logging\nlogging.warning('before')\nlogging.basicConfig(level=10, format='%(name)s %(filename)s %(lineno)d %(message)s %(processName)s %(threadName)s')\nlogging.getLogger('x').debug('x %d', 1)\nlogging.info('relative')",
    "relative-time": "import logging, sys\nlogging.basicConfig(format='%(relativeCreated)d')\nr = logging.LogRecord('x', 10, 'x', 1, 'x', (), None)\nprint(r.relativeCreated < 5000)",
    "argparse": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--x', type=int)\np.parse_args(['--y'])",
    "exec": "exec(compile('print(__name__, __file__)', 'x', 'exec'))\nprint(eval('__name__'))",
    "global-of-thread": "import threading\nx = 1\ndef f():\n    global x\n    x += 1\nt = threading.Thread(target=f)\nt.start()\nt.join()\nprint(x, threading.active_count())",
    "recursion": "def f(n):\n    return n and f(n - 1)\nprint(f(900))",
    "asyncio": "import asyncio\nasync def f():\n    p = await asyncio.create_subprocess_exec('echo', 'of a child')\n    return await p.wait()\nprint(asyncio.run(f()))",
    "alarm": "import signal\nsignal.signal(signal.SIGALRM, lambda *_: print('rang'))\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\nsignal.pause()",
    "executors": "from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\nif __name__ == '__main__':\n    for kind in (ProcessPoolExecutor, ThreadPoolExecutor):\n        with kind(2) as pool:\n            print(list(pool.map(abs, [-1, -2])))",
}

BESIDE = {
    "helper.py": "def f():\n    raise RuntimeError('in a module')\nf()\n",
    "broken.py": "x = (\n",
    "helper2.py": "WORD = 'beside'\n",
    "helper3.py": "import warnings\ndef f():\n    warnings.warn('of the caller', stacklevel=2)\n",
    "queue2.py": "WORD = 'mine'\n",
    "ünïcode.py": "WORD = 'ä'\n",
    "package/__init__.py": "",
    "package/inner.py": "from . import other\nWORD = other.WORD\n",
    "package/other.py": "WORD = 'inner'\n",
    "data.txt": "data",
}

AT_THE_END = {
    "thread-outlives": "import threading, time\ndef f():\n    time.sleep(0.5)\n    print('of the thread')\nthreading.Thread(target=f).start()\nprint('main ends')",
    "daemon-thread": "import threading, time\ndef f():\n    time.sleep(60)\n    print('never')\nthreading.Thread(target=f, daemon=True).start()\nprint('main ends')",
    "thread-fails": "import threading\ndef f():\n    1 / 0\nthreading.Thread(target=f, name='mine').start()",
    "thread-starts-thread": "import threading, time\ndef g():\n    time.sleep(0.2)\n    print('second')\ndef f():\n    time.sleep(0.2)\n    threading.Thread(target=g).start()\nthreading.Thread(target=f).start()",
    "atexit-order": "import atexit\nfor n in range(3):\n    atexit.register(print, n)\nprint('main ends')",
    "atexit-after-threads": "import atexit, threading, time\natexit.register(print, 'at exit')\ndef f():\n    time.sleep(0.3)\n    print('thread')\nthreading.Thread(target=f).start()",
    "atexit-fails": "import atexit\ndef bad():\n    raise ValueError('at the end')\natexit.register(print, 'still')\natexit.register(bad)",
    "atexit-exits": "import atexit, sys\ndef end():\n    sys.exit(5)\natexit.register(end)",
    "open-file": "import os\nfile = open(os.environ['EM_MODEL_DIR'] + '/left.txt', 'w')\nfile.write('not closed')",
    "open-file-in-a-class": "import os\nclass A:\n    def __init__(self):\n        self.file = open(os.environ['EM_MODEL_DIR'] + '/left.txt', 'w')\n        self.me = self\na = A()\na.file.write('not closed')",
    "open-file-in-a-module": "import os\nimport helper2\nhelper2.file = open(os.environ['EM_MODEL_DIR'] + '/left.txt', 'w')\nhelper2.file.write('not closed')",
    "open-file-after-failure": "import os\ndef f():\n    file = open(os.environ['EM_MODEL_DIR'] + '/left.txt', 'w')\n    file.write('not closed')\n    1 / 0\nf()",
    "destructor": "import os\nclass A:\n    def __del__(self):\n        print('gone', os.getcwd() != '', name)\nname = 'a name'\na = A()\n_b = A()",
    "destructor-of-a-cycle": "class A:\n    def __del__(self):\n        print('gone', word)\nword = 'x'\na = A()\na.a = a",
    "generator": "def f():\n    try:\n        yield 1\n    finally:\n        print('closed')\ng = f()\nnext(g)",
    "finalizer": "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'finalized')",
    "temporary-folder": "import tempfile, os\nfolder = tempfile.TemporaryDirectory(dir=os.environ['EM_MODEL_DIR'])\nopen(folder.name + '/x', 'w')",
    "redirected-output": "import os, sys\nsys.stdout = open(os.environ['EM_MODEL_DIR'] + '/out.txt', 'w')\nprint('into a file')",
    "closed-output": "import sys\nprint('last')\nsys.stdout.close()",
    "all-descriptors-closed": "import os\nprint('before', flush=True)\nos.closerange(0, 4096)\nopen(os.environ['EM_MODEL_DIR'] + '/after.txt', 'w').write('still runs')\nos._exit(3)",
    "descriptors-closed-and-end": "import os\nos.closerange(0, 4096)",
    "own-session": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    print('in a session')\n    os._exit(0)\nos.wait()\nos.setpgid(0, 0)\nprint('in a group', os.getpgrp() == os.getpid())",
    "leaves-a-process": "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\nprint('main ends')",
    "leaves-a-session": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(300)\nprint('main ends')",
    "zombies": "import os\nfor n in range(3):\n    if os.fork() == 0:\n        os._exit(n)\nprint('not waited for')",
    "forked-child-returns": "import os\npid = os.fork()\nif pid:\n    os.wait()\nprint('child' if pid == 0 else 'parent')",
    "pool-left-open": "import multiprocessing\nif __name__ == '__main__':\n    pool = multiprocessing.Pool(2)\n    print(pool.map(abs, [-1]))",
}

PROCESSES = """
import multiprocessing, os, sys, time
def work(x):
    if x == 13:
        raise ValueError("unlucky")
    return x * x, __name__, os.getcwd(), multiprocessing.current_process().name.split("-")[0], sys.argv
def put(queue, lock, value):
    with lock:
        value.value += 1
    queue.put(os.getcwd())
if __name__ == "__main__":
    context = multiprocessing.get_context("METHOD")
    with context.Pool(2) as pool:
        print(pool.map(work, range(3)))
        try:
            pool.apply(work, (13,))
        except ValueError as error:
            print(type(error.__cause__), error.__cause__)
    queue, lock, value = context.Queue(), context.Lock(), context.Value("i", 0)
    children = [context.Process(target=put, args=(queue, lock, value)) for _ in range(2)]
    [child.start() for child in children]
    print([queue.get() for _ in children], [child.join() for child in children], value.value, [child.exitcode for child in children])
    child = context.Process(target=work, args=(13,), name="fails")
    child.start(), child.join()
    print(child.exitcode, multiprocessing.active_children(), multiprocessing.parent_process())
    with context.Manager() as manager:
        shared = manager.dict()
        shared["a"] = 1
        print(dict(shared))
"""

LONG = {f"name{number:02}": chr(97 + number % 26) * 1000 for number in range(100)}

SAME = {
    "interpreter": Script(INTERPRETER, says="names ['__name__'"),
    "streams": Script(STREAMS, says="of a C library"),
    "process": Script(
        PROCESS, says="CapEff", fields=parameters(lr="0.1", **{"batch-size": "4", "日本": "ü 語", "a.b": "'\"$x"})
    ),
    "modules of torch": Script(
        MODULES.replace("IMPORT", "import numpy, torch, torch._dynamo, torch.utils.tensorboard"), says="torch.nn"
    ),
    "modules of tensorflow": Script(
        MODULES.replace("IMPORT", "import numpy, tensorflow"), says="TF2_BEHAVIOR", fields=TENSORFLOW
    ),
    "interpreter of tensorflow": Script(INTERPRETER, says="names ['__name__'", fields=TENSORFLOW),
    "streams of tensorflow": Script(STREAMS, says="of a C library", fields=TENSORFLOW),
    "torch": Script(TORCH_USED, says="torch.float32 True"),
    "torch on two": Script(TORCH_USED, says="torch.float32 True", fields=TORCH_ON_TWO),
    "tensorflow": Script(TENSORFLOW_USED, says="2.21", fields=TENSORFLOW),
    "loader": Script(LOADER.replace("FAILS", "-1"), says="[0, 1, 4"),
    "loader that fails": Script(LOADER.replace("FAILS", "20"), 1, says="a bad one"),
    "long parameters": Script(
        "import os, sys; print(sys.argv, os.environ['EM_HPS'])", says="zzzz", fields=parameters(**LONG)
    ),
    "odd arguments": Script(
        "import sys; print(sys.argv)",
        fields=parameters(a="", b="a\nb", c="-x", d="日本 \U0001f600", e="$HOME `x` \\"),
        says="日本",
    ),
    "entry in a folder": Script(
        "import sys, os, helper\nprint(sys.argv, sys.path[0], __file__, os.getcwd(), helper.WORD)",
        files={"code/helper.py": "WORD = 'found'"},
        fields={"entryPoint": "code/train.py"},
        says="found",
    ),
    "ten megabytes": Script(
        "for n in range(100_000):\n    print(f'{n:06}', 'x' * 93)\nimport sys; print('end', file=sys.stderr)",
        says="099999",
    ),
    "out of memory": Script("x = []\nwhile True:\n    x.append(bytearray(b'x') * (16 << 20))", -9),
    **{f"end {name}": Script(text, code) for name, (text, code) in ENDS.items()},
    **{f"failure {name}": Script(text, 1, files=BESIDE) for name, text in FAILURES.items()},
    **{f"code {name}": Script(text, 2 if name == "argparse" else 0, files=BESIDE) for name, text in CODE.items()},
    **{
        f"at the end {name}": Script(
            text, {"open-file-after-failure": 1, "all-descriptors-closed": 3}.get(name, 0), files=BESIDE
        )
        for name, text in AT_THE_END.items()
    },
    **{
        f"processes by {method}": Script(PROCESSES.replace("METHOD", method), says="unlucky")
        for method in ("fork", "spawn", "forkserver")
    },
}


@pytest.mark.parametrize("name", SAME)
def test_same(pairs, name):
    cold, warm = pairs[name]
    expected, result = seen(cold), seen(warm)
    assert how(cold) == "cold: switched off" and how(warm).startswith("forked from "), (how(cold), how(warm))
    assert expected["exit"] == SAME[name].exit, expected
    said = "\n".join(expected["stdout"] + expected["stderr"])
    assert SAME[name].says in said, said
    for part in expected:
        # Shortly: pytest takes minutes to compare what some of these print.
        same = result[part] == expected[part]
        assert same, f"{part}: {difference(expected[part], result[part])}"


def difference(one, other) -> str:
    if not isinstance(one, list):
        return f"{one!r} became {other!r}"
    missing, new = [line for line in one if line not in other], [line for line in other if line not in one]
    return "\n".join([""] + [f"- {line[:500]}" for line in missing[:20]] + [f"+ {line[:500]}" for line in new[:20]])


# MARK: - What is not the same

DIFFERENCES = """
import json, os, sys
early = sorted(name for name in ("torch", "numpy") if name in sys.modules)
depth = 0
frame = sys._getframe()
while frame := frame.f_back:
    depth += 1
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
print(json.dumps({"imported": early, "frames": depth, "hash": hash("a text"), "parent": os.getppid(), "processes": len(processes),
    "bounding": int(status["CapBnd"], 16), "resident": int(status["VmRSS"].split()[0]) >> 10}))
"""


@pytest.fixture(scope="module")
def differences(twins):
    cold, warm = twins
    runs = [api.train(DIFFERENCES, image="pytorch") for api in (cold, cold, warm, warm)]
    return [json.loads(ended(run).printed()[0]) for run in runs]


def test_modules_are_there_before_the_first_line(differences):
    cold, _, warm, _ = differences
    assert cold["imported"] == [] and warm["imported"] == ["numpy", "torch"]


def test_seed_of_hashes_is_shared(differences):
    """Python chooses it when it starts. `PYTHONHASHSEED` is not set in either."""
    first, second, third, fourth = [one["hash"] for one in differences]
    assert first != second and third == fourth


def test_frames_below_the_script(differences):
    """They count towards the recursion limit, and show where a script prints its whole stack."""
    cold, _, warm, _ = differences
    assert cold["frames"] == 0 and 0 < warm["frames"] < 10


def test_parent_and_processes(differences):
    """The parent is outside the sandbox; two processes are there before: bubblewrap's and one that keeps the sandbox."""
    cold, _, warm, _ = differences
    assert (cold["parent"], cold["processes"]) == (1, 2) and (warm["parent"], warm["processes"]) == (0, 3)


def test_capabilities_that_could_be_had(differences):
    """Of no effect, since none can be had in either; a cold start's stay in the bounding set where the server is root."""
    _, _, warm, _ = differences
    assert warm["bounding"] == 0


def test_framework_counts_once(differences):
    """The pages of the framework are the warm interpreter's, and do not count towards the run's memory until it writes there."""
    cold, _, warm, _ = differences
    assert cold["resident"] < 40 and warm["resident"] > 100


def test_variables_of_an_import(twins):
    """What TensorFlow sets when it is imported is set before the script imports it."""
    script = "import os; print(sorted(os.environ))"
    cold, warm = [set(eval(ended(api.train(script, image="tensorflow")).printed()[0])) for api in twins]
    assert (
        cold < warm
        and "TF2_BEHAVIOR" in warm
        and not [name for name in warm - cold if name.startswith(("EM_", "PYTHON"))]
    )


def test_variable_of_pytorchs_compiler(twins):
    """It is imported in a warm interpreter, since every optimiser imports it; its variable comes when it is used."""
    script = "import os, sys, torch; print('TORCHINDUCTOR_CACHE_DIR' in os.environ, 'torch._dynamo' in sys.modules)"
    cold, warm = [ended(api.train(script, image="pytorch")).printed()[0] for api in twins]
    assert (cold, warm) == ("False False", "False True")


def test_messages_of_an_import(twins):
    """They are in the log of the warm interpreter, HOME/warm/….log, and not in the run's."""
    cold, warm = [ended(api.train("import tensorflow", image="tensorflow")) for api in twins]
    assert any("cpu_feature_guard" in line for line in cold.lines()) and warm.lines() == []
    logs = [log.read_text() for log in (warm.api.server.home / "warm").glob("*.log")]
    assert any("cpu_feature_guard" in log for log in logs)


def test_files_that_an_import_writes(twins):
    """Keras writes its settings to HOME when it is imported: neither into the run's, nor into that of the server's user."""
    script = "import os, tensorflow, keras; print(os.listdir(os.environ['HOME']), keras.config.backend(), keras.src.backend.config._KERAS_DIR)"
    cold, warm = [ended(api.train(script, image="tensorflow")) for api in twins]
    cold, warm = plain(cold, cold.printed()[0]), plain(warm, warm.printed()[0])
    assert "['.keras']" in cold and warm == cold.replace("['.keras']", "[]")


def test_exit_handlers_of_c_libraries(twins):
    """They are left out, as is the rest of taking a framework apart. What C libraries have buffered is written."""
    script = (
        "import ctypes; libc = ctypes.CDLL(None); libc.__cxa_atexit(libc.abort, None, None); libc.printf(b'written')"
    )
    cold, warm = [ended(api.train(script, image="pytorch")) for api in twins]
    assert cold.read()["exitCode"] == -6
    assert warm.read()["exitCode"] == 0 and warm.printed() == ["written"]


def test_signal_to_the_own_group(twins):
    """It also reaches the leader of the group: bubblewrap ends by it and takes the program along, a warm image's does not."""
    script = "import os, signal, time\nsignal.signal(15, lambda *_: print('handled'))\nos.killpg(0, 15)\ntime.sleep(1)"
    cold, warm = [ended(api.train(script, image="pytorch")) for api in twins]
    assert cold.read()["exitCode"] == -15
    assert warm.read()["exitCode"] == 0 and warm.printed() == ["handled"]


# MARK: - Runs beside each other

CHANCE = """
import json, multiprocessing, numpy, os, random, secrets, tempfile, torch, uuid
print(json.dumps([random.random(), numpy.random.rand(), numpy.random.default_rng().random(), str(uuid.uuid4()), secrets.token_hex(),
    os.urandom(4).hex(), torch.initial_seed(), torch.rand(1).item(), multiprocessing.current_process().authkey.hex(),
    tempfile.mktemp(), torch.utils.data.DataLoader([1])._index_sampler.sampler.__class__.__name__ + str(torch.randperm(99).tolist())]))
"""


def test_chance(warm: API):
    first, second = [
        json.loads(ended(run).printed()[0]) for run in [warm.train(CHANCE, image="pytorch") for _ in range(2)]
    ]
    assert not [pair for pair in zip(first, second) if pair[0] == pair[1]]


def test_chance_of_tensorflow(warm: API):
    script = """
import json, numpy, tensorflow as tf, tf_keras
print(json.dumps([float(tf.random.uniform([])), float(tf.random.get_global_generator().uniform([])), numpy.random.rand(),
    float(tf.reduce_sum(tf_keras.layers.Dense(4).build((None, 4)) or tf_keras.initializers.GlorotUniform()((4, 4)))),
    float(tf.reduce_sum(tf.keras.initializers.GlorotUniform()((4, 4))))]))
"""
    first, second = [
        json.loads(ended(run).printed()[0]) for run in [warm.train(script, **TENSORFLOW) for _ in range(2)]
    ]
    assert not [pair for pair in zip(first, second) if pair[0] == pair[1]]


def test_two_runs_see_nothing_of_each_other(warm: API):
    first = warm.train(
        """
import os, sys, time, torch, logging
open("/tmp/mine", "w").write("x"), open("/dev/shm/mine", "w").write("x")
os.environ["MINE"] = "x"
torch.mine = sys.mine = 1
torch.manual_seed(1)
logging.root.setLevel(10)
sys.modules["mine"] = torch
print("ready", flush=True)
time.sleep(60)
""",
        image="pytorch",
        **parameters(marker=(marker := unique("neighbour"))),
    )
    first.wait_line("ready")
    second = warm.train(
        f"""
import os, sys, logging, torch
print(os.path.exists("/tmp/mine"), os.path.exists("/dev/shm/mine"), "MINE" in os.environ, hasattr(torch, "mine"), hasattr(sys, "mine"),
    "mine" in sys.modules, logging.root.level, torch.initial_seed() == 1, sys.argv)
print([pid for pid in os.listdir("/proc") if pid.isdigit() and {marker!r} in open(f"/proc/{{pid}}/cmdline").read()])
""",
        image="pytorch",
    )
    ended(second)
    assert how(first).startswith("forked") and how(second).startswith("forked")
    assert second.printed() == ["False False False False False False 30 False ['train.py']", "[]"]
    first.stop()
    first.wait("STOPPED")


def test_stop_saves_a_checkpoint(twins):
    script = """
import os, signal, sys, time
def save(*_):
    time.sleep(0.5)
    open(os.environ["EM_CHECKPOINT_DIR"] + "/last.txt", "w").write("saved in time")
    print("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready")
while True:
    time.sleep(60)
"""
    for training in [api.train(script, image="pytorch") for api in twins]:
        training.wait_line("ready")
        training.stop()
        stopped = training.wait("STOPPED")
        assert training.printed() == ["ready", "saved"] and stopped["exitCode"] == 0
        assert training.api.download(f"{training.folder}/checkpoint/last.txt") == b"saved in time"


def test_stop_without_a_handler(twins):
    for training in [api.train("import time; print('ready'); time.sleep(60)", image="pytorch") for api in twins]:
        training.wait_line("ready")
        start = time.monotonic()
        training.stop()
        assert training.wait("STOPPED")["exitCode"] == -15 and time.monotonic() - start < 5


def test_stop_ends_what_does_not_listen(warm: API):
    marker = unique("deaf")
    script = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
print("ready")
time.sleep(300)
"""
    training = warm.train(script, image="pytorch", **parameters(marker=marker))
    training.wait_line("ready")
    start = time.monotonic()
    training.stop()
    training.wait("STOPPED", timeout=20)
    assert 8 < time.monotonic() - start < 15
    assert not marked(marker)


# MARK: - The sandbox


def test_sandbox_is_the_same(twins):
    runs = [api.train(SANDBOX, image="pytorch", **parameters(home=str(api.server.home))) for api in twins]
    cold, warm = [seen(run) for run in runs]
    assert cold["exit"] == 0 and "FileNotFoundError" in cold["stdout"][2], cold
    assert warm == cold, difference(cold["stdout"], warm["stdout"])


def test_interpreter_cannot_be_reached(warm: API):
    """Neither its folder, nor its socket, nor itself."""
    script = """
import os, socket, sys
folder, sock, pid = sys.argv[2], sys.argv[4], int(sys.argv[6])
print(os.path.exists(folder), os.path.exists(sock), os.path.exists(f"/proc/{pid}"))
try:
    socket.socket(socket.AF_UNIX).connect(sock)
except OSError as error:
    print(type(error).__name__)
print([name for name in os.listdir("/proc/self/fd") if int(name) > 2 and os.path.exists(f"/proc/self/fd/{name}")])
# The one who tells of the end, and whom it would have to be asked through, is outside of what it sees.
for number in range(1, 200):
    try:
        if number != os.getpid() and b"warm.py" in open(f"/proc/{number}/cmdline", "rb").read():
            print("sees", number)
    except OSError:
        pass
for number in (os.getppid(), pid):
    try:
        os.kill(number, 0) if number else print("no parent")
    except OSError as error:
        print(type(error).__name__)
print(open("/proc/self/cmdline").read().count("warm.py"), [line for line in open("/proc/self/environ").read().split("\\0") if folder in line and not line.startswith("EM_HP")])
"""
    [sock, *_] = (warm.server.home / "warm").glob("*.sock")
    where = parameters(folder=str(sock.parent), sock=str(sock), pid=str(ready(warm.server)[0]))
    training = ended(warm.train(script, image="pytorch", **where))
    assert how(training).startswith("forked")
    assert training.printed() == [
        "False False False",
        "FileNotFoundError",
        "[]",
        "no parent",
        "ProcessLookupError",
        "0 []",
    ]


def test_interpreter_is_for_the_servers_user_only(warm: API):
    folder = warm.server.home / "warm"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(psutil.Process(pid).cwd().startswith(str(folder)) for pid in ready(warm.server))


# MARK: - When a run starts cold


def test_cold_where_a_fork_is_of_no_use(warm: API):
    plain_python = warm.train("print('hi')", image="python")
    torchrun = warm.train(
        "import os; print(os.environ['LOCAL_RANK'])", image="pytorch", useTorchrun=True, nprocPerNode=1
    )
    assert "has nothing to import first" in how(ended(plain_python)) and plain_python.printed() == ["hi"]
    assert how(ended(torchrun)) == "cold: torchrun starts interpreters of its own" and torchrun.printed() == ["0"]


def test_cold_with_other_variables(warm: API):
    """A library may read them while it is imported: who has other vCPUs has another interpreter."""
    kind = {"image": "pytorch", "flavor": "m2.c4m8"}
    warm_up(warm, kind)
    assert how(ended(warm.train("pass", **kind))).startswith("forked")
    assert how(ended(warm.train("pass", image="pytorch"))).startswith("forked")


def wheel(name: str, files: dict[str, str]) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = f"{name}-1.0.dist-info"
        files = {
            **files,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{info}/RECORD": "",
        }
        files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        for path, text in files.items():
            # Without a time: what is installed once is found again by its content.
            archive.writestr(zipfile.ZipInfo(path), text)
    return content.getvalue()


def with_requirements(name: str, files: dict[str, str]) -> dict[str, str | bytes]:
    file = f"{name}-1.0-py3-none-any.whl"
    return {"requirements.txt": f"./{file}\n", file: wheel(name, files)}


def test_packages_of_a_training_stay_in_the_sandbox(warm: API):
    """An interpreter stands outside it, and a package may bring a `.pth` file, which any interpreter runs at its start."""
    # The sandbox has a /tmp of its own. One text for all times, so that the environment is made once.
    witness = Path("/tmp/takumi-package-outside-its-sandbox")
    witness.unlink(missing_ok=True)
    files = with_requirements(
        "takumi_warm_probe",
        {
            "takumi_warm_probe.py": "WORD = 'installed'\n",
            "takumi_warm_probe.pth": f"import sys; open({str(witness)!r}, 'w').close()\n",
        },
    )
    script = "import takumi_warm_probe, torch; print(takumi_warm_probe.WORD)"
    for _ in range(2):
        training = warm.train(script, files, image="pytorch")
        training.wait(timeout=180)
        assert training.printed() == ["installed"]
        # Longer than an interpreter takes to start.
        time.sleep(1)
        assert not witness.exists(), "a package of a training has run outside the sandbox"
    assert how(training).startswith("cold: ") and "requirements.txt" in how(training), how(training)


def test_damaged_environment(warm: API, make_server, tmp_path):
    """Where a module cannot be imported, runs start cold and say so, and the script finds out by itself."""
    image = Path(ended(warm.train("import sys; print(sys.prefix)", image="pytorch")).printed()[0])
    copies = tmp_path / "environments"
    copies.mkdir()
    subprocess.run(["cp", "-al", image, copies], check=True)
    packages = copies / image.name / "lib/python3.11/site-packages"
    (packages / "damage.pth").write_text("import sys; sys.modules['torch.utils.tensorboard'] = None\n")
    api = API(make_server(TAKUMI_ENVIRONMENTS=str(copies)))
    first = ended(api.train("print('ran')", image="pytorch"))
    eventually(
        lambda: [state["state"] for state in states(api.server)] == ["unusable"], lambda: f"{states(api.server)}"
    )
    second = ended(api.train("print('ran')", image="pytorch"))
    assert how(second).startswith("cold: torch.utils.tensorboard could not be imported: ModuleNotFoundError"), how(
        second
    )
    assert first.printed() == second.printed() == ["ran"]


# MARK: - The interpreter alone

INTERPRETERS = "Python/takumi_runtime/warm.py"


def alone(folder: Path, idle: float, *modules: str, **files: str) -> subprocess.Popen:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return subprocess.Popen(
        ["python3", REPOSITORY / INTERPRETERS, folder / "prefix", str(idle), *modules],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)},
    )


def recorded(folder: Path) -> dict:
    return json.loads((folder / "prefix.json").read_text())


def test_idle_interpreter_ends(tmp_path):
    process = alone(tmp_path, 1, "json")
    assert process.wait(10) == 0
    assert not (tmp_path / "prefix.json").exists()


def test_only_one_of_two_stays(tmp_path):
    first = alone(tmp_path, 30, "json")
    eventually(lambda: (tmp_path / "prefix.json").exists() and recorded(tmp_path)["state"] == "ready", "it is ready")
    second = alone(tmp_path, 30, "json")
    assert second.wait(10) == 0 and first.poll() is None and recorded(tmp_path)["pid"] == first.pid
    # Who removes its file ends it.
    (tmp_path / "prefix.json").unlink()
    assert first.wait(5) == 0


@pytest.mark.parametrize(
    "text, reason",
    [
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
            "starts threads",
        ),
        ("raise ValueError('one\\ntwo')", "broken could not be imported: ValueError: one"),
        ("raise SystemExit(3)", "broken could not be imported: SystemExit: 3"),
        ("import nothing_of_that_name", "broken could not be imported: ModuleNotFoundError"),
        (
            "import os, sys\nif True:\n    class torch:\n        ones = staticmethod(lambda *_, **__: 1 / 0)\n    sys.modules['torch'] = torch",
            "does not work in a fork",
        ),
    ],
)
def test_unusable_interpreter(tmp_path, text, reason):
    process = alone(tmp_path, 30, "broken", broken=text)
    assert process.wait(20) == 0
    assert recorded(tmp_path)["state"] == "unusable" and reason in recorded(tmp_path)["reason"], recorded(tmp_path)


# MARK: - Faults

SLEEPER = """
import sys, time
print("ready")
time.sleep(float(sys.argv[4]))
print("slept")
"""


def marked(marker: str) -> list[psutil.Process]:
    return find_processes(lambda words: marker in words)


def sleeper(api: API, seconds: float = 60) -> tuple[Training, str]:
    """A forked run that sleeps, and the marker among its arguments."""
    marker = unique("sleeper")
    training = api.train(SLEEPER, image="pytorch", **parameters(marker=marker, seconds=str(seconds)))
    training.wait_line("ready")
    assert how(training).startswith("forked"), how(training)
    return training, marker


@pytest.fixture
def lone(make_server) -> API:
    """A server with one warm interpreter, for tests that break it."""
    api = API(make_server(config="warmMemoryMiB: 4096\n"))
    warm_up(api, TORCH)
    return api


def test_program_is_shown_as_itself(warm: API):
    """To whoever looks at the machine's processes."""
    training, marker = sleeper(warm)
    [program] = marked(marker)
    words = program.cmdline()
    assert words[0].endswith("/bin/python") and words[1:] == ["train.py", "--marker", marker, "--seconds", "60"]
    assert program.environ()["EM_HP_MARKER"] == marker
    training.stop()
    training.wait("STOPPED")


def test_interpreter_is_killed(lone: API):
    """Runs forked from it go on, and the next one starts cold and leaves another."""
    training, _ = sleeper(lone, 2)
    [interpreter] = ready(lone.server)
    os.kill(interpreter, signal.SIGKILL)
    second = ended(lone.train("print('next')", image="pytorch"))
    assert how(second) == "cold: no interpreter was warm yet" and second.printed() == ["next"]
    assert ended(training).read()["trainingStatusCode"] == "COMPLETE" and training.printed() == ["ready", "slept"]
    eventually(lambda: ready(lone.server) not in ([], [interpreter]), "another interpreter", timeout=30)
    assert how(ended(lone.train("pass", image="pytorch"))).startswith("forked")


def supervisor(training: Training) -> int:
    state = training.api.server.home / "workloads" / training.id / "0" / "state.json"
    return json.loads(state.read_text())["processGroup"]


def agent(training: Training) -> psutil.Process:
    [agent] = [agent for agent in training.api.server.agents() if training.id in agent.cmdline()[2]]
    return agent


def test_supervisor_is_killed(warm: API):
    training, marker = sleeper(warm)
    os.kill(supervisor(training), signal.SIGKILL)
    failed = training.wait("FAIL_TRAIN", timeout=15)
    assert failed["exitCode"] == -9 and "signal 9" in failed["statusReason"], failed
    eventually(lambda: not marked(marker), "the program is gone", timeout=5)


def test_agent_is_killed(warm: API):
    training, marker = sleeper(warm)
    leader = supervisor(training)
    agent(training).kill()
    failed = training.wait("FAIL_TRAIN", timeout=15)
    assert "agent" in failed["statusReason"] and "killed" in failed["statusReason"], failed
    eventually(lambda: not marked(marker) and not psutil.pid_exists(leader), "the program is gone", timeout=5)
    assert how(ended(warm.train("pass", image="pytorch"))).startswith("forked")


def test_bubblewrap_is_killed(warm: API):
    training, marker = sleeper(warm)
    [bubblewrap] = [child for child in agent(training).children() if child.name() == "bwrap"]
    bubblewrap.kill()
    failed = training.wait("FAIL_TRAIN", timeout=15)
    assert failed["exitCode"] == -9, failed
    eventually(lambda: not marked(marker), "the program is gone", timeout=5)


def test_program_is_killed(warm: API):
    training, marker = sleeper(warm)
    marked(marker)[0].kill()
    assert training.wait("FAIL_TRAIN", timeout=15)["exitCode"] == -9


def test_nothing_is_left_of_a_run(warm: API):
    training, marker = sleeper(warm, 0.1)
    leader, own = supervisor(training), agent(training)
    training.wait()
    eventually(lambda: not own.is_running(), "the agent ends", timeout=5)
    assert not marked(marker)
    # The interpreter looks after its children once a second.
    eventually(lambda: not psutil.pid_exists(leader), "the one that told of the end is gone", timeout=5)


def test_server_is_stopped(lone: API):
    """Its interpreters end with it, and runs go on."""
    training, _ = sleeper(lone, 3)
    [interpreter] = ready(lone.server)
    assert lone.server.stop() == 0
    eventually(lambda: not psutil.pid_exists(interpreter), "the interpreter ends", timeout=5)
    assert agent(training).is_running()
    lone.server.start()
    assert training.wait()["exitCode"] == 0 and training.printed() == ["ready", "slept"]
    assert how(ended(lone.train("pass", image="pytorch"))) == "cold: no interpreter was warm yet"


def test_memory_is_given_back(make_server):
    """What is above the bound ends within seconds; runs that were forked from it do not notice."""
    api = API(make_server(config="warmMemoryMiB: 50\n"))
    ended(api.train("pass", image="pytorch"))

    def interpreters():
        return find_processes(
            lambda words: f"{api.server.home}/warm" in " ".join(words) and "warm.py" in " ".join(words)
        )

    eventually(interpreters, "one is started", timeout=10)
    eventually(lambda: not interpreters(), "it is ended again", timeout=20)
    assert how(ended(api.train("pass", image="pytorch"))) == "cold: no interpreter was warm yet"
