"""gateway_fleet: many devices, and commands for many of them, do not hold the gateway up.

Work is told by the gateway's own processor time, which a busy machine does not make longer."""
import os
import random
import resource
import signal
import socket
import sqlite3

from bench_of_programs import Bench, main, on_failing_disk, stream

SANITIZED = "FERRULE_SANITIZED" in os.environ
SEED = int(os.environ.get("FERRULE_SEED", "20261129"))
FLEET = 30_000
CPU_SECONDS = 8 if SANITIZED else 2  # a search through all for each one takes several times that
HEARD = 16
FLUSH_MS = 60


class Fleet(Bench):
    def enter_fleet(self):
        """Devices that are disabled, each with an open command."""
        self.provision("a")
        with sqlite3.connect(self.db) as db:
            epoch, route, snapshot = db.execute(
                "SELECT epoch, route, snapshot FROM device").fetchone()
            names = [(f"d{i}", epoch) for i in range(FLEET)]
            db.executemany("INSERT INTO issued VALUES(?, ?, 0)", names)
            db.executemany("INSERT INTO device(identity, epoch, route, snapshot, saved_ms)"
                           " VALUES(?, ?, ?, ?, 0)",
                           [(*name, route, snapshot) for name in names])
            db.executemany("INSERT INTO command(identity, id, epoch, body, created_ms, expires_ms,"
                           " state, sends) VALUES(?, 1, ?, x'00', 0, 9000000000000, 'queued', 0)",
                           names)
        db.close()
        self.registry.write_text('{"ferrule_registry": 1, "devices": [\n' + ",\n".join(
            f'{{"id": "d{i}", "epoch": {epoch}, "route": "{i:016x}", "enabled": false}}'
            for i in range(FLEET)) + "\n]}\n")

    def cpu_seconds(self):
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    def test_forged_routes_and_open_commands_are_looked_up_fast(self):
        self.enter_fleet()
        print("seed", SEED)
        rng = random.Random(SEED)
        forged = [bytes([0x46]) + rng.randbytes(8 + 3 + 30) for _ in range(FLEET)]
        closed = bytes([0x46]) + (FLEET - 1).to_bytes(8, "big") + rng.randbytes(33)
        before = self.cpu_seconds()
        done = self.run_gateway("--file", "-", input=stream(forged + [closed]))
        took = self.cpu_seconds() - before
        self.assertEqual(self.rejected(self.summary(done.stderr)),
                         {"unknown-route": FLEET, "closed-device": 1})
        print(f"    {took:.2f} s of processor time", flush=True)
        self.assertLess(took, CPU_SECONDS)

    def test_marks_of_many_commands_leave_others_their_turn(self):
        """On a slow disk, with a command for each of many devices that are heard at once."""
        devices = [self.device(f"d{i}", "--route", f"{i:08x}") for i in range(HEARD)]
        for i in range(HEARD):
            self.cli("send", "-r", self.registry, "-d", self.db, "-i", f"d{i}", "--text", "x")
        process = self.start_gateway("--listen-unix", self.folder / "s", env=on_failing_disk(
            f"slow {FLUSH_MS}"))
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "s"))
            link.sendall(stream(device.readings(1)[0] for device in devices))
            sent = "SELECT count(*) FROM command WHERE state = 'sent'"
            self.wait_for(lambda: self.query(sent) != [(0,)])
            self.assertLess(self.answer_count(process, sent), HEARD)  # not before all are marked
            self.wait_for(lambda: self.query(sent) == [(HEARD,)], 60)  # everyone's turn comes

    def answer_count(self, process, sql):
        """How many rows there are once the gateway has answered a question."""
        process.send_signal(signal.SIGUSR1)
        self.wait_for(lambda: "acks-sent=" in self.errors())
        return self.query(sql)[0][0]


if __name__ == "__main__":
    main()
