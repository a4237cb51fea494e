"""A PyTorch model's files as TorchServe has them: one writable folder, and a manifest that says what is what."""

import datetime
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

from .errors import LoadFailure, log

WEIGHTS = (".pt", ".pth", ".bin", ".pt2")
ARCHIVES = (".mar", ".tar.gz", ".tgz")
MANIFEST = os.path.join("MAR-INF", "MANIFEST.json")


def unpack(options):
    """Puts the model into the scratch folder. Returns (that folder, its manifest)."""
    source = options.folder(lambda folder: bool(archives(folder)) or is_loose(folder))
    target = os.path.join(options.scratch, "model")
    shutil.rmtree(target, ignore_errors=True)
    found = archives(source)
    if len(found) > 1:
        names = ", ".join(os.path.basename(path) for path in found)
        raise LoadFailure(f"there are several archives ({names}); keep the one to serve")
    if found:
        extract(found[0], target)
        target = only_folder(target)
        manifest = read_manifest(target)
        install(manifest["model"].get("requirementsFile"), target, options.scratch)
    elif os.path.isfile(os.path.join(source, MANIFEST)):
        lay_out(source, target)
        manifest = read_manifest(target)
        install(manifest["model"].get("requirementsFile"), target, options.scratch)
    elif is_loose(source):
        # Its requirements.txt is in the environment already.
        lay_out(source, target)
        lay_out(os.path.join(source, "extra"), target)
        manifest = make_manifest(options, target)
    else:
        raise LoadFailure(
            f"there is neither a .mar archive nor a file of weights ({', '.join(WEIGHTS)}): {options.listing(source)}"
        )
    for name in ("handler", "model_file", "serialized_file"):
        if options.get(name) is not None:
            key = "".join(part.title() if index else part for index, part in enumerate(name.split("_")))
            manifest["model"][key] = options.get(name)
    check(manifest["model"], target)
    return target, manifest


def archives(folder):
    return sorted(path for suffix in ARCHIVES for path in glob.glob(os.path.join(glob.escape(folder), f"*{suffix}")))


def is_loose(folder):
    names = os.listdir(folder)
    return "handler.py" in names or "MAR-INF" in names or any(name.endswith(WEIGHTS) for name in names)


def extract(path, target):
    name = os.path.basename(path)
    try:
        if path.endswith(".mar") and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(target)
        else:
            with tarfile.open(path) as archive:
                archive.extractall(target, filter="data")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise LoadFailure(f"{name} cannot be unpacked: {error}") from error


def only_folder(target):
    """Where the manifest is: tar archives have a folder of the model's name around everything."""
    if os.path.isfile(os.path.join(target, MANIFEST)):
        return target
    found = glob.glob(os.path.join(glob.escape(target), "*", MANIFEST))
    if len(found) != 1:
        raise LoadFailure("the archive has no MAR-INF/MANIFEST.json; make it with torch-model-archiver")
    return os.path.dirname(os.path.dirname(found[0]))


def lay_out(source, target):
    """Links to what is in a folder: weights are large, and the model's own folder cannot be written to."""
    if not os.path.isdir(source):
        return
    os.makedirs(target, exist_ok=True)
    for entry in os.scandir(source):
        link = os.path.join(target, entry.name)
        if entry.name != "__pycache__" and not os.path.lexists(link):
            os.symlink(os.path.abspath(entry.path), link)


# MARK: Manifest


def read_manifest(folder):
    try:
        with open(os.path.join(folder, MANIFEST)) as file:
            manifest = json.load(file)
        # Without "model" nothing below has a place to look at.
        manifest["model"].get("handler")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LoadFailure(f"MAR-INF/MANIFEST.json is not a manifest of a model: {error}") from error
    return manifest


