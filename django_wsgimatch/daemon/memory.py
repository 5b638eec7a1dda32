"""What a process costs in memory: PSS, the pages of its own and its share of the others."""

from __future__ import annotations


def proportional_set_size(pid: int) -> int | None:
    """Return a process's PSS in bytes, None where the system does not tell."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None
