"""Kernels without ports."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from falsestruct.press.run.kernels import LocalKernel

CODE = """\
from ipykernel.kernelapp import IPKernelApp

app = IPKernelApp.instance()
print(app.transport, app.ip)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sockets can't be files here")
def test_a_kernel_uses_no_port_and_leaves_nothing():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(notebook, kernel_name="python3", kernel_manager_class=LocalKernel).execute()
    transport, ip = notebook.cells[0].outputs[0].text.split()
    assert transport == "ipc" and Path(ip).name == "socket"
    assert not Path(ip).parent.exists()


def test_no_two_share_a_folder():
    one, two = LocalKernel(), LocalKernel()
    assert one.ip != two.ip
    for kernel in (one, two):
        kernel.cleanup_ipc_files()
    assert not any(Path(kernel.ip).parent.exists() for kernel in (one, two))
