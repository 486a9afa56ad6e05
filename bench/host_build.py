"""For figure_host_*: builds the programs of bench/host as a user would build Ferrule on a host."""
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TREE = os.path.join(TOP, "build", "figures-host")
SIZES = (32, 64, 256, 1024)


def build(target):
    """Answers the path of the executable."""
    os.makedirs(TREE, exist_ok=True)
    log = os.path.join(TREE, "build.log")
    deps = os.environ.get("FERRULE_DEPS_DIR", os.path.join(TOP, ".deps"))
    configure = ["cmake", "-S", TOP, "-B", TREE, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                 f"-DFERRULE_DEPS_DIR={deps}", "-DFERRULE_TESTS=OFF", "-DFERRULE_EXAMPLES=OFF",
                 "-DFERRULE_GATEWAY=OFF"]
    with open(log, "w", encoding="utf-8") as out:
        for command in (configure, ["cmake", "--build", TREE, "--target", target]):
            if subprocess.run(command, stdout=out, stderr=out, check=False).returncode != 0:
                sys.exit(f"{os.path.basename(sys.argv[0])}: {target} does not build: see {log}")
    return os.path.join(TREE, "bench", target)


def report(name, value, unit, bound):
    verdict = "ok" if bound == "-" or float(value) <= bound else "short"
    print(name, value, unit, bound, verdict, sep="\t", flush=True)
