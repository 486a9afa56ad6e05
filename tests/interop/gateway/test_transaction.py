"""gateway_transaction: rows and receive state move together or not at all (ONCE)."""
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from bench_of_programs import Bench, Device, main, stream

SEED = int(os.environ.get("FERRULE_SEED", "20261122"))


class Storing(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("a", "--route", "a1b2")

    def test_everything_has_its_row(self):
        records = [self.a.record(command) for command in (
            "reading 7 1700000000000 21.5", "event hot", "raw 0102", "name 7 temp degC", "health",
            "boot 7 5000 1")]
        self.a.tell("lane backlog")
        records += [self.a.record("boot 7 6000 2")]
        done = self.run_gateway("--file", "-", input=stream(records))
        self.assertEqual(self.summary(done.stderr)["stored"], 7)
        self.assertEqual(self.query("SELECT series, time_ms, unix_ms, value FROM reading LIMIT 1"),
                         [(7, 1700000000000, 1700000000000, 21.5)])
        health, = (line for line in self.lines(done.stdout) if line["type"] == "health")
        self.assertEqual([health[name] for name in (
            "uptime_ms", "readings_dropped", "messages_dropped", "inbound_rejected",
            "inbound_frames_dropped", "records_sealed", "burns_delayed", "commands_stale",
            "commands_repeated")], [123456789, 1, 2, 3, 4, 5, 6, 7, 8])
        self.assertEqual(self.query("SELECT severity, text FROM event"), [(2, "hot")])
        self.assertEqual(self.query("SELECT name, unit FROM series"), [("temp", "degC")])
        self.assertEqual(self.query("SELECT uptime_ms, generation, readings_dropped, "
                                    "messages_dropped, inbound_rejected, inbound_frames_dropped, "
                                    "records_sealed, burns_delayed FROM health"),
                         [(123456789, 0, 1, 2, 3, 4, 5, 6)])
        self.assertEqual(self.query("SELECT lane, sequence FROM record ORDER BY id"),
                         [(0, i) for i in range(6)] + [(1, 0)])
        placed, backlog = self.query("SELECT unix_ms FROM reading WHERE since_boot ORDER BY record")
        self.assertLess(abs(placed[0] / 1000 - time.time()), 60)
        self.assertEqual(backlog, (None,))

    def test_lines_say_what_is_stored(self):
        records = self.a.readings(50) + [self.a.record("reading 2 1 0b7ff8000000000000")]
        done = self.run_gateway("--file", "-", input=stream(records))
        lines = self.lines(done.stdout)
        readings = [line for line in lines if line["type"] == "reading"]
        self.assertEqual([line["value"] for line in readings], [i + 0.5 for i in range(50)] + [None])
        self.assertEqual(readings[-1]["bits"], "7ff8000000000000")
        self.assertEqual(sum(line["type"] == "record" for line in lines), 51)
        self.assertEqual({line["device"] for line in lines}, {"a"})

    def test_rows_are_unique_by_schema(self):
        self.ingest(self.a.readings(1))
        connection = sqlite3.connect(self.db)
        with self.assertRaises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO record SELECT NULL, identity, epoch, kind, generation,"
                               " session, lane, sequence, 0, '', NULL, tag FROM record")
        connection.close()

    def test_rows_outlive_a_state_from_a_backup(self):
        before = self.state()
        records = self.a.readings(5)
        self.ingest(records)
        connection = sqlite3.connect(self.db)
        connection.execute("UPDATE device SET snapshot = ?", (bytes.fromhex(before[0][2]),))
        connection.commit()
        connection.close()
        done = self.run_gateway("--file", "-", input=stream(records + self.a.readings(1, first=5)))
        summary = self.summary(done.stderr)
        self.assertEqual((summary["duplicate"], summary["stored"]), (5, 1))
        self.assertEqual(self.count(), 6)
        self.assertEqual(sum(line["type"] == "record" for line in self.lines(done.stdout)), 1)

    def test_commits_in_groups(self):
        records = self.a.readings(1000)
        summary = self.ingest(records, "--commit-records", 100, "--commit-ms", 60000)
        self.assertEqual(summary["groups"], 10)

    def test_commits_soon(self):
        process = self.start_gateway("--listen-unix", self.folder / "s", "--commit-ms", "30")
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "s"))
            link.sendall(stream(self.a.readings(1)))
            self.wait_for(lambda: self.count() == 1, seconds=5)
        self.stop_gateway(process)


    def test_commits_in_time(self):
        """Each record is stored at most commit-ms after it came, however fast others follow; what
        the machine takes besides is more than half of the times little, and never much."""
        process = self.start_gateway("--listen-unix", self.folder / "s", "--commit-ms", "40",
                                     "--commit-records", "4096")
        records = self.a.readings(300)
        sent, took = [], []
        with socket.socket(socket.AF_UNIX) as link, open(self.folder / "output.txt") as lines:
            link.connect(str(self.folder / "s"))
            while len(took) < len(records):
                if len(sent) < len(records):
                    sent.append(time.monotonic())
                    link.sendall(stream([records[len(sent) - 1]]))
                time.sleep(0.003)
                took += [time.monotonic() - sent[len(took) + i]
                         for i in range(lines.read().count('"type":"record"'))]
                self.assertLess(time.monotonic(), sent[0] + 30, "nothing is stored")
        took.sort()
        self.assertLess(took[len(took) // 2], 0.080)
        self.assertLess(took[-1], 0.500)
        _, summary = self.stop_gateway(process)
        self.assertGreater(summary["groups"], 3)

    def test_large_records_do_not_stall(self):
        """Fewer than a group, more bytes than may wait."""
        records = [self.a.record("raw " + "5a" * 60000) for _ in range(200)]
        process = self.start_gateway("--listen-unix", self.folder / "s", "--commit-ms", "300")
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "s"))
            link.sendall(stream(records))
            self.wait_for(lambda: self.count() == 200, seconds=20)
        self.stop_gateway(process)


