"""What the boot and data storage must have in them: the base environment, the shell's settings, certificates.

The base environment is a virtual environment on top of the image's, which is immutable and shared by many notebooks.
What is installed goes to the boot storage, hides the image's packages of the same names, and is gone at the next start.
"""

import os
import sys

from .status import own_folder

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


def base_environment(boot):
    return os.path.join(boot, ".base")


def prepare(options):
    """Also sets this process's variables: scripts, terminals and kernels inherit them."""
    for folder in (custom_environments(options.data), scripts_folder(options.data)):
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            # A full disk must not end a notebook: its user has to be able to make room.
            print(f"{folder} cannot be made: {error.strerror}", file=sys.stderr)
    make_base(base_environment(options.boot), sys.prefix)
    set_variables(base_environment(options.boot), sys.prefix)
    if options.authority:
        trust(options.authority, options.boot)
    write_shell_settings(options)
    write_lab_settings(base_environment(options.boot))


def custom_environments(data):
    return os.path.join(data, "custom-conda-envs")


def scripts_folder(data):
    return os.path.join(data, "cont-init.d")


# MARK: The base environment


def make_base(base, image):
    """As `python -m venv` does it, without starting a process."""
    interpreter = os.path.realpath(sys.executable)
    packages = os.path.join(base, "lib", PYTHON, "site-packages")
    programs = os.path.join(base, "bin")
    os.makedirs(packages, exist_ok=True)
    os.makedirs(programs, exist_ok=True)
    version = ".".join(map(str, sys.version_info[:3]))
    write(
        os.path.join(base, "pyvenv.cfg"),
        f"home = {os.path.dirname(interpreter)}\ninclude-system-site-packages = false\nversion = {version}\n"
        "prompt = base\n",
    )
    link(interpreter, os.path.join(programs, "python"))
    link("python", os.path.join(programs, "python3"))
    link("python", os.path.join(programs, PYTHON))
    link("lib", os.path.join(base, "lib64"))
    # The image's packages come after the environment's own, with what their .pth files ask for.
    image_packages = os.path.join(image, "lib", PYTHON, "site-packages")
    write(os.path.join(packages, "_image.pth"), f"import site; site.addsitedir({image_packages!r})\n")
    copy_programs(os.path.join(image, "bin"), programs)
    if os.path.isdir(os.path.join(image_packages, "pip")):
        for name in ("pip", "pip3", PYTHON.replace("python", "pip")):
            write(os.path.join(programs, name), first_lines(f"{programs}/python") + PIP, mode=0o755)


# uv makes environments without pip. Their users expect "pip" to install into the environment that is active.
PIP = b"""\
import os
import sys

from pip._internal.cli.main import main

active = os.environ.get("VIRTUAL_ENV")
if active and os.path.realpath(active) != os.path.realpath(sys.prefix) and os.path.exists(active + "/bin/python"):
    sys.argv[1:1] = ["--python", active + "/bin/python"]
sys.exit(main())
"""


def copy_programs(source, target):
    """The image's Python programs, as installed into the base environment: they must see what is installed there."""
    interpreter = os.fsencode(f"{source}/python")
    for entry in os.scandir(source):
        if entry.is_symlink() or not entry.is_file() or not os.access(entry.path, os.X_OK):
            continue
        with open(entry.path, "rb") as file:
            if file.read(2) != b"#!":
                continue
            file.seek(0)
            # Three lines where the path is too long for one: see first_lines.
            head = file.readline()
            if head == b"#!/bin/sh\n":
                head = file.readline()
                file.readline()
            if interpreter in head:
                write(f"{target}/{entry.name}", first_lines(f"{target}/python") + file.read(), mode=0o755)


def first_lines(interpreter):
    """What makes a file a program of this interpreter. The kernel takes no long paths and no spaces."""
    if len(interpreter) < 120 and " " not in interpreter:
        return os.fsencode(f"#!{interpreter}\n")
    return os.fsencode(f"#!/bin/sh\n'''exec' {quoted(interpreter)} \"$0\" \"$@\"\n' '''\n")


def set_variables(base, image):
    variables = os.environ
    variables["VIRTUAL_ENV"] = base
    variables["VIRTUAL_ENV_PROMPT"] = "base"
    path = variables.get("PATH") or os.defpath
    variables["PATH"] = f"{base}/bin:{image}/bin:{path}"
    # Extensions, kernels and templates that are installed into the base environment, then the image's.
    variables["JUPYTER_PATH"] = f"{base}/share/jupyter:{image}/share/jupyter"
    variables["JUPYTER_CONFIG_PATH"] = f"{base}/etc/jupyter:{image}/etc/jupyter"
    variables["SHELL"] = "/bin/bash"
    for name in ("CONDA_PREFIX", "CONDA_DEFAULT_ENV"):
        variables.pop(name, None)


# MARK: Certificates


def trust(authority, boot):
    """Makes requests, pip, uv and the SDK trust the server's authority besides those that are trusted anyway."""
    try:
        with open(authority, "rb") as file:
            own = file.read()
    except OSError as error:
        print(f"the server's certificate {authority} cannot be read: {error.strerror}", file=sys.stderr)
        return
    bundle = os.path.join(own_folder(boot), "authorities.pem")
    write(bundle, roots().rstrip() + b"\n" + own)
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = bundle


def roots():
    """The machine's authorities: they may include some of its owner's own. Where it has none, certifi's."""
    certifi = os.path.join(sys.prefix, "lib", PYTHON, "site-packages", "certifi", "cacert.pem")
    named = os.environ.get("SSL_CERT_FILE")
    for path in (named, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", certifi):
        try:
            with open(path or "", "rb") as file:
                return file.read()
        except OSError:
            continue
    print("no authorities are known besides the server's: TLS to others will fail", file=sys.stderr)
    return b""


# MARK: The shell


def shell_settings(boot):
    return os.path.join(boot, ".bashrc")


def write_shell_settings(options):
    base = base_environment(options.boot)
    # A prompt is evaluated: nothing of the name may be.
    name = "".join(character for character in options.name if character.isalnum() or character in " -_.")
    prompt = "(base) \\u@" + name + ":\\w\\$ "
    write(
        shell_settings(options.boot),
        f"""\
# The notebook's terminals. Made anew at every start.
case ":$PATH:" in
*:{quoted(base)}/bin:*) ;;
*) export PATH={quoted(f"{base}/bin:{sys.prefix}/bin")}:"$PATH" ;;
esac
[ -n "$VIRTUAL_ENV" ] || export VIRTUAL_ENV={quoted(base)}
case $- in *i*) ;; *) return ;; esac
PS1={quoted(prompt)}
HISTCONTROL=ignoreboth
shopt -s checkwinsize histappend
alias ls='ls --color=auto'
alias ll='ls -l'
""",
    )
    write(
        os.path.join(options.boot, ".profile"), f'[ -z "$BASH_VERSION" ] || . {quoted(shell_settings(options.boot))}\n'
    )


def write_lab_settings(base):
    """Nobody is asked whether they want Jupyter's news: users' data stays here unless they send it."""
    folder = os.path.join(base, "etc", "jupyter", "labconfig")
    os.makedirs(folder, exist_ok=True)
    write(
        os.path.join(folder, "page_config.json"),
        '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}\n',
    )


def quoted(text):
    """As one word of the shell's."""
    return "'" + text.replace("'", "'\\''") + "'"


# MARK: Files


def write(path, content, mode=0o644):
    data = content if isinstance(content, bytes) else os.fsencode(content)
    # Not through a link that was there before.
    if os.path.lexists(path):
        os.unlink(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)


def link(target, path):
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)
