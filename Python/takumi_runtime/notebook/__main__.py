import importlib.util
import os
import sys

# As a package of a name of its own, and off the path: a user's packages may bring modules such as "server" or "base".
folder = os.path.dirname(os.path.abspath(__file__))
if os.path.abspath(sys.path[0] or ".") == folder:
    del sys.path[0]
spec = importlib.util.spec_from_file_location(
    "takumi_notebook", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
)
sys.modules["takumi_notebook"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)

from takumi_notebook.life import main  # noqa: E402

main(sys.argv[1:])
