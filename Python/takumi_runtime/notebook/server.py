"""JupyterLab in this process, set up for standing behind the server's proxy."""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import warnings

from . import storage
from .status import own_folder

# The longest path of a Unix socket, less what Jupyter appends to its folder.
LONGEST_RUNTIME_FOLDER = 107 - len("/kernel-00000000-0000-0000-0000-000000000000-ipc-00000")

LARGEST_UPLOAD = 2 << 30

# Seconds for ending kernels, which take up to SHUTDOWN, terminals and extensions.
LONGEST_END, SHUTDOWN = 6.0, 3.0

# What Jupyter and Tornado say of each other at each start.
NOISE = ("The websocket_ping_timeout", "Skipped non-installed server(s)")


def serve(options, token, status):
    """Ends this process when JupyterLab has ended."""
    runtime = runtime_folder(options.boot)
    os.environ["JUPYTER_RUNTIME_DIR"] = runtime
    # Extensions that a script has installed are found; what JupyterLab itself needs comes from the image, so that no
    # script can keep it from starting.
    sys.path.append(os.path.join(storage.base_environment(options.boot), "lib", storage.PYTHON, "site-packages"))
    LabApp = labapp()

    from jupyter_server.utils import JupyterServerAuthWarning

    # Two extensions have not declared what they do: check who asks.
    warnings.simplefilter("ignore", JupyterServerAuthWarning)

    server = LabApp.initialize_server(argv=[], config=configuration(options, token, status))
    # Pages need no token: the proxy adds it to each request, and nobody else is to have it. Neither does a file.
    server.web_app.settings["page_config_data"]["token"] = ""
    server.write_server_info_file = server.write_browser_open_files = lambda: None

    def serving():
        send_at_once(server.http_server)
        server.log_level = "INFO"
        for handler in list(server.log.handlers):
            handler.addFilter(lambda record: not record.getMessage().startswith(NOISE))
            tell_news_apart(server.log, handler)
        server.log.info("JupyterLab answers at %s", server.base_url)
        status.enter("serving")

    async def stop():
        try:
            await asyncio.wait_for(server._cleanup(), LONGEST_END)
        except BaseException as error:
            # A kernel that has gone meanwhile, or an extension's own mistake: Jupyter by itself would run for ever.
            server.log.warning("JupyterLab did not end cleanly: %r", error)
        server.io_loop.stop()

    server._stop = stop
    server.io_loop.add_callback(serving)
    server.start()
    end_kernels(server)
    shutil.rmtree(runtime, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    # Whatever threads extensions have left.
    os._exit(0)


def tell_news_apart(log, handler):
    """Jupyter writes everything to its errors, where readers of the log look for what is wrong."""
    news = logging.StreamHandler(sys.stdout)
    news.setLevel(logging.INFO)
    news.setFormatter(handler.formatter)
    news.filters = list(handler.filters)
    news.addFilter(lambda record: record.levelno < logging.WARNING)
    log.addHandler(news)
    handler.setLevel(logging.WARNING)


def send_at_once(http_server):
    """A cell has several answers. By default each but the first waits for the acknowledgement of the one before, which
    the other side delays by 40 ms."""
    from tornado.iostream import IOStream

    # What is accepted takes this over, but Tornado takes it back after each HTTP request.
    for listener in http_server._sockets.values():
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    IOStream.set_nodelay = lambda stream, value: None


def runtime_folder(boot):
    """Where the sockets of kernels are. Their paths must be short, which those of the boot storage may not be."""
    folder = os.path.join(own_folder(boot), "run")
    if len(os.fsencode(folder)) > LONGEST_RUNTIME_FOLDER:
        return tempfile.mkdtemp(prefix="takumi-")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def end_kernels(server):
    """Those that have not ended when they were asked to."""
    for manager in list(server.kernel_manager._kernels.values()):
        process = getattr(manager.provisioner, "process", None)
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)


def labapp():
    """Imports JupyterLab without what takes more than half of the time: a parser of IRIs, for the check of events that
    have an IRI in them, of which there are none."""
    sys.modules["rfc3987_syntax"] = None
    try:
        from jupyterlab.labapp import LabApp
    finally:
        del sys.modules["rfc3987_syntax"]
    return LabApp


def configuration(options, token, status):
    from jupyter_server.auth.identity import PasswordIdentityProvider, User
    from jupyterlab.handlers.announcements import NeverCheckForUpdate
    from traitlets.config import Config

    from .kernels import Kernels, Restarter

    class OneUser(PasswordIdentityProvider):
        """Whoever comes through the proxy. Without a cookie, each request would be another user's."""

        def generate_anonymous_user(self, handler):
            return User("notebook", "Notebook", "Notebook", "N")

    config = Config()
    server = config.ServerApp
    server.ip, server.port, server.port_retries = "127.0.0.1", options.port, 0
    server.base_url = options.base_url
    server.root_dir = options.data
    server.allow_root = server.allow_remote_access = server.answer_yes = True
    # Anybody on this machine reaches the port.
    server.allow_unauthenticated_access = False
    server.open_browser = server.quit_button = False
    server.identity_provider_class = OneUser
    config.IdentityProvider.token = token
    config.PasswordIdentityProvider.hashed_password = ""
    config.PasswordIdentityProvider.allow_password_change = False
    server.max_body_size = server.max_buffer_size = LARGEST_UPLOAD
    server.websocket_ping_interval = 30
    # Widgets upload files in one message; Tornado's limit is 10 MiB.
    server.tornado_settings = {"websocket_max_message_size": LARGEST_UPLOAD}
    # Non-login, so that /etc/profile does not set another PATH.
    shell = ["/bin/bash", "--rcfile", storage.shell_settings(options.boot), "-i"]
    server.terminado_settings = {"shell_command": shell}
    config.FileContentsManager.delete_to_trash = False
    # Without a trash, folders could be deleted only when they are empty.
    config.FileContentsManager.always_delete_dir = True
    # Quiet until it answers: what is said before is of use to nobody.
    config.Application.log_level = "WARN"

    lab = config.LabApp
    lab.news_url, lab.check_for_updates_class = None, NeverCheckForUpdate
    # The other one installs into the image.
    lab.extension_manager = "readonly"

    server.kernel_spec_manager_class = Kernels
    config.Kernels.base, config.Kernels.data = storage.base_environment(options.boot), options.data
    config.AsyncIOLoopKernelManager.restarter_class = Restarter
    config.KernelRestarter.time_to_dead = 1.0
    config.KernelManager.shutdown_wait_time = SHUTDOWN
    # A kernel that has to be installed first takes a while to answer.
    config.MappingKernelManager.kernel_info_timeout = 300
    # Sockets in a folder of the notebook's own: other users of this machine could listen to those on ports.
    config.KernelManager.transport = "ipc"
    Restarter.status = status
    return config
