"""For figures, scripts/budgets and scripts/compare: builds the programs of this folder for a board of boards/
and runs those that count."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TOP, "boards"))
sys.dont_write_bytecode = True
import emulated  # noqa: E402

BOARD = "mps2-an385"  # of the figures: a Cortex-M3
DEPS = os.environ.get("FERRULE_DEPS_DIR") or os.path.join(TOP, ".deps")
# As preset m3-size; -g changes no code.
OPTIONS = (f"-DFERRULE_DEPS_DIR={DEPS}", "-DFERRULE_LTO=ON", "-DFERRULE_EXAMPLES=OFF",
           "-DCMAKE_C_FLAGS_MINSIZEREL=-Os -g -DNDEBUG")
SECONDS = 120


def tool(board, name):
    """A program of the board's compiler."""
    return f"{emulated.read_conf(board)['toolchain'][0]}-{name}"


def build(board, target):
    """The path of the executable; its map lies beside it."""
    tree = os.path.join(TOP, "build", f"figures-{board}")
    os.makedirs(tree, exist_ok=True)
    with open(tree + ".log", "w", encoding="utf-8") as log:
        for command in (emulated.configure(board, tree, *OPTIONS),
                        ["cmake", "--build", tree, "--target", target]):
            if subprocess.run(command, stdout=log, stderr=log, check=False).returncode != 0:
                sys.exit(f"{target} does not build for {board}: see {log.name}")
    folder = "bench/sizes" if target.startswith("size_") else "bench"
    return os.path.join(tree, folder, target)


def run(board, target):
    """What a program prints that counts instructions, under QEMU."""
    command = emulated.qemu_command(board, build(board, target), [], "null")
    command[1:1] = ["-icount", "shift=6"]
    # QEMU prints what the firmware says on its standard error.
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=SECONDS, check=False)
    if done.returncode != 0:
        sys.exit(f"{target} cannot be measured on {board}: {done.stdout[-500:]}")
    return done.stdout


def run_records(board, target):
    """[(peer, figure, bytes, value, unit)] of a program that seals and opens records."""
    rows = [line.split("\t")[1:] for line in run(board, target).splitlines()
            if line.startswith("record\t")]
    if not rows:
        sys.exit(f"{target} told nothing on {board}")
    return [(peer, figure, int(size), int(value), unit) for peer, figure, size, value, unit in rows]
