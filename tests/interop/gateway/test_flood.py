"""gateway_flood: a flood of forgeries does not delay an honest device.

One honest device sends 20 records a second by datagram, another by a unix stream. The time from
sending a record until its JSON line is there, which follows its commit, is taken without a flood and
then under one: as fast as one core can send, from 250 addresses, forgeries of every kind. Each
link's median and 95th percentile under the flood are at most twice those just before it. What else
the machine does comes and goes, so it is enough that each of the four holds in one of ATTEMPTS
attempts. Under a sanitizer the times are only told: its own cost is not the gateway's.

A device that hears no receipt sends again, and so do these, each RESEND seconds; the time counts
from the first sending. Every datagram of the flood is accounted for: refused, dropped for its
source, or dropped by the kernel (HONEST)."""
import json
import os
import random
import signal
import socket
import statistics
import struct
import subprocess
import time

from bench_of_programs import Bench, frame, main

SEED = int(os.environ.get("FERRULE_SEED", "20261129"))
FLOOD = os.environ["FERRULE_FLOOD"]
SANITIZED = "FERRULE_SANITIZED" in os.environ
ATTEMPTS = 1 if SANITIZED else 6
RATE = 20
SECONDS = 2.5
MOST = 5_000_000  # datagrams of one flood; it ends by itself
RESEND = 0.15
TIMES = 2


class Honest:
    """One device on one link."""

    def __init__(self, name, identity, device, send):
        self.name, self.identity, self.device, self.send_bytes = name, identity, device, send
        self.waiting = {}  # sequence: [record, first sent, last sent]
        self.next = 0
        self.took = []
        self.resent = 0

    def send(self):
        record, = self.device.readings(1, first=self.next)
        now = time.monotonic()
        self.waiting[self.next] = [record, now, now]
        self.next += 1
        self.send_bytes(record)

    def send_again(self):
        now = time.monotonic()
        for entry in self.waiting.values():
            if now - entry[2] > RESEND:
                entry[2] = now
                self.resent += 1
                self.send_bytes(entry[0])

    def stored(self, sequence):
        self.took.append(time.monotonic() - self.waiting.pop(sequence)[1])

    def times(self):
        """(median, 95th percentile) in milliseconds of what was stored since the last call."""
        took, self.took = sorted(self.took), []
        return 1000 * statistics.median(took), 1000 * took[int(0.95 * len(took))]


