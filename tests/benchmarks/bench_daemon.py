"""`monitor run` as a process: start-up to the first poll, then CPU and memory while 25 feeds have nothing new.

The bound, measured in the same run: an interpreter that imports nothing (start-up) and one that sleeps (memory).
Run: `python -m tests.benchmarks.bench_daemon [--seconds 30]`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.acceptance.newsroom import open_newsroom

_TICKS = os.sysconf("SC_CLK_TCK")
_FEEDS = 25


def cpu_seconds(pid: int) -> float:
    """User and system time of one process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mib(pid: int) -> float:
    """Resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0
