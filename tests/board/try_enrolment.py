#!/usr/bin/env python3
"""Example 02 with sessions: a blank emulated board is enrolled by the real tool while its power is cut
at moments chosen by chance (seed FERRULE_SEED), keeps the key it was pinned with, and then reports in
a session of the real gateway.

    try_enrolment.py --tools DIR --work DIR [--deps DIR] [--cuts N]

Ends with 77, saying so, where the emulator or the cross compiler is missing."""
import argparse
import importlib.machinery
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import types

sys.dont_write_bytecode = True
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "02-cortex-m-uart"
BOARD = "mps2-an385"
SESSION = 2
ROWS = 40
BLANK = b"\xff" * 2048
PATIENCE = 60


def load(name):
    """A script of the example, as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(EXAMPLE / name))
    module = types.ModuleType(loader.name)
    module.__file__ = str(EXAMPLE / name)
    loader.exec_module(module)
    return module


series = load("run-series")
series.NAME = "try_enrolment"
fail = series.fail


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            fail(f"{what} did not happen within {PATIENCE} s")
        time.sleep(0.02)
    return found


class Path(series.Path):
    """A board with two flash regions, and the tools at its line."""

    def provision(self):
        shutil.rmtree(self.work)
        os.makedirs(self.work)
        self.ferrule("provision", "--identity", series.IDENTITY, *self.files, "--route-bytes", "2",
                     "--out", self.at("board.blob"))
        for name in "nv.img", "keys.img":
            pathlib.Path(self.at(name)).write_bytes(BLANK)
        done = subprocess.run([os.path.join(self.tools, "ferrule"), "keygen", "--static",
                               self.at("gateway.key")], check=True, capture_output=True, text=True)
        self.fingerprint = done.stdout.split()[3]

    def start_board(self):
        for name in "link.sock", "sensor.sock":
            pathlib.Path(self.at(name)).unlink(missing_ok=True)
        console = open(self.at("console.txt"), "w")
        board = subprocess.Popen(
            series.emulated.qemu_command(self.board, self.firmware,
                                         ["nv.img", "keys.img", self.fingerprint],
                                         f"unix:{self.at('link.sock')},server=on,wait=off",
                                         f"unix:{self.at('sensor.sock')},server=on,wait=off"),
            cwd=self.work, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        wait_for(lambda: os.path.exists(self.at("sensor.sock")), "the board's start")
        return board

    def said(self, words):
        with open(self.at("console.txt"), errors="replace") as console:
            return [line.split(words, 1)[1].strip() for line in console if words in line]

    def start_enrolling(self, fingerprint):
        return subprocess.Popen(
            [os.path.join(self.tools, "ferrule"), "enroll", "-r", self.at("devices.json"), "-i",
             series.IDENTITY, "--key", self.at("gateway.key"), "--unix", self.at("link.sock"),
             "--expect", fingerprint, "--blob", self.at("board.blob"), "--required", "--wait", "20"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def pinned(self):
        with open(self.at("devices.json")) as file:
            return json.load(file)["devices"][0].get("static")


def cut(path, number, chance):
    """One enrolment that is cut: while the board draws its key, while it waits for a gateway, or,
    twice as often, between the gateway's key and the receipt. Answers how far it came."""
    board = path.start_board()
    tool = None
    if number % 4 == 0:
        time.sleep(chance.uniform(0, 0.15))
    else:
        tool = path.start_enrolling(wait_for(lambda: path.said("enrolment: this board"),
                                             "a fingerprint")[0])
        if number % 4 == 1:
            time.sleep(chance.uniform(0, 0.5))
        else:
            wait_for(lambda: path.said("enrolment: the gateway"), "a gateway")
            time.sleep(chance.uniform(0, 0.03))
    board.kill()
    board.wait()
    if tool is not None:
        tool.communicate(timeout=PATIENCE)
    return ("installed" if path.said("enrolment: done") else
            "met" if path.said("enrolment: the gateway") else "begun")


