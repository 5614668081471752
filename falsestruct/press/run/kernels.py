"""Kernels that can't get into each other's way when chapters run side by side."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from falsestruct.press.notebook import staging


class LocalKernel(AsyncKernelManager):
    """A kernel that is reached through files of its own instead of network ports.

    Jupyter looks for free ports, frees them again and has the kernel take them a moment later. Two
    kernels that start at once, in two processes, now and then get the same one, and a chapter fails
    by chance. Where sockets can't be files (Windows, or no place has a path short enough), it is as
    usual.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._folder: Path | None = None
        if os.name != "posix":
            return
        # Not in the staging folder: its path may be too long for a socket.
        self._folder = staging.sockets()
        if self._folder is None:
            return
        self.transport = "ipc"
        self.ip = str(self._folder / "socket")
        self.connection_file = str(self._folder / "connection.json")

    def cleanup_ipc_files(self) -> None:
        """After the kernel's end, the folder goes too."""
        super().cleanup_ipc_files()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
