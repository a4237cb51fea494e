"""A warm image: an interpreter that has imported a framework, and forks itself for every run.

Started by the agent of a task as `python warm.py PREFIX IDLE_SECONDS MODULE…`, in a session of its own. It leaves three
files: PREFIX.lock, held while it lives; PREFIX.json, what it is doing or why it cannot be used; PREFIX.sock, on which agents
ask for runs. docs/warm-images.md says what a run sees, and why that is what a cold start gives it.

An agent sends a request with the descriptors of standard output and error, then those of the namespaces of a sandbox that
bubblewrap has made. It gets {"supervisor": PID, "program": PID}, and at the end {"status": CODE}.
"""

import ctypes
import fcntl
import gc
import importlib
import importlib.machinery
import io
import json
import os
import select
import signal
import site
import socket
import struct
import sys
import threading
import time
import types
import weakref

PREFIX, IDLE, MODULES = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
# Stand for a run's HOME and its folder while modules are imported: what a module makes of them is found by these names.
STAND_IN = os.path.realpath(f"{PREFIX}.stand-in")
HOME, FOLDER = f"{STAND_IN}/home", f"{STAND_IN}/source"

libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = libc.sbrk.restype = ctypes.c_void_p
run_file = ctypes.pythonapi.PyRun_FileExFlags
run_file.restype = ctypes.py_object
run_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, *[ctypes.py_object] * 2, ctypes.c_int, ctypes.c_void_p]

PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 24, 47, 4
PR_SET_MM, PR_SET_MM_MAP = 35, 14
NS_GET_USERNS = 0xB701
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25
CAPABILITY_VERSION_3 = 0x20080522
FILE_INPUT = 257


class Imported:
    """What importing the modules has left besides themselves."""

    # Variables that they have set, for themselves and for the processes that they start.
    variables: dict = {}
    # Where a name of a module has a path below one of the stand-ins: (names, name).
    places: list = []


class Unusable(Exception):
    """Why nothing can be forked from here: one line for the details of the runs that start cold instead."""


# Becoming warm


def record(state, **more):
    temporary = f"{PREFIX}.json.{os.getpid()}"
    with open(temporary, "w") as file:
        json.dump({"pid": os.getpid(), "state": state, **more}, file)
    os.rename(temporary, f"{PREFIX}.json")


def threads():
    return len(os.listdir("/proc/self/task"))


def stand_in():
    """Lets modules find a home and a folder as empty as a run's are. Without them they would find the server's user's."""
    for folder, folders, files in os.walk(STAND_IN, topdown=False):
        for name in files:
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    os.makedirs(HOME)
    os.makedirs(FOLDER)
    os.chdir(FOLDER)
    sys.path[0] = FOLDER
    os.environ["HOME"] = HOME
    site.USER_BASE = site.USER_SITE = None
    site.getusersitepackages()


def import_modules():
    before = dict(os.environ)
    known = 1
    for name in MODULES:
        try:
            importlib.import_module(name)
        except BaseException as error:
            raise Unusable(f"{name} could not be imported: {type(error).__name__}: {first_line(error)}") from error
        # OpenBLAS ends its threads before a fork and starts them again after it. Of others' nothing is known, and a fork
        # keeps none of them, only the locks that they hold.
        if name == "numpy":
            known = threads()
        elif threads() > known:
            raise Unusable(f"importing {name} starts threads, which a fork would lose")
    # PyTorch's compiler sets its own anew where it is missing, and most scripts never meet it.
    os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)
    Imported.variables = {name: value for name, value in os.environ.items() if before.get(name) != value}
    Imported.places = [
        (names, name)
        for names in [getattr(module, "__dict__", None) for module in list(sys.modules.values())]
        if type(names) is dict and names is not globals() and names is not sys.__dict__
        for name, value in list(names.items())
        if moved(value, STAND_IN, "") is not value
    ]


def moved(value, old, new):
    """The value with `old` replaced in the text that it is or the texts that it lists; itself where there is none."""
    kind = type(value)
    if kind is str:
        return value.replace(old, new) if old in value else value
    if kind.__module__ == "pathlib" and kind.__name__ == "PosixPath":
        return kind(str(value).replace(old, new)) if old in str(value) else value
    if kind in (list, tuple) and any(type(part) is str and old in part for part in value):
        return kind(part.replace(old, new) if type(part) is str else part for part in value)
    return value