def power_cuts(path, cuts):
    """Enrolments that are cut. A board that came through is checked, and another takes its place."""
    chance = random.Random(int(os.environ.get("FERRULE_SEED", "1")))
    pinned = None
    reached = []
    for number in range(cuts):
        reached.append(cut(path, number, chance))
        key = path.pinned()
        if pinned is not None and key != pinned:
            fail("the board came with another key than it was pinned with")
        pinned = key or pinned
        if reached[-1] == "installed":
            finish(path)
            path.provision()
            pinned = None
    print(f"try_enrolment: {len(reached)} power cuts: " + ", ".join(
        f"{reached.count(stage)} {stage}" for stage in ("begun", "met", "installed")), flush=True)


def finish(path):
    """Uncut; answers whether the board asked. Where only the receipt was lost, it is enrolled already,
    and does not."""
    board = path.start_board()
    before = path.pinned()
    time.sleep(1)
    asked = path.said("enrolment: this board")
    for shown in asked:
        tool = path.start_enrolling(shown)
        _, errors = tool.communicate(timeout=PATIENCE)
        if tool.returncode != 0:
            fail(f"the board cannot be enrolled: {errors.strip()}")
    if before is not None and path.pinned() != before:
        fail("the board came with another key than it was pinned with")
    board.kill()
    board.wait()
    return bool(asked)


def between_the_writes(path):
    """A moment too short for chance: the gateway's key is written, the credential is not."""
    pathlib.Path(path.at("nv.img")).write_bytes(BLANK)
    if not finish(path):
        fail("a board without a credential does not ask for one")


def report(path):
    """The enrolled board, in sessions, over a line that the gateway listens on."""
    gateway = subprocess.Popen(
        [os.path.join(path.tools, "ferrule-gateway"), *path.files, "--quiet", "--key",
         path.at("gateway.key"), "--listen-unix", path.at("gateway.sock")])
    try:
        wait_for(lambda: os.path.exists(path.at("gateway.sock")), "the gateway's start")
        board = subprocess.Popen(
            series.emulated.qemu_command(BOARD, path.firmware,
                                         ["nv.img", "keys.img", path.fingerprint],
                                         f"unix:{path.at('gateway.sock')}",
                                         f"unix:{path.at('sensor.sock')},server=on,wait=on"),
            cwd=path.work)
        with open(path.at("rows.csv"), "w") as file:
            file.write("timestamp,value\n")
            file.writelines(f"2020-01-01 00:00:{i:02},{i}.5\n" for i in range(ROWS))
        sensor = path.start_sensor(path.at("rows.csv"), 0, ROWS)
        if board.wait(PATIENCE) != 0:
            fail("the board stopped with an error")
        sensor.wait(PATIENCE)
        path.settle(ROWS)
        gateway.send_signal(signal.SIGTERM)
        if gateway.wait(PATIENCE) != 0:
            fail("the gateway failed")
    finally:
        if gateway.poll() is None:
            gateway.kill()
    if len(path.stored()) != ROWS:
        fail(f"{len(path.stored())} of {ROWS} readings are stored")
    with sqlite3.connect(f"file:{path.at('ferrule.db')}?mode=ro", uri=True) as db:
        kinds = db.execute("SELECT DISTINCT kind FROM record").fetchall()
    if kinds != [(SESSION,)]:
        fail(f"records outside sessions: kinds {kinds}")
    print(f"try_enrolment: {ROWS} readings, each once, in a session", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", required=True, help="folder of ferrule and ferrule-gateway")
    parser.add_argument("--work", required=True, help="folder for everything made on the way")
    parser.add_argument("--deps", help="FERRULE_DEPS_DIR of the firmware's build")
    parser.add_argument("--cuts", type=int, default=12)
    args = parser.parse_args()
    for program in series.emulated.find_missing(BOARD):
        series.skip(f"{program} is not installed")
    os.makedirs(args.work, exist_ok=True)
    args.work = os.path.abspath(args.work)
    firmware = series.emulated.build_firmware(BOARD, EXAMPLE.name, "example_02_cortex_m_session",
                                              args.work, args.deps)
    path = Path(os.path.join(args.work, "board"), args.tools, BOARD, firmware)
    os.makedirs(path.work, exist_ok=True)
    path.provision()
    power_cuts(path, args.cuts)
    finish(path)
    between_the_writes(path)
    if finish(path):
        fail("a board that is enrolled asks again")
    report(path)


if __name__ == "__main__":
    main()
