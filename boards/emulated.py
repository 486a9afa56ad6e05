"""Builds firmware for a board of boards/ and starts it under QEMU, for demonstrations and tests."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)


def list_boards():
    return sorted(name for name in os.listdir(HERE)
                  if os.path.exists(os.path.join(HERE, name, "board.conf")))


def read_conf(board):
    """The words of each key."""
    with open(os.path.join(HERE, board, "board.conf")) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {key: words for key, *words in lines}


def has_sensor_line(board):
    return int(read_conf(board)["lines"][0]) > 1


def find_missing(board):
    """The programs that a board needs and this machine lacks."""
    conf = read_conf(board)
    return [name for name in (conf["qemu"][0], conf["toolchain"][0] + "-gcc")
            if not shutil.which(name)]


def configure(board, tree, *options):
    """The command that configures a tree of firmware without tests."""
    toolchain = os.path.join(TOP, "cmake", f"toolchain-{read_conf(board)['toolchain'][0]}.cmake")
    return ["cmake", "-S", TOP, "-B", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=MinSizeRel",
            "--toolchain", toolchain, f"-DFERRULE_BOARD={board}", "-DFERRULE_TESTS=OFF", *options]


def build_firmware(board, example, target, work, deps=None):
    """Builds the target of examples/EXAMPLE below `work`; returns the path of the executable."""
    tree = os.path.join(work, "firmware")
    options = [f"-DFERRULE_DEPS_DIR={deps}"] if deps else []
    with open(os.path.join(work, "firmware.log"), "w") as log:
        for command in (configure(board, tree, *options),
                        ["cmake", "--build", tree, "--target", target]):
            if subprocess.run(command, stdout=log, stderr=log).returncode != 0:
                sys.exit(f"the firmware does not build: see {log.name}")
    return os.path.join(tree, "examples", example, target)


def qemu_command(board, firmware, arguments, *lines):
    """The emulator with the firmware's arguments, files of its flash first, and where its serial
    lines lead."""
    serial = [word for line in lines for word in ("-serial", line)]
    host = ",".join(["enable=on,target=native", *(f"arg={text}" for text in arguments)])
    return [*read_conf(board)["qemu"], "-display", "none", "-monitor", "none", *serial,
            "-semihosting-config", host, "-kernel", firmware]