def make_manifest(options, folder):
    """What torch-model-archiver would have written about loose files."""
    model = {"modelName": options.name, "modelVersion": "1.0"}
    weights = options.get("serialized_file") or only_weights(folder)
    if weights:
        model["serializedFile"] = weights
    for key, name in (("handler", "handler.py"), ("modelFile", "model.py"), ("requirementsFile", "requirements.txt")):
        if os.path.isfile(os.path.join(folder, name)):
            model[key] = name
    for name in ("model-config.yaml", "model_config.yaml"):
        if os.path.isfile(os.path.join(folder, name)):
            model["configFile"] = name
    now = datetime.datetime.now().strftime("%d/%m/%Y %H:%M:%S")
    manifest = {"createdOn": now, "runtime": "python", "model": model, "archiverVersion": "0.12.0"}
    os.makedirs(os.path.join(folder, "MAR-INF"), exist_ok=True)
    with open(os.path.join(folder, MANIFEST), "w") as file:
        json.dump(manifest, file, indent=2)
    return manifest


def only_weights(folder):
    found = sorted(name for name in os.listdir(folder) if name.endswith(WEIGHTS))
    usual = [name for name in found if os.path.splitext(name)[0] in ("model", "pytorch_model")]
    chosen = usual if len(usual) == 1 else found
    if len(chosen) > 1:
        raise LoadFailure(
            f"several files may be the weights ({', '.join(chosen)}); name one in the parameter serialized_file"
        )
    return chosen[0] if chosen else None


def check(model, folder):
    """That what the manifest names is there."""
    for key, what in (
        ("modelFile", "model file"),
        ("serializedFile", "file of weights"),
        ("configFile", "configuration"),
    ):
        if model.get(key) and not os.path.exists(os.path.join(folder, model[key])):
            raise LoadFailure(f"the {what} {model[key]} is missing in the model's files")


# MARK: Requirements


def install(name, folder, scratch):
    """Installs what an archive asks for beside the environment, and what the environment lacks only."""
    path = os.path.join(folder, name) if name else None
    if path is None or not os.path.isfile(path) or not os.path.getsize(path):
        return
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    target = os.path.join(scratch, f"packages-{digest}")
    if not os.path.exists(os.path.join(target, ".complete")):
        log(f"Installing {name} of the archive")
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        wanted = missing(path, scratch)
        if wanted:
            run([*installer(scratch), "install", *where(), "--no-deps", "--target", target, *wanted])
        open(os.path.join(target, ".complete"), "w").close()
    # Before the environment's own: the archive may ask for another version.
    sys.path.insert(0, target)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (target, os.environ.get("PYTHONPATH"))))


def installer(scratch):
    uv = shutil.which("uv")
    if uv:
        return [uv, "--cache-dir", os.path.join(scratch, "uv-cache"), "pip"]
    try:
        import pip  # noqa: F401
    except ImportError:
        raise LoadFailure("the archive's requirements.txt needs uv on the PATH, or pip in the image") from None
    return [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def where():
    return ["--python", sys.executable] if shutil.which("uv") else []


def missing(path, scratch):
    """Exact versions of what would be added to the environment. A target folder alone would get all of torch again."""
    if shutil.which("uv"):
        said = run([*installer(scratch), "install", *where(), "--dry-run", "-r", path])
        return [line.split("+", 1)[1].split(" (")[0].strip() for line in said.splitlines() if line.startswith(" + ")]
    report = run([*installer(scratch), "install", "--quiet", "--dry-run", "--report", "-", "-r", path])
    found = [part["metadata"] for part in json.loads(report[report.index("{") :])["install"]]
    return [f"{part['name']}=={part['version']}" for part in found]


def run(command):
    """Returns what the command said."""
    environment = dict(os.environ)
    # uv does not read pip's own setting.
    links = environment.get("UV_FIND_LINKS") or environment.get("PIP_FIND_LINKS")
    if links:
        environment["UV_FIND_LINKS"] = links
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    if ended.returncode:
        log(ended.stderr.strip())
        lines = [line.strip(" ×╰─▶│") for line in ended.stderr.splitlines() if line.strip(" ×╰─▶│")]
        start = next((index for index, line in enumerate(lines) if line.lower().startswith("error")), 0)
        reason = " ".join(lines[start : start + 3]) if lines else f"status {ended.returncode}"
        raise LoadFailure(f"the archive's requirements.txt could not be installed: {reason}"[:300])
    return ended.stdout + ended.stderr
