"""Compiles `native/` into the package where there is a C compiler; says so where there is none, and goes on without."""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = "native"
TARGET = Path("monitor/core/native.abi3.so")
STABLE_SINCE = "cp311"  # the version of Python whose stable interface is used: native/native.h
FLAGS = ("-std=c11", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra")
LINKED = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)


class CompiledMatcher(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled matcher to a wheel, or to the source tree that an editable install uses."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are gathered."""
        problem = compile_into(Path(self.root))
        if problem:
            if version == "editable":
                (Path(self.root) / TARGET).unlink(missing_ok=True)  # never one of other sources
            self.app.display_warning(f"matching will run in pure Python: {problem}")
            return
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"{STABLE_SINCE}-abi3-{platform}"
        build_data["artifacts"].append(f"/{TARGET}")


def compile_into(root: Path) -> str:
    """Compile the sources under a root. Return why that could not be done, in one line; nothing if it was."""
    if os.environ.get("MONITOR_PURE_PYTHON"):
        return "MONITOR_PURE_PYTHON is set"
    if sys.implementation.name != "cpython" or not sysconfig.get_config_var("CC"):
        return "this Python has no stable C interface"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC"))
    unfinished = root / TARGET.with_suffix(".new")
    command = [
        *compiler,
        *FLAGS,
        *shlex.split(os.environ.get("CFLAGS", "")),
        *LINKED,
        f"-I{sysconfig.get_path('include')}",
        *map(str, sorted((root / SOURCES).glob("*.c"))),
        "-o",
        str(unfinished),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a compiler
    except OSError as error:
        return f"no C compiler ({error.filename}: {error.strerror})"
    if done.returncode:
        first = next(
            (line for line in done.stderr.splitlines() if "error" in line), "no reason given"
        )
        return f"the C compiler failed ({first.strip()})"
    unfinished.replace(root / TARGET)
    return ""