class Flood(Bench):
    def setUp(self):
        super().setUp()
        print("seed", SEED)
        self.rng = random.Random(SEED)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.a = self.device("a", "--route", "a1b2c3d4")
        self.b = self.device("b", "--route", "a1b2c3d5")
        self.victim = self.device("victim", "--route", "a1b2c3d6")

    # ---- forgeries ----

    def forgeries(self):
        """{what: (is a replay, datagram)}, made from what anyone on the path has seen."""
        victim = self.victim
        victim.tell("generation 200")
        seen = [victim.record("reading 1 0 1") for _ in range(8)]
        self.ingest(seen)
        victim.tell("lane backlog")
        backlog = victim.record("reading 1 0 2")
        victim.tell("lane live", "generation 1200")
        far = victim.record("reading 1 0 3")  # held back: its claim is good
        short = bytes([seen[0][0] & ~0x10]) + seen[0][1:5]
        body = self.rng.randbytes(40)
        return {
            "current generation": (0, short + bytes([200, 99, 0]) + body),
            "8 ahead": (0, short + bytes([208, 0, 0]) + body),
            "60 back": (0, short + bytes([140, 0, 0]) + body),
            "forged claim": (0, far[:5] + struct.pack("<I", 900) + far[9:]),
            "captured claim": (0, far),
            "backlog": (0, backlog),
            "full": (0, seen[0][:9] + struct.pack("<I", 77) + seen[0][13:]),
            "honest route": (0, short[:4] + b"\xd4" + bytes([0, 255, 255]) + body),
            "no route": (0, short[:1] + self.rng.randbytes(4) + seen[0][5:]),
            "garbage": (0, self.rng.randbytes(120)),
            "malformed": (0, bytes([seen[0][0] | 1]) + seen[0][1:]),
            "long": (0, short + bytes([208, 0, 0]) + self.rng.randbytes(1200)),
            "replay": (1, seen[0]),
            "another replay": (1, seen[7]),
        }

    def write_forgeries(self):
        path = self.folder / "forgeries"
        path.write_bytes(b"".join(struct.pack("<HB", len(datagram), is_replay) + datagram
                                  for is_replay, datagram in self.forgeries().values()))
        return path

    # ---- a while of honest traffic ----

    def read_lines(self):
        """Takes in what the gateway has printed since the last call."""
        self.unread += self.lines_file.read()
        *lines, self.unread = self.unread.split("\n")
        for line in map(json.loads, lines):
            for honest in self.honest:
                if line["type"] == "record" and honest.identity == line["device"] and \
                        line["sequence"] in honest.waiting:
                    honest.stored(line["sequence"])

    def run_for(self, seconds):
        """Both devices send for so long, and until all is stored; answers their times by link."""
        end = time.monotonic() + seconds
        due = time.monotonic()
        while time.monotonic() < end or any(honest.waiting for honest in self.honest):
            self.assertLess(time.monotonic(), end + 20, "honest records are not stored")
            if due <= time.monotonic() < end:
                # Not in step with the gateway's commits.
                due += (0.5 + self.rng.random()) / RATE
                for honest in self.honest:
                    honest.send()
            for honest in self.honest:
                honest.send_again()
            self.read_lines()
            time.sleep(0.001)
        return {honest.name: honest.times() for honest in self.honest}

    def attempt(self, forgeries):
        quiet = self.run_for(SECONDS)
        flood = subprocess.Popen([FLOOD, str(self.port), str(int(1000 * SECONDS + 1000)), str(MOST),
                                  str(forgeries)], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)  # until every bucket is empty
        flooded = self.run_for(SECONDS)
        sent = int(flood.communicate(timeout=60)[0])
        self.assertEqual(flood.returncode, 0)
        self.sent += sent
        ratios = {}
        for name, times in quiet.items():
            for what, before, under in zip(("median", "95th percentile"), times, flooded[name]):
                ratios[name, what] = under / before
                print(f"    {name}, {what}: {before:.1f} ms, {under:.1f} ms under the flood")
        print(f"    {sent / (SECONDS + 1):.0f} forgeries a second, at worst "
              f"{max(ratios.values()):.2f} times", flush=True)
        return ratios

    def start(self):
        """The gateway as it is by default, and the two devices."""
        path = self.folder / "s"
        process = self.start_gateway("--listen-unix", path, "--udp", f"127.0.0.1:{self.port}")
        by_datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        by_stream = socket.socket(socket.AF_UNIX)
        self.addCleanup(by_datagram.close)
        self.addCleanup(by_stream.close)
        by_datagram.bind(("127.0.1.1", 0))
        by_stream.connect(str(path))
        self.honest = [
            Honest("datagrams", "a", self.a,
                   lambda data: by_datagram.sendto(data, ("127.0.0.1", self.port))),
            Honest("stream", "b", self.b, lambda data: by_stream.sendall(frame(data)))]
        self.lines_file = open(self.folder / "output.txt", encoding="utf-8")
        self.addCleanup(self.lines_file.close)
        self.unread = ""
        return process

    def test_honest_devices_are_not_delayed(self):
        forgeries = self.write_forgeries()
        process = self.start()
        self.sent = 0
        best = self.attempt(forgeries)
        for _ in range(ATTEMPTS - 1):
            if max(best.values()) > TIMES:
                again = self.attempt(forgeries)
                best = {what: min(best[what], again[what]) for what in best}
        self.wait_for(lambda: self.counted(self.ask(process)) >= self.sent)
        _, summary = self.stop_gateway(process)
        resent = sum(honest.resent for honest in self.honest)
        print(f"    {resent} honest records sent again, {summary['datagrams-overflowed']} datagrams "
              f"dropped by the kernel, {summary['throttled']} for their source", flush=True)
        if not SANITIZED:
            self.assertLessEqual(max(best.values()), TIMES, best)
        self.assertGreater(self.sent, 100_000, "that was no flood")
        self.account(summary)

    def test_known_devices_are_not_pushed_out(self):
        """While the gateway cannot read at all, the kernel's buffer overflows: not a known device's."""
        forgeries = self.write_forgeries()
        process = self.start()
        self.run_for(0.2)
        process.send_signal(signal.SIGSTOP)
        sent = int(subprocess.run([FLOOD, str(self.port), "20000", "200000", str(forgeries)],
                                  stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(50):
            self.honest[0].send()
        process.send_signal(signal.SIGCONT)
        self.wait_for(lambda: self.query("SELECT count(*) FROM record WHERE identity = 'a'") ==
                      [(self.honest[0].next,)])
        self.wait_for(lambda: self.counted(self.ask(process)) >= sent)
        _, summary = self.stop_gateway(process)
        self.assertGreater(summary["datagrams-overflowed"], 0)

    def ask(self, process):
        """The summary of so far."""
        before = self.errors().count("acks-sent=")
        process.send_signal(signal.SIGUSR1)
        self.wait_for(lambda: self.errors().count("acks-sent=") > before)
        return self.summary(self.errors())

    def counted(self, summary):
        return sum(self.rejected(summary).values()) + summary["datagrams-overflowed"]

    def account(self, summary):
        """Nothing went by uncounted, and every kind of forgery was looked at."""
        refused = self.rejected(summary)
        honest = sum(honest.next for honest in self.honest)
        resent = sum(honest.resent for honest in self.honest)
        self.assertEqual(summary["stored"], honest)
        self.assertLessEqual(self.sent, self.counted(summary))
        self.assertLessEqual(self.counted(summary), self.sent + resent)
        for reason in ("malformed", "unknown-route", "replayed", "claim-forged", "tag-forged",
                       "throttled"):
            self.assertIn(reason, refused)


if __name__ == "__main__":
    main()
