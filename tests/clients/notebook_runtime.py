"""A runtime's Jupyter server: runs notebooks in a real kernel. One JSON request a line, one JSON answer a line.

Requests: {"run": path of an .ipynb, "types": [what somebody types at its prompts]}, {"code": text} (both in the present
kernel), {"restart": true} (a new kernel).
Answers: {"ok": bool, "said": what the cells printed, or why they failed}.
"""

import asyncio
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


def run_with_person(client, cells, types):
    """nbclient has nobody in front of it; here somebody types, and what is asked for as a password is not shown."""
    typed, said = list(types), []

    def shown(message):
        content = message["content"]
        said.append(content.get("text", "") + "\n".join(content.get("traceback", [])))

    def asked(message):
        answer = typed.pop(0)
        said.append(message["content"]["prompt"] + ("" if message["content"]["password"] else answer) + "\n")
        client.kc.input(answer)

    for cell in cells:
        if cell.cell_type == "code":
            running = client.kc.execute_interactive(
                cell.source, allow_stdin=True, stdin_hook=asked, output_hook=shown, timeout=120
            )
            reply = asyncio.get_event_loop().run_until_complete(running)
            if reply["content"]["status"] != "ok":
                return {"ok": False, "said": "".join(said)}
    return {"ok": True, "said": "".join(said)}


client = new_client()
for line in sys.stdin:
    request = json.loads(line)
    if "run" in request:
        notebook = nbformat.read(request["run"], as_version=4)
        nbformat.validate(notebook)
        types = request.get("types")
        answer = run_with_person(client, notebook.cells, types) if types else run(client, notebook.cells)
    elif "code" in request:
        answer = run(client, [new_code_cell(request["code"])])
    else:
        client.km.shutdown_kernel(now=True)
        client = new_client()
        answer = {"ok": True, "said": ""}
    print(json.dumps(answer), flush=True)
