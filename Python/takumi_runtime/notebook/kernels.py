"""The kernels that are offered: the base environment's, one per environment of the user's, and what they installed."""

import hashlib
import os
import re

from jupyter_client.ioloop import AsyncIOLoopKernelRestarter
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager, NoSuchKernel
from traitlets import Unicode

from .storage import custom_environments

LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launcher.py")


class Kernels(KernelSpecManager):
    """Looks at the disk each time that it is asked: an environment is offered once it is there, without a restart."""

    base = Unicode(config=True, help="the folder of the base environment")
    data = Unicode(config=True, help="the folder that stays")

    def find_kernel_specs(self):
        # The image's own would run beside the base environment instead of in it.
        found = {name: folder for name, folder in super().find_kernel_specs().items() if name != NATIVE_KERNEL_NAME}
        icons = self.icons()
        return {NATIVE_KERNEL_NAME: icons} | found | {name: icons for name in self.environments()}

    def get_kernel_spec(self, kernel_name):
        if kernel_name == NATIVE_KERNEL_NAME:
            # This process's variables are the base environment's already.
            return self.spec("Python 3 (base)", [f"{self.base}/bin/python", "-m", "ipykernel_launcher"])
        folder = self.environments().get(kernel_name)
        if folder is None:
            if kernel_name.lower() not in self.find_kernel_specs():
                raise NoSuchKernel(kernel_name)
            return super().get_kernel_spec(kernel_name)
        python = f"{folder}/bin/python"
        command = [python, "-m", "ipykernel_launcher"] if has_kernel(folder) else [python, LAUNCHER]
        name = os.path.basename(folder)
        active = {"VIRTUAL_ENV": literal(folder), "VIRTUAL_ENV_PROMPT": literal(name), "CONDA_PREFIX": literal(folder)}
        active |= {"CONDA_DEFAULT_ENV": literal(name), "PATH": f"{literal(folder)}/bin:${{PATH}}"}
        return self.spec(displayed(name), command, active)

    def spec(self, name, command, variables=None):
        return KernelSpec(
            display_name=name,
            language="python",
            argv=[*command, "-f", "{connection_file}"],
            env=variables or {},
            metadata={"debugger": True},
            resource_dir=self.icons(),
        )

    def icons(self):
        from ipykernel.kernelspec import RESOURCES

        return RESOURCES

    def environments(self):
        """Those of the user's that work, by the names of their kernels."""
        try:
            names = sorted(os.listdir(custom_environments(self.data)), key=os.fsencode)
        except OSError:
            return {}
        folders = {}
        for name in names:
            folder = os.path.join(custom_environments(self.data), name)
            # Jupyter fills in what stands in braces in a command.
            if os.access(f"{folder}/bin/python", os.X_OK) and "{" not in name:
                folders[kernel_name(name)] = folder
        return folders


def kernel_name(folder):
    """One that Jupyter takes, that no other folder gets, and that stays the same: notebooks name their kernel."""
    if re.fullmatch(r"[a-z0-9]([a-z0-9_-]|\.(?!\.))*", folder) and not re.search(r"-[0-9a-f]{8}$", folder):
        return f"env-{folder}"
    words = "-".join(re.findall("[a-z0-9]+", folder.lower()))[:40]
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    return "-".join(filter(None, ["env", words, digest]))


def displayed(folder):
    """A name as the browser can show it: names are bytes, and need not be UTF-8."""
    text = os.fsencode(folder).decode(errors="replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def has_kernel(folder):
    """Whether ipykernel is in an environment's own packages. Where it comes from elsewhere, the launcher finds it."""
    try:
        versions = [name for name in os.listdir(f"{folder}/lib") if name.startswith("python")]
    except OSError:
        return False
    return any(os.path.exists(f"{folder}/lib/{name}/site-packages/ipykernel_launcher.py") for name in versions)


def literal(text):
    """So that Jupyter, which fills in variables, takes it as it is."""
    return text.replace("$", "$$")


class Restarter(AsyncIOLoopKernelRestarter):
    """Starts kernels again that ended by themselves, and writes down which were killed: most often for their memory."""

    status = None

    async def poll(self):
        manager = self.kernel_manager
        code = None
        if manager.provisioner is not None and not manager.shutting_down:
            code = await manager.provisioner.poll()
        if code is not None and code < 0 and self.status is not None:
            name = manager.kernel_spec.display_name if manager.kernel_spec else manager.kernel_name
            self.log.warning("the kernel %s (%s) was killed by signal %d", manager.kernel_id, name, -code)
            self.status.add_kernel_death(manager.kernel_id, name, -code)
        await super().poll()
        if code is not None:
            self.watch_anew(manager)

    def watch_anew(self, manager):
        """Jupyter goes on listening to the kernel that died, and shows what that last said, such as busy, for ever."""
        kernels = manager.parent
        if manager.kernel_id not in kernels or not manager.has_kernel:
            return
        kernels.stop_watching_activity(manager.kernel_id)
        manager.execution_state = "idle"
        kernels.start_watching_activity(manager.kernel_id)
