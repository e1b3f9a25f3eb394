"""What the kernel knows of processes and of the machine: processor time, memory, sockets."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_LISTENING = "0A"


def family(roots: Collection[int]) -> set[int]:
    """Those processes that are alive, and all that descend from them."""
    parents: dict[int, int] = {}
    for number in _numbers():
        fields = _stat(number)
        if fields:
            parents[number] = int(fields[1])
    found = {root for root in roots if root in parents}
    before = 0
    while len(found) > before:
        before = len(found)
        found |= {number for number, parent in parents.items() if parent in found}
    return found


def cpu_seconds(processes: Collection[int]) -> float:
    """Processor time of them together so far."""
    stats = (_stat(number) for number in processes)
    return sum((int(fields[11]) + int(fields[12])) / _TICK for fields in stats if fields)


def busy_seconds(cores: str) -> float:
    """How long those cores, such as "0" or "0-3,6", have been busy; 0 of none."""
    wanted: set[str] = set()
    for part in filter(None, cores.split(",")):
        first, _, last = part.partition("-")
        wanted |= {f"cpu{number}" for number in range(int(first), int(last or first) + 1)}
    ticks = 0
    for line in (_PROC / "stat").read_text("ascii").splitlines():
        name, *fields = line.split()
        if name in wanted:
            ticks += sum(int(fields[index]) for index in (0, 1, 2, 5, 6))
    return ticks / _TICK


def memory_mib(processes: Collection[int], key: str = "VmHWM") -> float:
    """Memory of them together: the most there ever was, or "VmRSS", what there is now."""
    total = 0
    for number in processes:
        found = re.search(rf"{key}:\s+(\d+)", _text(number, "status"))
        total += int(found[1]) if found else 0
    return total / 1024


def sockets(processes: Collection[int]) -> int:
    """How many they hold open."""
    return sum(target.startswith("socket:") for number in processes for target in _open(number))


def listening(port: int) -> set[int]:
    """The processes that listen there."""
    inodes: set[str] = set()
    for name in ("tcp", "tcp6"):
        for line in (_PROC / "net" / name).read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return {number for number in _numbers() if not inodes.isdisjoint(_open(number))}


def pin(processes: Collection[int], cores: str) -> None:
    """Have them, and all their threads, run there from now on."""
    for number in processes:
        command = ["taskset", "-acp", cores, str(number)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


def description() -> str:
    """The machine in a few words."""
    told = (_PROC / "cpuinfo").read_text("utf-8")
    model = re.search(r"model name\s*:\s*(.+)", told)
    memory = re.search(r"MemTotal:\s+(\d+)", (_PROC / "meminfo").read_text("ascii"))
    name = model[1].strip() if model else os.uname().machine
    gib = int(memory[1]) / 2**20 if memory else 0.0
    return f"{name}, {os.cpu_count()} cores, {gib:.0f} GiB, Linux {os.uname().release}"


def _numbers() -> list[int]:
    return [int(path.name) for path in _PROC.iterdir() if path.name.isdigit()]


def _text(number: int, name: str) -> str:
    """What the kernel says of that process; "" when it is gone."""
    try:
        return (_PROC / str(number) / name).read_text("utf-8", "replace")
    except OSError:
        return ""


def _stat(number: int) -> list[str]:
    return _text(number, "stat").rpartition(")")[2].split()


def _open(number: int) -> set[str]:
    folder = _PROC / str(number) / "fd"
    targets: set[str] = set()
    try:
        for path in folder.iterdir():
            targets.add(str(path.readlink()))
    except OSError:
        pass  # it has ended, or closed something meanwhile
    return targets