def first_line(error):
    return (str(error).splitlines() or [""])[0][:200]


def probe_torch(torch):
    x = torch.ones(64, 64, requires_grad=True)
    (x @ x).sum().backward()


def probe_tensorflow(tensorflow):
    tensorflow.linalg.matmul(tensorflow.ones((64, 64)), tensorflow.ones((64, 64))).numpy()


def probe():
    """Computes something in a fork, since only that shows that the framework works in one."""
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(60)
            # What a framework says on its first use belongs into a run's log, not into ours.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            if "torch" in sys.modules:
                probe_torch(sys.modules["torch"])
            if "tensorflow" in sys.modules:
                probe_tensorflow(sys.modules["tensorflow"])
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise Unusable(f"{MODULES[-1]} does not work in a fork of the interpreter that imported it")


# Serving


def listen():
    # A path below the home may be longer than an address can hold; one by descriptor is not.
    folder = os.open(os.path.dirname(PREFIX), os.O_RDONLY | os.O_DIRECTORY)
    name = f"/proc/self/fd/{folder}/{os.path.basename(PREFIX)}.sock"
    if os.path.exists(name):
        os.unlink(name)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(name)
    listener.listen(64)
    os.close(folder)
    return listener


def serve(listener, lock):
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    deadline = time.monotonic() + IDLE
    while time.monotonic() < deadline:
        ready = poll.poll(1000)
        reap()
        # Whoever removed the file wants nothing to be forked from here any more.
        if not ready and not os.path.exists(f"{PREFIX}.json"):
            return
        if not ready:
            continue
        connection, _ = listener.accept()
        with connection:
            try:
                request, descriptors = receive(connection)
            except (OSError, ValueError):
                continue
            try:
                os.utime(f"{PREFIX}.json")
                if os.fork() == 0:
                    try:
                        # Closed, not unlocked: the lock says that the one who forks is alive.
                        os.close(lock)
                        listener.close()
                        supervise(request, descriptors, connection)
                    except BaseException as failure:
                        # The agent sees the connection end, and starts cold; why is in our log.
                        os.write(2, f"no run was forked: {failure!r}\n".encode())
                    finally:
                        os._exit(70)
            except OSError:
                # No memory for another process: the agent sees the connection end, and starts cold.
                pass
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
        deadline = time.monotonic() + IDLE


def receive(connection):
    connection.settimeout(5)
    head, descriptors, _, _ = socket.recv_fds(connection, 4, 16)
    length = int.from_bytes(head, "little")
    body = b""
    while len(body) < length:
        part = connection.recv(min(1 << 20, length - len(body)))
        if not part:
            raise ValueError("the request ended early")
        body += part
    connection.settimeout(None)
    return json.loads(body), descriptors


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


# One run


def supervise(request, descriptors, connection):
    """Stands where bubblewrap stands in a cold start: outside the sandbox, leader of the run's process group."""
    os.setpgid(0, 0)
    # Whoever ends the run ends the program; this one stays to tell how that went. Blocked rather than ignored: the program
    # gets a signal that comes before it has begun.
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    agent, _, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, agent))
    for path in request["joins"]:
        with open(path, "w") as file:
            file.write("0")
    if request["sandboxed"]:
        # The agent has it made meanwhile. Where that failed it hangs up.
        mark, namespaces, _, _ = socket.recv_fds(connection, 1, 16)
        if not mark:
            os._exit(70)
        descriptors = [*descriptors, *namespaces]
        enter(namespaces)
    output, error = descriptors[:2]
    # The agent must know of the program before it runs a line: of one that it does not know it starts another.
    begins, begin = os.pipe()
    program = os.fork()
    if program == 0:
        try:
            os.close(begin)
            if not os.read(begins, 1):
                os._exit(70)
            become(request, output, error, [begins, connection.fileno(), *descriptors])
        except BaseException as failure:
            os.write(2, f"takumi: the program could not be started: {failure!r}\n".encode())
        finally:
            os._exit(70)
    for descriptor in descriptors:
        os.close(descriptor)
    send(connection, {"supervisor": os.getpid(), "program": program})
    os.write(begin, b"b")
    os.close(begin)
    os.close(begins)
    _, status = os.waitpid(program, 0)
    send(connection, {"status": exit_status(os.waitstatus_to_exitcode(status), request["sandboxed"])})
    os._exit(0)


