"""Notebooks to be looked at in the console, and the pages that they have."""

import notebooks
from client import API, Run


def fill_notebooks(api: API) -> dict[str, Run]:
    """One that is active and has everything, and one that was stopped."""
    tags = [{"tagKey": "team", "tagValue": "vision"}]
    active = notebooks.create(
        api,
        notebookName="iris-study",
        description="Where the three kinds overlap",
        dataStorageSize=20,
        idleStopMinutes=60,
        tagList=tags,
    )
    active.wait(timeout=300)
    stopped = notebooks.create(api, notebookName="churn-features")
    stopped.wait()
    stopped.ask("stop")
    stopped.wait("STOPPED")
    return {"notebook": active, "notebook-stopped": stopped}


def notebook_pages(made: dict[str, Run]) -> dict[str, str]:
    """The address of every page of notebooks, below a project, by a name for it."""
    active, stopped = made["notebook"], made["notebook-stopped"]
    pages = {
        "notebooks": "/notebooks",
        "notebook-new": "/notebooks/new",
        "notebook": f"/{active.path}",
        "notebook-stopped": f"/{stopped.path}",
        "notebook-resize": f"/{stopped.path}/resize",
        "notebook-start": f"/{stopped.path}/do/start",
        "notebook-delete": f"/{active.path}/delete",
        "notebook-edit": f"/{active.path}/edit",
        "notebook-stop": f"/{active.path}/do/stop",
        "notebook-reboot": f"/{active.path}/do/reboot",
        "notebook-stopped-monitoring": f"/{stopped.path}/monitoring",
    }
    for tab in ("monitoring", "log", "history", "idle-stop"):
        pages[f"notebook-{tab}"] = f"/{active.path}/{tab}"
    return pages