class Trouble(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("a", "--route", "a1b2")

    def listen(self, *more):
        process = self.start_gateway("--listen-unix", self.folder / "s", *more)
        link = socket.socket(socket.AF_UNIX)
        self.addCleanup(link.close)
        link.connect(str(self.folder / "s"))
        return process, link

    def test_locked_for_a_while(self):
        process, link = self.listen()
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        link.sendall(stream(self.a.readings(10)))
        self.wait_for(lambda: "locked" in self.errors())
        self.assertEqual(self.count(), 0)
        self.assertIn("trying again", self.errors())
        link.settimeout(0.3)
        with self.assertRaises(TimeoutError):  # no receipt for what is not stored
            link.recv(1)
        other.execute("ROLLBACK")
        self.wait_for(lambda: self.count() == 10)
        link.settimeout(10)
        self.assertNotEqual(link.recv(1), b"")
        other.close()
        output, summary = self.stop_gateway(process)
        self.assertEqual((summary["stored"], summary["not-stored"]), (10, 0))
        self.assertEqual(output.count('"type":"record"'), 10)
        self.assertEqual(self.errors().count("cannot store"), 1)

    def test_locked_for_too_long(self):
        process, link = self.listen("--patience", "1")
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        records = self.a.readings(10)
        link.sendall(stream(records))
        self.assertEqual(process.wait(timeout=60), 1)
        self.assertIn("10 accepted records are not stored", self.errors())
        self.assertEqual(self.output(), "")
        other.execute("ROLLBACK")
        other.close()
        # Not acknowledged, so a device sends them again: all are accepted.
        self.assertEqual(self.ingest(records)["stored"], 10)

    def fill(self, *more, folder=None):
        """Sends until the database is full; answers what was sent."""
        records = [self.a.record("raw " + "a5" * 8000) for _ in range(400)]
        capture = self.folder / "capture"
        capture.write_bytes(stream(records))
        done = self.run_gateway("--file", capture, "--commit-records", "16", *more, code=1)
        self.assertEqual(done.stderr.count("is full"), 1, done.stderr)
        stored = self.count()
        self.assertTrue(0 < stored < 400, stored)
        summary = self.summary(done.stderr)
        self.assertEqual(summary["stored"], stored)
        self.assertEqual(done.stdout.count('"type":"record"'), stored)
        self.assertGreater(summary["not-stored"], 0)
        return records, stored

    def test_full_database(self):
        records, stored = self.fill("--max-db-mb", "1", "--patience", "1")
        summary = self.ingest(records)
        self.assertEqual((summary["replayed"], summary["stored"]), (stored, 400 - stored))
        self.assertEqual(self.count(), 400)

    def test_full_disk(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)],
                                 capture_output=True)
        if mounted.returncode != 0:
            print("SKIPPED: no small disk can be mounted here; test_full_database stands alone")
            self.skipTest("mount is not permitted")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)])
        for path in self.folder.glob("ferrule.db*"):
            shutil.move(path, disk / path.name)
        self.db = disk / "ferrule.db"
        records, stored = self.fill("--patience", "1")
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        summary = self.ingest(records)
        self.assertEqual((summary["replayed"], summary["stored"]), (stored, 400 - stored))

    def test_disk_trouble_is_fatal(self):
        # A limit on file size stands for a disk that fails: SQLite sees an I/O error.
        records = [self.a.record("raw " + "a5" * 8000) for _ in range(200)]
        capture = self.folder / "capture"
        capture.write_bytes(stream(records))
        limited = ["prlimit", "--fsize=600000", *self.arguments("--file", capture)]
        done = subprocess.run(limited, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count("cannot store"), 1, done.stderr)
        stored = self.count()
        summary = self.ingest(records)
        self.assertEqual((summary["replayed"], summary["stored"]), (stored, 200 - stored))

    def test_waits_when_too_much_is_queued(self):
        capture = stream(self.a.readings(6000))
        process, link = self.listen()
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        sender = threading.Thread(target=link.sendall, args=(capture,))
        sender.start()
        self.wait_for(lambda: "trying again" in self.errors())
        time.sleep(1)
        other.execute("ROLLBACK")
        other.close()
        sender.join()
        self.wait_for(lambda: self.count() == 6000)
        _, summary = self.stop_gateway(process)
        self.assertEqual((self.rejected(summary), summary["stored"]), ({}, 6000))

    def test_datagrams_are_counted_when_too_much_is_queued(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.bind(("127.0.0.1", 0))
            port = link.getsockname()[1]
        process = self.start_gateway("--udp", f"127.0.0.1:{port}")
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            for i, record in enumerate(self.a.readings(9000)):
                link.sendto(record, ("127.0.0.1", port))
                if i % 20 == 0:
                    time.sleep(0.002)
                    if "reject database-behind" in self.errors():
                        break
        self.wait_for(lambda: "reject database-behind" in self.errors())
        other.execute("ROLLBACK")
        other.close()
        self.wait_for(lambda: self.count() == 4096)
        _, summary = self.stop_gateway(process)
        self.assertGreater(summary["database-behind"], 0)
        self.assertEqual(self.rejected(summary), {"database-behind": summary["database-behind"]})

    def test_issued_again_meanwhile(self):
        process, link = self.listen()
        link.sendall(stream(self.a.readings(2)))
        self.wait_for(lambda: self.count() == 2)
        blob = self.provision("a", "--reissue", blob="fresh")
        entered = self.state()
        link.sendall(stream(self.a.readings(1, first=2)))
        self.wait_for(lambda: "issued again" in self.errors())
        self.assertEqual(self.state(), entered)
        fresh = Device(blob)
        self.addCleanup(fresh.close)
        link.sendall(stream(fresh.readings(1)))
        self.wait_for(lambda: self.count() == 4)
        self.stop_gateway(process)

    def test_reload(self):
        process, link = self.listen()
        b = self.device("b")
        process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "2 of 2 devices are open" in self.errors())
        link.sendall(stream(b.readings(1) + self.a.readings(1)))
        self.wait_for(lambda: self.count() == 2)
        self.registry.write_text("{")
        process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "going on as before" in self.errors())
        link.sendall(stream(b.readings(1)))
        self.wait_for(lambda: self.count() == 3)
        self.stop_gateway(process)

    def test_stops_with_a_summary(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            process, link = self.listen("--commit-ms", "60000")
            link.sendall(stream(self.a.readings(5)))
            time.sleep(0.5)
            output, summary = self.stop_gateway(process, how)
            self.assertEqual((summary["accepted"], summary["stored"]), (5, 5))
            self.assertEqual(output.count('"type":"record"'), 5)
            link.close()

    def test_killed_at_any_time(self):
        """A device that resends until acknowledged, a gateway that dies: each record once."""
        print("seed", SEED)
        rng = random.Random(SEED)
        records = self.a.readings(600)
        capture = self.folder / "capture"
        capture.write_bytes(stream(records))
        for _ in range(12):
            process, link = self.listen("--commit-records", "3", "--commit-ms", "1")
            # All that has no row is sent again, and some that has; the kill comes amid it.
            at = max(0, self.count() - 20)
            for _ in range(rng.randrange(2, 8)):
                link.sendall(stream(records[at:at + 15]))
                at += 15
                time.sleep(rng.random() * 0.004)
            process.kill()
            process.wait()
            link.close()
            rows = self.count()
            self.assertEqual(self.query("SELECT count(DISTINCT sequence) FROM record"), [(rows,)])
            # State and rows agree: exactly what has no row is still opened.
            decoded = self.cli("decode", "-r", self.registry, "-d", self.db, "-f", capture,
                               code=None).stdout
            self.assertEqual(decoded.count("series 1 ="), len(records) - rows)
        self.assertTrue(0 < self.count() < len(records))
        summary = self.ingest(records)
        self.assertEqual(summary["duplicate"], 0)
        self.assertEqual(self.count(), len(records))
        self.assertEqual(self.query("SELECT count(*), sum(value) FROM reading"),
                         [(600, sum(i + 0.5 for i in range(600)))])


if __name__ == "__main__":
    main()
