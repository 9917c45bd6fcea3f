"""A runtime's Jupyter server: runs notebooks in a real kernel. One JSON request a line, one JSON answer a line.

Requests: {"run": path of an .ipynb}, {"code": text} (both in the present kernel), {"restart": true} (a new kernel).
Answers: {"ok": bool, "said": what the cells printed, or why they failed}.
"""

import json
import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook


def new_client():
    client = NotebookClient(new_notebook(), timeout=120, kernel_name="python3")
    client.create_kernel_manager()
    client.start_new_kernel(cwd=os.environ["HOME"])
    client.start_new_kernel_client()
    return client


def run(client, cells):
    client.nb.cells = cells
    client.reset_execution_trackers()
    said = ""
    try:
        for number, cell in enumerate(cells):
            if cell.cell_type == "code":
                client.execute_cell(cell, number)
        ok = True
    except CellExecutionError as error:
        ok, said = False, str(error)
    for cell in cells:
        for output in cell.get("outputs", []):
            said += output.get("text", "")
    return {"ok": ok, "said": said}


client = new_client()
for line in sys.stdin:
    request = json.loads(line)
    if "run" in request:
        notebook = nbformat.read(request["run"], as_version=4)
        nbformat.validate(notebook)
        answer = run(client, notebook.cells)
    elif "code" in request:
        answer = run(client, [new_code_cell(request["code"])])
    else:
        client.km.shutdown_kernel(now=True)
        client = new_client()
        answer = {"ok": True, "said": ""}
    print(json.dumps(answer), flush=True)
