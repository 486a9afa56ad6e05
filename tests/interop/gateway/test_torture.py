"""gateway_torture: a gateway that is killed all the time stores each record exactly once (ONCE).

Four devices, which reboot, speak short and full form on both lanes and send again what was not
stored, out of order and some of it twice; a gateway that gets SIGKILL at any moment, while the
database is locked, the disk is full or a flush fails. After every death

  - each line printed and each receipt sent has its rows, and no row is gone;
  - a gateway started on what is left refuses every record that has rows, out of a replay of all
    that was sent so far, and opens every other: rows and receive state agree;
  - nothing is printed twice.

FERRULE_QUICK makes it a tenth. The counts go to FERRULE_EVIDENCE, where that is set."""
import json
import os
import pathlib
import random
import select
import signal
import socket
import sqlite3
import subprocess
import time

from bench_of_programs import Bench, Device, DEVICE, frame, main, on_failing_disk, unframe

SEED = int(os.environ.get("FERRULE_SEED", "20261129"))
QUICK = "FERRULE_QUICK" in os.environ
KILLS = 20 if QUICK else 200
RECORDS = 10_000 if QUICK else 100_000
DEVICES = 4
REORDERED = 100  # how far records are moved; a gateway remembers 256 numbers
PENDING_MAX = 1000  # of a device; then it sends nothing new
EVIDENCE = os.environ.get("FERRULE_EVIDENCE")


class Sender:
    """What one device sends, sealed beforehand: [(key, frame)] in the order of sending, where a
    key is (identity, generation, lane, sequence)."""

    def __init__(self, identity, blob, count, rng):
        self.identity = identity
        self.receipts = Device(blob)
        self.generation = 0
        keys, commands = self.plan(count, rng)
        done = subprocess.run([DEVICE, str(blob)], input="\n".join(commands) + "\n", text=True,
                              stdout=subprocess.PIPE, check=True)
        frames = [frame(bytes.fromhex(line)) for line in done.stdout.splitlines()]
        assert len(frames) == len(keys)
        order = sorted(range(count), key=lambda i: i + rng.random() * REORDERED)
        self.records = [(keys[i], frames[i]) for i in order]
        self.at = 0  # how many were sent at least once

    def plan(self, count, rng):
        keys, commands, generation = [], [], 0
        while len(keys) < count:
            generation += rng.randrange(1, 4)
            commands += ["way " + rng.choice(["one", "one", "two"]), f"generation {generation}"]
            sequences = {"live": 0, "backlog": 0}
            lane = ""
            for _ in range(min(rng.randrange(REORDERED, 500), count - len(keys))):
                if not lane or rng.random() < 0.05:
                    lane = rng.choice(["live", "live", "backlog"])
                    commands.append("lane " + lane)
                value = len(keys)
                commands.append(f"reading 1 {1700000000000 + value} {value}.5")
                keys.append((self.identity, generation, lane, sequences[lane]))
                sequences[lane] += 1
        return keys, commands

    def open(self, record):
        """A receipt's (generation, sequence); it is of the generation in its header."""
        first, generation = record[0], int.from_bytes(record[5:9], "little")
        assert first & 0x20, "not a downlink"
        assert generation >= self.generation, "receipts of an older generation than before"
        self.generation = generation
        self.receipts.tell(f"generation {generation}")
        kind, *numbers = self.receipts.open(record)
        assert kind == "receipt", (kind, numbers)
        return tuple(map(int, numbers))


