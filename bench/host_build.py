"""For figure_host_*: builds the programs of bench/host as a user would build Ferrule on a host."""
import os
import re
import subprocess
import sys
import tempfile

import bounds

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TREE = os.path.join(TOP, "build", "figures-host")
PROGRAMS = {"ferrule-gateway": "gateway/ferrule-gateway", "ferrule-cli": "gateway/ferrule"}
SIZES = (32, 64, 256, 1024)


def build(target, path=None):
    """Answers the path of the executable, which is bench/TARGET if not told otherwise."""
    os.makedirs(TREE, exist_ok=True)
    log = os.path.join(TREE, "build.log")
    deps = os.environ.get("FERRULE_DEPS_DIR", os.path.join(TOP, ".deps"))
    configure = ["cmake", "-S", TOP, "-B", TREE, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                 f"-DFERRULE_DEPS_DIR={deps}", "-DFERRULE_TESTS=OFF", "-DFERRULE_EXAMPLES=OFF",
                 "-DFERRULE_GATEWAY=ON"]
    with open(log, "w", encoding="utf-8") as out:
        for command in (configure, ["cmake", "--build", TREE, "--target", target]):
            if subprocess.run(command, stdout=out, stderr=out, check=False).returncode != 0:
                sys.exit(f"{os.path.basename(sys.argv[0])}: {target} does not build: see {log}")
    return os.path.join(TREE, path or PROGRAMS.get(target, f"bench/{target}"))


def count(arguments, function):
    """Instructions that callgrind counts in a function of a program, in all its calls, and what the
    program printed."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        run = subprocess.run(
            ["valgrind", "--quiet", "--tool=callgrind", f"--toggle-collect={function}",
             f"--callgrind-out-file={out}", *arguments],
            stdout=subprocess.PIPE, text=True, check=False,
            env=dict(os.environ, LD_BIND_NOW="1"))  # no call pays for finding a symbol
        me = os.path.basename(sys.argv[0])
        if run.returncode != 0:
            sys.exit(f"{me}: {' '.join(arguments[1:])} cannot be counted")
        with open(out, encoding="utf-8") as file:
            total = int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.M).group(1))
    if total == 0:
        sys.exit(f"{me}: nothing was counted in {function}")
    return total, run.stdout.split()


def report(name, value, unit, bound):
    verdict = "ok" if bounds.meets(value, str(bound)) else "short"
    print(name, value, unit, bound, verdict, sep="\t", flush=True)
