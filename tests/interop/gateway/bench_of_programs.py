"""What the drivers of the gateway's tests stand on: a temporary folder with a registry, a database
and devices; frames; the programs, run and watched."""
import faulthandler
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

CLI = os.environ["FERRULE_CLI"]
GATEWAY = os.environ["FERRULE_GATEWAY"]
DEVICE = os.environ["FERRULE_DEVICE"]


def frame(record):
    """COBS, one 0x00 at the end: written here a second time, from the paper."""
    out = bytearray()
    run = bytearray()
    for byte in record:
        if byte:
            run.append(byte)
            if len(run) == 254:
                out += b"\xff" + run
                run.clear()
        else:
            out += bytes([len(run) + 1]) + run
            run.clear()
    return bytes(out + bytes([len(run) + 1]) + run + b"\0")


def unframe(encoded):
    out = bytearray()
    at = 0
    while at < len(encoded):
        code = encoded[at]
        out += encoded[at + 1:at + code]
        at += code
        if code < 255 and at < len(encoded):
            out.append(0)
    return bytes(out)


def preloaded(library, **more):
    """The environment of a gateway behind this library. AddressSanitizer refuses to start behind
    one, unless told."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return dict(os.environ, LD_PRELOAD=library, **more,
                ASAN_OPTIONS=(options + ":" if options else "") + "verify_asan_link_order=0")


def on_failing_disk(what):
    """The environment of a gateway whose disk fails like that."""
    return preloaded(os.environ["FERRULE_FAILING_DISK"], FERRULE_FAIL=what)


def stream(records):
    return b"".join(frame(record) for record in records)


class Device:
    """The device end: one process, so that its numbers never repeat."""

    def __init__(self, blob):
        self.process = subprocess.Popen([DEVICE, str(blob)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def tell(self, *commands):
        for command in commands:
            self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def record(self, command):
        self.tell(command)
        return bytes.fromhex(self.process.stdout.readline().strip())

    def readings(self, count, series=1, first=0):
        return [self.record(f"reading {series} {1700000000000 + i} {i}.5")
                for i in range(first, first + count)]

    def open(self, record):
        self.tell("open " + record.hex())
        return self.process.stdout.readline().split()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.registry = self.folder / "devices.json"
        self.db = self.folder / "ferrule.db"

    # ---- programs ----

    def cli(self, *arguments, code=0):
        done = subprocess.run([CLI, *map(str, arguments)], capture_output=True, text=True,
                              timeout=60)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def provision(self, identity, *more, code=0, blob=None):
        blob = self.folder / (blob or identity + ".blob")
        done = self.cli("provision", "-i", identity, "-r", self.registry, "-d", self.db,
                        "-o", blob, *more, code=code)
        return blob if code == 0 else done

    def device(self, identity, *more):
        device = Device(self.provision(identity, *more))
        self.addCleanup(device.close)
        return device

    def arguments(self, *more):
        return [GATEWAY, "-r", str(self.registry), "-d", str(self.db), *map(str, more)]

    def run_gateway(self, *more, code=0, **options):
        done = subprocess.run(self.arguments(*more), capture_output=True, timeout=120, **options)
        done.stdout = done.stdout.decode()
        done.stderr = done.stderr.decode()
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def ingest(self, records, *more, code=0, encode=stream):
        """Runs the gateway over a capture; answers its summary."""
        capture = self.folder / "capture.bin"
        capture.write_bytes(encode(records))
        return self.summary(self.run_gateway("--file", capture, *more, code=code).stderr)

    def start_gateway(self, *more, **options):
        """Starts one that runs on; answers once it is ready."""
        errors = open(self.folder / "errors.txt", "w+b")
        self.addCleanup(errors.close)
        # Into a file: a pipe that nobody reads would hold the gateway up.
        output = open(self.folder / "output.txt", "w+b")
        self.addCleanup(output.close)
        process = subprocess.Popen(self.arguments(*more), stdout=output, stderr=errors, **options)
        self.addCleanup(self.end, process)
        self.wait_for(lambda: "ready:" in self.errors() or process.poll() is not None)
        self.assertIsNone(process.poll(), self.errors())
        return process

    def errors(self):
        return (self.folder / "errors.txt").read_text()

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def output(self):
        return (self.folder / "output.txt").read_text()

    def stop_gateway(self, process, how=signal.SIGTERM):
        process.send_signal(how)
        self.assertEqual(process.wait(timeout=30), 0, self.errors())
        return self.output(), self.summary(self.errors())

    # ---- looking ----

    def wait_for(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.02)

    def summary(self, errors):
        """Every NAME=NUMBER of the summary."""
        lines = [line for line in errors.splitlines() if "summary:" in line]
        self.assertTrue(lines, errors)
        return {name: int(number) for line in lines
                for name, number in re.findall(r"([a-z-]+)=(\d+)", line)}

    def rejected(self, summary):
        """The reasons that were counted, without the zeros."""
        reasons = ["malformed", "unknown-route", "closed-device", "old", "far-future", "replayed",
                   "claim-forged", "tag-forged", "session-required", "version", "throttled", "database-behind",
                   "out-of-memory"]
        return {reason: summary[reason] for reason in reasons if summary[reason]}

    def query(self, sql, *values):
        connection = sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def count(self, table="record"):
        return self.query(f"SELECT count(*) FROM {table}")[0][0]

    def state(self):
        return self.query("SELECT identity, epoch, hex(snapshot) FROM device ORDER BY identity")

    def one_line(self, text, *words):
        """Exactly one line, and it names the cause."""
        lines = text.strip().splitlines()
        self.assertEqual(len(lines), 1, text)
        for word in words:
            self.assertIn(word, lines[0])

    def lines(self, text):
        return [json.loads(line) for line in text.splitlines()]


HUNG_SECONDS = 570  # less than CTest's limit, so that it is said where


def main():
    faulthandler.dump_traceback_later(HUNG_SECONDS, exit=True)
    unittest.main(verbosity=2)


def skip(why):
    print("SKIPPED:", why)
    sys.exit(77)