class Torture(Bench):
    def setUp(self):
        super().setUp()
        print("seed", SEED, flush=True)
        for name in ("kills", "torture_records") if EVIDENCE else ():
            pathlib.Path(EVIDENCE, name).unlink(missing_ok=True)
        self.rng = random.Random(SEED)
        self.senders = []
        for i in range(DEVICES):
            identity = f"d{i}"
            blob = self.provision(identity, "--route", f"a1b2c3d{i}")
            self.senders.append(Sender(identity, blob, RECORDS // DEVICES, self.rng))
            self.addCleanup(self.senders[-1].receipts.close)
        self.sent = []  # (key, frame), in the order of the first sending
        self.rows = set()
        self.last_id = 0
        self.printed = set()
        self.tally = dict.fromkeys(["kills", "deaths of its own", "stored before a death",
                                    "receipts", "replays refused"], 0)

    # ---- what must hold after every death ----

    def check_rows(self):
        """No row is gone, none is there twice."""
        rows = self.query("SELECT id, identity, generation, lane, sequence FROM record"
                          " WHERE id > ?", self.last_id)
        lanes = ("live", "backlog")
        fresh = {(identity, generation, lanes[lane], sequence)
                 for _, identity, generation, lane, sequence in rows}
        self.assertEqual(len(fresh), len(rows))
        self.assertTrue(fresh.isdisjoint(self.rows), "stored twice")
        self.rows |= fresh
        self.last_id = max([self.last_id] + [row[0] for row in rows])
        self.assertEqual(self.query("SELECT count(*) FROM record"), [(len(self.rows),)])

    def check_lines(self, text):
        """Each whole line has its row, and none was printed before."""
        whole = text[:text.rfind("\n") + 1]
        for line in whole.splitlines():
            line = json.loads(line)
            self.assertNotEqual(line["type"], "alarm", line)
            key = (line["device"], line["generation"], line["lane"], line["sequence"])
            self.assertTrue(key in self.rows, f"{key} is printed, but not stored")
            if line["type"] == "record":
                self.assertFalse(key in self.printed, f"{key} is printed twice")
                self.printed.add(key)

    def check_receipts(self, sender, data):
        """Each receipt names a record that has its row."""
        for part in data.split(b"\0")[:-1]:
            if part:
                generation, sequence = sender.open(unframe(part))
                key = (sender.identity, generation, "live", sequence)
                self.assertTrue(key in self.rows, f"{key} is acknowledged, but not stored")
                self.tally["receipts"] += 1

    def check_replay(self, everything):
        """Exactly what has no row is opened, of all that was sent so far or of what has rows."""
        again = [pair for pair in self.sent if everything or pair[0] in self.rows]
        missing = sum(key not in self.rows for key, _ in again)
        capture = self.folder / "replay"
        capture.write_bytes(b"".join(data for _, data in again))
        done = self.run_gateway("--file", capture)
        summary = self.summary(done.stderr)
        self.assertEqual((summary["frames"], summary["accepted"], summary["stored"]),
                         (len(again), missing, missing))
        self.assertEqual(sum(self.rejected(summary).values()), len(again) - missing)
        self.tally["replays refused"] += len(again) - missing
        self.check_rows()
        self.check_lines(done.stdout)

    # ---- a gateway that lives for a moment ----

    def traffic(self, sender):
        """What one device sends next: what has no row again, new records, some of it twice, and
        replays of anything. Remembers what is new."""
        pending = [pair for pair in sender.records[:sender.at] if pair[0] not in self.rows]
        share = (len(sender.records) - sender.at) // (KILLS + 1 - self.tally["kills"])
        count = int(share * self.rng.uniform(0.5, 3)) if len(pending) < PENDING_MAX else 0
        fresh = sender.records[sender.at:sender.at + count]
        replays = self.rng.choices(sender.records[:sender.at] or fresh or sender.records[:1],
                                   k=self.rng.randrange(20))
        wanted = pending + fresh
        twice = self.rng.choices(wanted, k=len(wanted) // 20) if wanted else []
        for pair in twice:  # soon after the first of its kind
            wanted.insert(min(len(wanted), wanted.index(pair) + self.rng.randrange(1, 50)), pair)
        for pair in replays:
            if pair[0] in self.rows:
                wanted.insert(self.rng.randrange(len(wanted) + 1), pair)
        return wanted, fresh

    def trouble(self):
        """(environment, lock): what goes wrong besides."""
        kind = self.rng.choice(["none"] * 4 + ["lock", "lock", "flush", "full"])
        environment = dict(os.environ)
        if kind in ("flush", "full"):
            at = self.rng.randrange(1, 12 if kind == "flush" else 40)
            environment = on_failing_disk(f"flush {at}" if kind == "flush" else
                                          f"write {at} {self.rng.randrange(1, 40)}")
        return environment, kind == "lock"

    def connect(self, process, path, until):
        """One connection per device; none where the gateway dies or the time is over before."""
        while time.monotonic() < until and process.poll() is None:
            try:
                return [self.link(path) for _ in self.senders]
            except (FileNotFoundError, ConnectionRefusedError, BrokenPipeError):
                time.sleep(0.001)
        return []

    def link(self, path):
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(path)
        except OSError:
            link.close()
            raise
        link.setblocking(False)
        return link

    def send(self, links, process, until, between):
        """Pieces of random size on random links, until it is time; keeps what was sent for the
        first time, whole or not: a record may be out of the door before it is whole."""
        queues = []
        for sender in self.senders:
            pairs, fresh = self.traffic(sender)
            queues.append((sender, pairs, {key for key, _ in fresh}))
        buffers = [b"" for _ in links]
        pause = self.rng.choice([0, 0.005, 0.02])
        while time.monotonic() < until and process.poll() is None:
            between()
            _, ready, _ = select.select([], links, [], 0.001)
            live = [i for i, link in enumerate(links)
                    if link in ready and (buffers[i] or queues[i][1])]
            if not live:
                time.sleep(0.001)
                continue
            time.sleep(self.rng.random() * pause)
            i = self.rng.choice(live)
            sender, pairs, fresh = queues[i]
            if not buffers[i]:
                piece = [pairs.pop(0) for _ in range(min(len(pairs), self.rng.randrange(1, 60)))]
                for pair in piece:
                    if pair[0] in fresh:
                        fresh.discard(pair[0])
                        self.sent.append(pair)
                        sender.at += 1
                buffers[i] = b"".join(data for _, data in piece)
            try:
                buffers[i] = buffers[i][links[i].send(buffers[i]):]
            except (BrokenPipeError, ConnectionResetError):
                return

    def collect(self, link):
        """What the gateway answered before it died."""
        data = b""
        link.settimeout(5)
        try:
            while piece := link.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        link.close()
        return data

    def live_and_die(self):
        path = str(self.folder / "s")
        pathlib.Path(path).unlink(missing_ok=True)
        environment, locked = self.trouble()
        output = self.folder / "lines"
        with open(output, "wb") as lines, open(self.folder / "errors.txt", "wb") as errors:
            process = subprocess.Popen(
                self.arguments("--listen-unix", path, "--patience", self.rng.choice([0, 1, 1]),
                               "--commit-records", self.rng.choice([1, 4, 32, 256]),
                               "--commit-ms", self.rng.choice([0, 2, 20])),
                stdout=lines, stderr=errors, env=environment)
            self.addCleanup(self.end, process)
            until = time.monotonic() + self.rng.uniform(0.5, 1.5) * (
                0.4 if locked else self.rng.choice([0.02, 0.12, 0.2]))
            links = self.connect(process, path, until)
            other = sqlite3.connect(self.db, isolation_level=None, timeout=0)
            if links:
                self.send(links, process, until, self.lock(other) if locked else lambda: None)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            died = process.wait()
            other.close()
        self.assertIn(died, (-signal.SIGKILL, 1), self.errors())
        self.assertNotIn("Sanitizer", self.errors())
        self.assertNotIn("ASan", self.errors())  # it did start
        self.tally["kills" if died == -signal.SIGKILL else "deaths of its own"] += 1
        before = len(self.rows)
        self.check_rows()
        self.tally["stored before a death"] += len(self.rows) - before
        self.check_lines(output.read_text())
        for sender, link in zip(self.senders, links):
            self.check_receipts(sender, self.collect(link))

    def lock(self, other):
        """Another program holds the database, for a moment or until the gateway is dead; answers
        what ends it in time."""
        end = time.monotonic() + self.rng.choice([0.02, 0.1, 60])
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            pass  # the gateway is writing just now

        def unlock():
            if other.in_transaction and time.monotonic() > end:
                other.execute("ROLLBACK")
        return unlock

    # ---- the whole ----

    def test_killed_again_and_again(self):
        began = time.monotonic()
        while self.tally["kills"] < KILLS:
            self.live_and_die()
            self.check_replay(everything=self.rng.random() < 0.5)
        self.assertGreater(self.tally["stored before a death"], RECORDS // 20)
        for sender in self.senders:
            self.sent += sender.records[sender.at:]
        self.check_replay(everything=True)
        self.assertTrue(self.rows == {key for sender in self.senders
                                      for key, _ in sender.records}, "other rows than records")
        each = RECORDS // DEVICES
        self.assertEqual(
            self.query("SELECT identity, count(*), count(DISTINCT value), sum(value) FROM reading"
                       " JOIN record ON record.id = record GROUP BY identity ORDER BY identity"),
            [(sender.identity, each, each, sum(i + 0.5 for i in range(each)))
             for sender in self.senders])
        self.assertGreater(self.tally["receipts"], KILLS // 10)
        print(", ".join(f"{count} {name}" for name, count in self.tally.items()) +
              f", {len(self.rows)} records, {time.monotonic() - began:.0f} s", flush=True)
        self.leave_evidence()

    def leave_evidence(self):
        for name, count in (("kills", self.tally["kills"]), ("torture_records", len(self.rows))):
            if EVIDENCE:
                pathlib.Path(EVIDENCE, name).write_text(f"{count}\n")


if __name__ == "__main__":
    main()
