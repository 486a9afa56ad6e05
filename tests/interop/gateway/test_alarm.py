"""gateway_alarm: a device that went backwards is told from a replay, and nobody else can say so."""
import os
import random
import shutil
import signal
import socket
import sqlite3
import time

from bench_of_programs import Bench, Device, main, stream

SEED = int(os.environ.get("FERRULE_SEED", "20261129"))
LOOK_SECONDS = 0.12  # between two looks at one device's refused records


class Alarms(Bench):
    def setUp(self):
        super().setUp()
        blob = self.provision("pump-7", "--route", "a1b2")
        copy = self.folder / "copy.blob"
        shutil.copy(blob, copy)
        self.a = Device(blob)
        self.addCleanup(self.a.close)
        self.clone = Device(copy)
        self.addCleanup(self.clone.close)

    def run_over(self, records):
        capture = self.folder / "capture"
        capture.write_bytes(stream(records))
        return self.run_gateway("--file", capture)

    def alarms(self, done):
        summary = self.summary(done.stderr)
        return summary["backwards"], summary["suspected"]

    def rows(self):
        return self.query("SELECT identity, kind, generation, sequence, count FROM alarm"
                          " ORDER BY kind")

    def told(self, text):
        return [line for line in self.lines(text) if line["type"] == "alarm"]

    # ---- proven ----

    def test_a_clone_is_found(self):
        self.run_over(self.a.readings(5))
        before = self.state()
        done = self.run_over(self.clone.readings(5, first=100))
        self.assertEqual(self.alarms(done), (1, 0))
        self.assertEqual(self.rows(), [("pump-7", "backwards", 0, 0, 1)])
        self.assertEqual(done.stderr.count("ALARM device pump-7 went backwards"), 1, done.stderr)
        told = self.told(done.stdout)
        self.assertEqual([(line["device"], line["kind"], line["generation"], line["sequence"])
                          for line in told], [("pump-7", "backwards", 0, 0)])
        # An alarm changes nothing: the record stays refused, and no state moved.
        self.assertEqual(self.count(), 5)
        self.assertEqual(self.state(), before)
        # The next one is added to the same row.
        first, last = self.query("SELECT first_ms, last_ms FROM alarm")[0]
        self.assertEqual(first, last)
        self.a.tell("lane backlog")
        self.clone.tell("lane backlog", "skip 1")
        self.run_over(self.a.readings(2))
        self.run_over(self.clone.readings(1, first=7))
        self.assertEqual(self.rows(), [("pump-7", "backwards", 0, 1, 2)])
        first, last = self.query("SELECT first_ms, last_ms FROM alarm")[0]
        self.assertLess(first, last)

    def test_short_forms_are_looked_at_too(self):
        self.a.tell("way one")
        self.clone.tell("way one")
        self.run_over(self.a.readings(8))
        self.assertEqual(self.alarms(self.run_over(self.clone.readings(8, first=100)[5:])), (1, 0))
        self.assertEqual(self.rows(), [("pump-7", "backwards", 0, 5, 1)])

    def test_an_earlier_generation_within_reach(self):
        self.run_over(self.a.readings(2))
        self.a.tell("generation 9")
        self.run_over(self.a.readings(2))
        self.assertEqual(self.alarms(self.run_over(self.clone.readings(1, first=50))), (1, 0))

    def test_behind_the_window(self):
        self.run_over(self.a.readings(400))
        self.assertEqual(self.alarms(self.run_over(self.clone.readings(1, first=500))), (1, 0))

    def test_what_a_restored_gateway_accepts_again(self):
        """State from a backup: the core takes both records of a number, the rows know better."""
        before = self.state()[0][2]
        self.run_over(self.a.readings(3))
        connection = sqlite3.connect(self.db)
        connection.execute("UPDATE device SET snapshot = ?", (bytes.fromhex(before),))
        connection.commit()
        connection.close()
        done = self.run_over(self.clone.readings(3, first=100))
        self.assertEqual(self.summary(done.stderr)["duplicate"], 3)
        self.assertEqual(self.alarms(done), (1, 0))
        # In one transaction with the records: a death after it would lose the alarm for good.
        self.assertEqual(self.summary(done.stderr)["groups"], 1)
        self.assertEqual(len(self.told(done.stdout)), 1)
        self.assertEqual(self.rows(), [("pump-7", "backwards", 0, 0, 1)])

    def test_it_is_told_after_it_is_stored(self):
        self.run_over(self.a.readings(1))
        process = self.start_gateway("--listen-unix", self.folder / "s")
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "s"))
            link.sendall(stream(self.clone.readings(1, first=9)))
            self.wait_for(lambda: "trying again" in self.errors())
        self.assertIn("ALARM", self.errors())
        self.assertEqual((self.output(), self.rows()), ("", []))
        other.execute("ROLLBACK")
        other.close()
        self.wait_for(lambda: self.rows() != [])
        self.wait_for(lambda: '"type":"alarm"' in self.output())
        self.stop_gateway(process)

    def test_stopping_stores_what_waits(self):
        self.run_over(self.a.readings(1))
        process = self.start_gateway("--listen-unix", self.folder / "s", "--commit-ms", "60000")
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "s"))
            link.sendall(stream(self.clone.readings(1, first=9)))
            self.wait_for(lambda: "ALARM" in self.errors())
            self.assertEqual(self.rows(), [])
            output, _ = self.stop_gateway(process)
        self.assertEqual(self.rows(), [("pump-7", "backwards", 0, 0, 1)])
        self.assertEqual(output.count('"type":"alarm"'), 1)

    def test_a_reload_loses_none(self):
        """The commit that a reload waits for raises one."""
        before = self.state()[0][2]
        self.run_over(self.a.readings(3))
        connection = sqlite3.connect(self.db)
        connection.execute("UPDATE device SET snapshot = ?", (bytes.fromhex(before),))
        connection.commit()
        connection.close()
        process = self.start_gateway("--listen-unix", self.folder / "s", "--commit-ms", "60000")
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "s"))
            link.sendall(stream(self.clone.readings(3, first=100)))
            link.settimeout(0.5)
            with self.assertRaises(TimeoutError):  # all is read, nothing is stored or answered yet
                link.recv(1)
            process.send_signal(signal.SIGHUP)
            self.wait_for(lambda: "reloaded" in self.errors())
        self.assertEqual(self.rows(), [("pump-7", "backwards", 0, 0, 1)])
        self.stop_gateway(process)

    # ---- no alarm ----

    def test_a_replayed_capture_raises_nothing(self):
        records = self.a.readings(20)
        self.a.tell("generation 70")
        records += self.a.readings(20)
        self.a.tell("generation 200")
        records += self.a.readings(300)
        self.run_over(records)
        for _ in range(3):
            done = self.run_over(records)
            self.assertEqual((self.alarms(done), self.summary(done.stderr)["accepted"]), ((0, 0), 0))
        self.assertEqual(self.rows(), [])

    def test_tampered_records_prove_nothing(self):
        """Whoever has every byte that was sent can change each; each change is looked at."""
        print("seed", SEED)
        rng = random.Random(SEED)
        self.a.tell("way one")
        records = self.a.readings(6)
        self.run_over(records)
        process = self.start_gateway("--listen-unix", self.folder / "s")
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "s"))
            for turn in range(12):
                bad = bytearray(records[turn % len(records)])
                # Payload or tag: numbers stay, so that the row is found and its tag differs.
                at = len(bad) - 1 - (turn if turn < 6 else rng.randrange(24))
                bad[at] ^= 1 << rng.randrange(8)
                link.sendall(stream([bytes(bad)]))
                time.sleep(LOOK_SECONDS)
            self.assertNotIn("ALARM", self.errors())
            link.sendall(stream(self.clone.readings(1, first=77)))  # and the real thing is seen
            self.wait_for(lambda: "went backwards" in self.errors())
        _, summary = self.stop_gateway(process)
        self.assertEqual((summary["backwards"], summary["suspected"]), (1, 0))
        self.assertEqual(summary["replayed"], 13)

    # ---- suspected ----

    def test_below_the_floor_it_is_suspected(self):
        old = self.a.readings(3)
        unheard = self.a.readings(1)
        self.run_over(old)
        self.a.tell("generation 90")
        self.run_over(self.a.readings(1))
        self.assertEqual(self.alarms(self.run_over(old)), (0, 0))
        done = self.run_over(self.clone.readings(3, first=100))
        self.assertEqual(self.alarms(done), (0, 1))
        self.assertEqual(done.stderr.count("ALARM device pump-7 may have gone backwards"), 1)
        self.assertEqual(self.rows(), [("pump-7", "suspected", 0, 0, 1)])
        # What never arrived and is replayed cannot be told apart from it.
        self.assertEqual(self.alarms(self.run_over(unheard)), (0, 1))
        self.assertEqual(self.rows(), [("pump-7", "suspected", 0, 3, 2)])

    def test_a_forged_header_is_not_even_suspected(self):
        records = self.a.readings(3)
        self.run_over(records)
        self.a.tell("generation 90")
        self.run_over(self.a.readings(1))
        forged = []
        for record in records:
            for at in range(3, 15):  # generation, sequence, claim
                bad = bytearray(record)
                bad[at] ^= 0x10
                forged.append(bytes(bad))
        done = self.run_over(forged)
        self.assertEqual(self.alarms(done), (0, 0))
        # They used up no look: the real thing behind them is seen at once.
        done = self.run_over(forged + self.clone.readings(1, first=5))
        self.assertEqual(self.alarms(done), (0, 1))

    def test_a_flood_is_looked_at_now_and_then(self):
        """Replays of one device: few looks, however many come; the flood costs no alarm of others."""
        b_blob = self.provision("b")
        b_copy = self.folder / "b.copy"
        shutil.copy(b_blob, b_copy)
        b, b_clone = Device(b_blob), Device(b_copy)
        self.addCleanup(b.close)
        self.addCleanup(b_clone.close)
        records = self.a.readings(100)
        self.run_over(records + b.readings(1))
        begin = time.monotonic()
        done = self.run_over(records * 100 + b_clone.readings(1, first=8))
        self.assertEqual(self.alarms(done), (1, 0))
        self.assertEqual([row[0] for row in self.rows()], ["b"])
        self.assertLess(time.monotonic() - begin, 20)


if __name__ == "__main__":
    main()
