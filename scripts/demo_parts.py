"""What the demonstrations are made of: the gateway, the board, the line with an attacker on it, and
the attacker's tools."""
import importlib.machinery
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import types

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "boards"))
import emulated  # noqa: E402

NAMES = {1: "load", 2: "memory", 3: "temperature", 4: "processor"}
UNITS = {1: "", 2: " MB free", 3: " °C", 4: " %"}
SHORT_WAIT, LONG_WAIT = 10, 60


def say(text=""):
    print(text, flush=True)


def scene(title):
    say(f"\n== {title}")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"demo: {what} did not happen within {seconds} s")
        time.sleep(0.05)


def connect(path):
    """Waits for the other end to create its socket."""
    end = time.monotonic() + LONG_WAIT
    while True:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(path)
            return line
        except (FileNotFoundError, ConnectionRefusedError):
            line.close()
            if time.monotonic() > end:
                sys.exit(f"demo: nobody listens on {path}")
            time.sleep(0.05)


class Gateway:
    """ferrule-gateway, its JSON lines and its counters."""

    def __init__(self, tools, out, *more):
        self.errors = []
        self.readings = 0
        self.generations = set()
        self.sessions = set()    # (generation, attempt) of the greetings that they began with
        self.latest = {}
        self.show = False
        self.shown = 0.0
        self.process = subprocess.Popen(
            [os.path.join(tools, "gateway", "ferrule-gateway"), "-r", f"{out}/devices.json",
             "-d", f"{out}/gateway.db", "--listen-unix", f"{out}/line.sock", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for target in (self._read_lines, self._read_errors):
            threading.Thread(target=target, daemon=True).start()

    def _read_lines(self):
        for text in self.process.stdout:
            line = json.loads(text)
            self.generations.add(line["generation"])
            if "session" in line:
                self.sessions.add((line["generation"], line["session"]))
            if line["type"] == "reading":
                self.readings += 1
                self.latest[line["series"]] = line["value"]
                self._print(line)

    def _print(self, line):
        if self.show and time.monotonic() - self.shown >= 1:
            self.shown = time.monotonic()
            values = "   ".join(f"{NAMES.get(s, s)} {v:.4g}{UNITS.get(s, '')}"
                                for s, v in sorted(self.latest.items()))
            say(f"   generation {line['generation']} record {line['sequence']:4}   {values}")

    def _read_errors(self):
        for text in self.process.stderr:
            self.errors.append(text.rstrip())

    def counters(self):
        """Asks for a summary (SIGUSR1) and reads it."""
        before = len(self.errors)
        self.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: sum("summary:" in e for e in self.errors[before:]) >= 3, SHORT_WAIT,
                 "a summary of the gateway")
        return self.parse(self.errors[before:])

    @staticmethod
    def parse(lines):
        found = {}
        for line in lines:
            if "summary:" in line:
                found.update({k: int(v) for k, v in re.findall(r"([\w-]+)=(\d+)", line)})
        return found

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SHORT_WAIT)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Board:
    """The emulated board; its flash is a file, so that kill -9 is a power cut."""

    def __init__(self, board, firmware, out, arguments, wait="on"):
        for name in ("uart0.sock", "uart1.sock"):
            if os.path.exists(f"{out}/{name}"):
                os.remove(f"{out}/{name}")
        self.log = open(f"{out}/board.log", "a")
        lines = [f"unix:{out}/uart0.sock,server=on,wait={wait}"]
        if emulated.has_sensor_line(board):
            lines.append(f"unix:{out}/uart1.sock,server=on,wait=off")
        self.process = subprocess.Popen(
            emulated.qemu_command(board, firmware, arguments, *lines),
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def cut_power(self):
        self.process.kill()
        self.process.wait()


class Line:
    """The serial line, and the attacker on it: sees every frame, forwards what it likes."""

    def __init__(self, out):
        self.out = out
        self.frames = []     # everything the board has sent
        self.down = b""      # everything the gateway has sent
        self.held = None     # a list: frames are kept back in it
        self.gateway = connect(f"{out}/line.sock")
        self.board = None

    def attach(self):
        """To a board that was started."""
        self.board = connect(f"{self.out}/uart0.sock")
        threading.Thread(target=self._up, args=(self.board,), daemon=True).start()
        threading.Thread(target=self._down, args=(self.gateway, self.board), daemon=True).start()

    def reattach(self):
        """To a gateway that was started again."""
        self.gateway = connect(f"{self.out}/line.sock")
        threading.Thread(target=self._down, args=(self.gateway, self.board), daemon=True).start()

    def _up(self, board):
        rest = b""
        try:
            while data := board.recv(4096):
                *frames, rest = (rest + data).split(b"\0")
                for frame in frames:
                    self._forward(frame + b"\0")
        except OSError:
            pass

    def _forward(self, frame):
        if len(frame) > 1:
            self.frames.append(frame)
        if self.held is not None:
            self.held.append(frame)
        else:
            self.inject(frame)

    def _down(self, gateway, board):
        try:
            while data := gateway.recv(4096):
                self.down += data
                board.sendall(data)
        except OSError:
            pass

    def inject(self, data):
        try:
            self.gateway.sendall(data)
        except OSError:
            pass  # nobody is there: lost, as on a wire


def load_encoder():
    """The framing of the example's own feed-sensor."""
    path = os.path.join(TOP, "examples/02-cortex-m-uart/feed-sensor")
    loader = importlib.machinery.SourceFileLoader("feed_sensor", path)
    module = types.ModuleType(loader.name)
    loader.exec_module(module)
    return module.encode_frame


encode_frame = load_encoder()


def decode_frame(frame):
    record, at = b"", 0
    while frame[at] != 0:
        block = frame[at + 1:at + frame[at]]
        record += block + b"\0"
        at += frame[at]
    return record[:-1]


def flip_one_bit(frame):
    record = bytearray(decode_frame(frame))
    record[random.randrange(len(record))] ^= 1 << random.randrange(8)
    return encode_frame(bytes(record))


def cut_short(frame):
    record = decode_frame(frame)
    return encode_frame(record[:random.randrange(1, len(record))])
