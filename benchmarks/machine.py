"""Which machine this is, as a name for a file."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def processor(cpuinfo: str) -> str:
    """The processor's name; its family and model numbers too, since in virtual machines the name is often short."""
    found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", cpuinfo, re.MULTILINE))
    if "model name" not in found:
        return platform.processor() or platform.machine()
    return f"{found['model name']} (family {found.get('cpu family')}, model {found.get('model')})"


def machine() -> str:
    """The processor and its number of cores.

    >>> machine() == machine()
    True
    """
    return f"{processor(CPUINFO.read_text() if CPUINFO.exists() else '')}, {cores()} cores"


def cores() -> int:
    """How many this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slug(machine: str) -> str:
    """
    >>> slug("AMD EPYC (family 26, model 2), 2 cores")
    'amd-epyc-family-26-model-2-2-cores'
    """
    return re.sub(r"[^a-z0-9]+", "-", machine.lower()).strip("-")