def exit_status(status, sandboxed):
    """As an agent learns it of bubblewrap, which says of a program's signal and of an exit status above 128 the same."""
    if not sandboxed:
        return status
    of_shell = status if status >= 0 else 128 - status
    return 128 - of_shell if 128 < of_shell < 160 else of_shell


def send(connection, message):
    connection.sendall(json.dumps(message).encode() + b"\n")


def enter(namespaces):
    """Enters the namespaces of a sandbox: the last one is that of its user, the one before it that of its mounts.

    Who is not root may only do so from the user namespace that owns the others, which need not be the one that the
    program is to be in: bubblewrap makes a second one, in which the user has the id that it has outside.
    """
    *others, user = namespaces
    owner = fcntl.ioctl(others[-1], NS_GET_USERNS)
    # Asked before, since the sandbox's /proc does not know this process.
    entered = os.stat("/proc/self/ns/user").st_ino
    for namespace in (owner, *others, user):
        if namespace in (owner, user):
            wanted = os.fstat(namespace).st_ino
            if wanted == entered:
                continue
            entered = wanted
        if libc.setns(namespace, 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    os.close(owner)


def become(request, output, error, inherited):
    """Makes of this fork what `python SCRIPT ARGUMENT…` would be, and runs the script."""
    os.dup2(output, 1)
    os.dup2(error, 2)
    for descriptor in set(inherited):
        os.close(descriptor)
    if request["sandboxed"]:
        drop_privileges()
    os.chdir(request["directory"])
    script, *arguments = request["arguments"]
    show_command([sys.executable, script, *arguments], request["environment"])
    os.environ.clear()
    os.environ.update(request["environment"])
    settle()
    path = os.path.abspath(script)
    sys.argv = [script, *arguments]
    sys.orig_argv = [sys.executable, script, *arguments]
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    make_main(path)
    imported = set(sys.modules)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os._exit(finish(run(path), imported))


def settle():
    """Lets modules forget where, when and by whom they were imported."""
    home, folder = os.environ["HOME"], os.getcwd()
    for name, value in Imported.variables.items():
        os.environ[name] = moved(moved(value, HOME, home), FOLDER, folder)
    for names, name in Imported.places:
        names[name] = moved(moved(names[name], HOME, home), FOLDER, folder)
    refresh(sys.__stdout__)
    refresh(sys.__stderr__)
    threading.main_thread()._set_native_id()
    # Python's own generator is seeded anew after a fork; others must be told.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()
    if "logging" in sys.modules:
        sys.modules["logging"]._startTime = time.time()
    if "multiprocessing.process" in sys.modules:
        # A secret, by which processes of one program know each other.
        sys.modules["multiprocessing.process"].current_process().authkey = os.urandom(32)


def refresh(stream):
    """Lets a stream forget what it knows of its file, such as that one can seek there: it has another one now."""
    file = io.FileIO(stream.fileno(), "wb", closefd=False)
    file.name = stream.name
    stream.__init__(
        file,
        encoding=stream.encoding,
        errors=stream.errors,
        newline="\n",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def make_main(path):
    main = types.ModuleType("__main__")
    main.__annotations__ = {}
    main.__builtins__ = sys.modules["builtins"]
    main.__file__ = path
    main.__cached__ = None
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    sys.modules["__main__"] = main
    if "__mp_main__" in sys.modules:
        sys.modules["__mp_main__"] = main


def show_command(words, environment):
    """For whoever looks at the machine's processes. A kernel that does not let it goes on showing ours."""
    words = b"".join(os.fsencode(word) + b"\0" for word in words)
    variables = b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in environment.items())
    # Never freed: the kernel reads it.
    show_command.memory = memory = ctypes.create_string_buffer(words + variables)
    begin = ctypes.addressof(memory)
    middle, end = begin + len(words), begin + len(words) + len(variables)
    with open("/proc/self/stat") as file:
        fields = [0, 0, 0, *file.read().rpartition(")")[2].split()]
    code, stack, data, heap = fields[26:28], fields[28], fields[45:47], fields[47]
    numbers = [int(number) for number in [*code, *data, heap, libc.sbrk(0), stack, begin, middle, middle, end]]
    unchanged = [0, 0 | 0xFFFFFFFF << 32]
    libc.prctl(PR_SET_MM, PR_SET_MM_MAP, (ctypes.c_uint64 * 13)(*numbers, *unchanged), 104, 0)


def drop_privileges():
    """As bubblewrap does before it starts a program: no capabilities, and none to be had by starting another."""
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def run(path):
    # By the function that a cold start uses: it words what is wrong with a file differently than `compile` does.
    names = sys.modules["__main__"].__dict__
    try:
        run_file(libc.fopen(os.fsencode(path), b"rb"), os.fsencode(path), FILE_INPUT, names, names, 1, None)
    except SystemExit as request:
        return exit_code(request.code)
    except BaseException as error:
        # Of the traceback only what is the script's: the first frame is this one.
        failure = error.with_traceback(error.__traceback__.tb_next)
    else:
        return 0
    return report(failure)


def report(failure):
    kind, trace = type(failure), failure.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = kind, failure, trace
    try:
        sys.excepthook(kind, failure, trace)
    except SystemExit as request:
        return exit_code(request.code)
    except BaseException as error:
        second = error.with_traceback(error.__traceback__.tb_next)
    else:
        second = None
    if second:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(second), second, second.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(kind, failure, trace)
    return -signal.SIGINT if kind is KeyboardInterrupt else 1


def exit_code(value):
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF if -(2**63) <= value < 2**63 else 0xFF
    print(value, file=sys.stderr)
    return 1


def finish(code, imported):
    """What an interpreter does at its end, without taking the framework apart, which costs more than a short run."""
    import atexit

    try:
        threading._shutdown()
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    atexit._run_exitfuncs()
    flush()
    # Before the modules go as well as after: a collection also orders what is left, and a file's text must go first.
    gc.collect()
    # A file that the program left open is written when its object goes, and objects may want to say something then.
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__
    sys.last_type = sys.last_value = sys.last_traceback = None
    ended = []
    for name in [name for name in sys.modules if name not in imported or name in ("__main__", "__mp_main__")]:
        module = sys.modules.pop(name)
        if isinstance(module, types.ModuleType):
            ended.append(weakref.ref(module))
        del module
    gc.collect()
    # Of modules that somebody still holds, the names go one by one.
    for names in [module.__dict__ for reference in reversed(ended) if (module := reference())]:
        for name in sorted(names, key=lambda name: not (name[:1] == "_" != name[1:2])):
            if name != "__builtins__":
                names[name] = None
    gc.collect()
    flush()
    libc.fflush(None)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code & 0xFF


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def use_large_pages():
    """Of 2 MiB, where the kernel makes them (Linux 6.1): a fork copies an entry for each page, and most are never touched."""
    size = 1 << 21
    with open("/proc/self/maps") as file:
        regions = [line.split() for line in file]
    for addresses, access, *_, name in [region if len(region) > 5 else [*region, ""] for region in regions]:
        begin, end = (int(address, 16) for address in addresses.split("-"))
        begin, end = -(-begin // size) * size, end // size * size
        if access == "rw-p" and name in ("", "[heap]") and begin < end:
            for advice in (MADV_HUGEPAGE, MADV_COLLAPSE):
                libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), advice)


def main():
    lock = os.open(f"{PREFIX}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    start = time.monotonic()
    record("importing")
    stand_in()
    try:
        import_modules()
        probe()
    except Unusable as reason:
        record("unusable", reason=str(reason))
        return
    # What has been made so far is ours, and no run may clean it up at its end. PyTorch would take its operators apart, which
    # copies more than a short run does.
    for finalizer in list(weakref.finalize._registry):
        finalizer.atexit = False
    # What is there now stays: the collector of a fork need not look at it, nor copy the pages that it lies in.
    gc.collect()
    gc.freeze()
    use_large_pages()
    # Else every run would begin with what a library has said and not yet written.
    libc.fflush(None)
    listener = listen()
    record("ready", modules=MODULES, seconds=round(time.monotonic() - start, 3))
    serve(listener, lock)
    try:
        os.unlink(f"{PREFIX}.json")
    except FileNotFoundError:
        pass


main()
