"""What runs inside a notebook's sandbox: prepares its storage, runs the user's scripts, and becomes JupyterLab.

    TAKUMI_NOTEBOOK_TOKEN=T python notebook --port N --base-url /notebook/default/ID/ --boot DIR --data DIR --name NAME

How far it is stands in BOOT/.takumi/status.json.
"""
