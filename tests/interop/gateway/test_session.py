"""gateway_session: greetings, sessions and enrolment. A device that was provisioned and whose static
key the registry pins greets, speaks in its session, and greets again when nobody answers."""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from bench_of_programs import CLI, Bench, Device, frame, main, preloaded, unframe

DYING_ANSWER = os.environ["FERRULE_DYING_ANSWER"]
ENROLL_DEVICE = os.environ["FERRULE_ENROLL_DEVICE"]
HANDSHAKE_DOWN, COOKIE_DOWN, SESSION_DOWN = 0x20, 0xE0, 0xA0


def kind(record):
    """Kind and direction: the first byte without form, lane and route length."""
    return record[0] & 0xE0


class Datagrams:
    """A device's socket; its address is its own, so that others' waste is not its."""

    def __init__(self, port, address="127.0.0.1"):
        self.to = ("127.0.0.1", port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))

    def send(self, record):
        self.socket.sendto(record, self.to)

    def receive(self, seconds=5.0):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(65536)
        except socket.timeout:
            return None

    def close(self):
        self.socket.close()


class Stream:
    """A connection to the gateway's unix socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.received = b""

    def send(self, record):
        self.socket.sendall(frame(record))

    def receive(self, seconds=5.0):
        end = time.monotonic() + seconds
        while True:
            whole, zero, rest = self.received.partition(b"\0")
            if zero:
                self.received = rest
                if whole:
                    return unframe(whole)
                continue
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                self.received += self.socket.recv(4096)
            except socket.timeout:
                return None

    def close(self):
        self.socket.close()


class SessionBench(Bench):
    def setUp(self):
        super().setUp()
        self.key, self.public = self.make_key("gateway")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.path = self.folder / "gateway.sock"
        self.now = 0

    def make_key(self, name):
        """A static key file, and the public key in hex."""
        path = self.folder / (name + ".key")
        lines = self.cli("keygen", "--static", path).stdout.split()
        self.assertEqual(lines[::2], ["public", "fingerprint"])
        return path, lines[1]

    def edit(self, identity, **changes):
        registry = json.loads(self.registry.read_text())
        for device in registry["devices"]:
            if device["id"] == identity:
                device.update(changes)
        self.registry.write_text(json.dumps(registry))

    def keyed_device(self, identity, *more, **changes):
        """A device that may greet; it begins in the provisioned context."""
        secret, public = self.make_key(identity)
        device = self.device(identity, *more)
        self.edit(identity, static=public, **changes)
        device.tell(f"greeter {secret} {self.public}")
        return device

    def answer(self, device, *commands):
        device.tell(*commands)
        return device.process.stdout.readline().strip()

    def start(self, *more, **options):
        return self.start_gateway("--key", self.key, "--udp", f"127.0.0.1:{self.port}",
                                  "--listen-unix", self.path, "--commit-ms", 5, *more, **options)

    def restart(self, device, identity, generation):
        """It comes up again, without a session."""
        device.tell(f"generation {generation}", "lane live",
                    "greeter %s %s" % (self.folder / (identity + ".key"), self.public))

    def line(self, address="127.0.0.1"):
        line = Datagrams(self.port, address)
        self.addCleanup(line.close)
        return line

    def unix(self):
        line = Stream(self.path)
        self.addCleanup(line.close)
        return line

    def first(self, device):
        """The next first packet, whatever the device waited for."""
        self.now += 100000
        return bytes.fromhex(self.answer(device, f"greet {self.now}"))

    def feed(self, device, packet):
        return self.answer(device, f"feed {self.now} {packet.hex()}")

    def greet(self, device, line):
        """Up to a session; answers the first packet."""
        packet = self.first(device)
        line.send(packet)
        reply = line.receive()
        self.assertIsNotNone(reply, self.errors())
        self.assertEqual(self.feed(device, reply), "session")
        device.tell("lane session")
        return packet

    def speak(self, device, line, first, count=3):
        """Records in the session; they are stored, and the first is answered in it."""
        before = self.count()
        records = device.readings(count, first=first)
        for record in records:
            self.assertEqual(record[0] >> 6, 2)
            line.send(record)
        self.wait_for(lambda: self.count() == before + count)
        return records

    def counts(self, process):
        """The summary of so far."""
        before = self.errors().count("summary: refused")
        process.send_signal(signal.SIGUSR1)
        self.wait_for(lambda: self.errors().count("summary: refused") > before)
        text = self.errors()
        return self.summary(text[text.rindex("summary: accepted"):])

    def mark(self, identity="a"):
        return self.query("SELECT greeted_generation, greeted_attempt FROM device"
                          " WHERE identity = ?", identity)[0]


class Sessions(SessionBench):
    def check_session(self, line_of):
        device = self.keyed_device("a")
        gateway = self.start()
        line = line_of()
        self.greet(device, line)
        self.assertEqual(self.mark(), (0, 1))
        records = self.speak(device, line, 0)
        self.assertEqual(self.query("SELECT kind, generation, session, lane, sequence FROM record"
                                    " ORDER BY id"), [(2, 0, 1, 0, i) for i in range(3)])
        receipt = line.receive()
        self.assertEqual(kind(receipt), SESSION_DOWN)
        word, generation, sequence = device.open(receipt)
        self.assertEqual((word, generation), ("receipt", "0"))
        self.assertIn(int(sequence), range(3))
        for record in records * 3:
            line.send(record)
        self.wait_for(lambda: self.counts(gateway)["replayed"] == 9)
        output, summary = self.stop_gateway(gateway)
        self.assertEqual(summary["stored"], 3)
        self.assertEqual(summary["greetings-answered"], 1)
        self.assertEqual(summary["sessions-open"], 1)
        self.assertEqual({(line["generation"], line["session"]) for line in self.lines(output)},
                         {(0, 1)})

    def test_comes_up_over_datagrams_and_takes_each_record_once(self):
        self.check_session(self.line)

    def test_comes_up_over_a_stream(self):
        self.check_session(self.unix)

    def test_the_next_session_is_another_and_ends_the_one_before(self):
        device = self.keyed_device("a")
        gateway = self.start()
        line = self.line()
        self.greet(device, line)
        old = self.speak(device, line, 0) + device.readings(1, first=9)
        # It comes up again and greets; both sessions begin at sequence 0.
        self.restart(device, "a", 2)
        while line.receive(0.2) is not None:
            pass
        self.greet(device, line)
        self.speak(device, line, 3)
        self.assertEqual(self.query("SELECT generation, session, sequence FROM record ORDER BY id"),
                         [(0, 1, i) for i in range(3)] + [(2, 1, i) for i in range(3)])
        line.send(old[-1])
        self.wait_for(lambda: self.counts(gateway)["unknown-route"] == 1)
        _, summary = self.stop_gateway(gateway)
        self.assertEqual((summary["stored"], summary["duplicate"]), (6, 0))
        self.assertEqual(summary["sessions-open"], 1)

    def test_ends_by_its_age(self):
        device = self.keyed_device("a")
        gateway = self.start("--session-age", 3)
        line = self.line()
        self.greet(device, line)
        self.speak(device, line, 0)
        late = device.readings(1, first=9)[0]
        # Greetings that are answered, and whose answers are lost, keep no session alive.
        self.restart(device, "a", 1)
        end = time.monotonic() + 20
        while self.counts(gateway)["sessions-expired"] == 0:
            self.assertLess(time.monotonic(), end)
            line.send(self.first(device))
            time.sleep(0.5)
        line.send(late)
        self.wait_for(lambda: self.counts(gateway)["unknown-route"] == 1)
        while line.receive(0.2) is not None:
            pass
        self.restart(device, "a", 2)
        self.greet(device, line)  # nothing keeps it from coming again
        self.speak(device, line, 20)
        self.stop_gateway(gateway)

    def test_a_device_that_speaks_in_sessions_alone_stays_within_reach(self):
        device = self.keyed_device("a", session="required")
        gateway = self.start("--max-skip", 20)
        line = self.line()
        for i in range(4):
            self.restart(device, "a", 20 * i)
            self.greet(device, line)
            self.speak(device, line, 10 * i)
            while line.receive(0.2) is not None:
                pass
            if i == 2:  # what it has shown outlives the gateway
                gateway.kill()
                gateway.wait()
                gateway = self.start("--max-skip", 20)
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(summary["far-future"], 0)

    def test_commands_go_down_where_the_device_was_heard_last(self):
        device = self.keyed_device("a")
        gateway = self.start()
        line = self.line()
        line.send(device.record("reading 1 1700000000000 1"))
        self.assertEqual(device.open(line.receive())[0], "receipt")
        time.sleep(0.3)  # receipts are a few a second
        self.greet(device, line)
        self.speak(device, line, 0, count=2)
        self.assertEqual(device.open(line.receive()), ["receipt", "0", "1"])
        self.cli("send", "-r", self.registry, "-d", self.db, "-i", "a", "--text", "ping")
        command = line.receive()
        self.assertEqual(kind(command), SESSION_DOWN)
        word, _, generation, sequence = device.open(command)
        self.assertEqual((word, generation, sequence), ("command", "0", "1"))
        # The device came up again and lost its session: it is answered where it speaks.
        time.sleep(0.6)  # as long as the command waits to be sent again
        self.restart(device, "a", 1)
        line.send(device.record("reading 1 1700000000001 1"))
        down = [line.receive(), line.receive()]
        self.assertEqual({packet[0] & 0xE0 for packet in down}, {0x60})
        self.assertIn(["receipt", "1", "0"], [device.open(packet) for packet in down])
        self.stop_gateway(gateway)


class Explain(SessionBench):
    def explain(self, packet, *more, code=2):
        return self.cli("explain", "-r", self.registry, "-d", self.db, "--hex", packet.hex(), *more,
                        code=code).stdout

    def test_tells_greetings_cookies_and_session_records(self):
        device = self.keyed_device("a", "--route", "a1b2c3d4")
        packet = self.first(device)
        text = self.explain(packet)
        for words in ("first packet", "route a1b2c3d4", "generation 0, attempt 1", "device a",
                      "is newer", "UNKNOWN", "--key"):
            self.assertIn(words, text)
        state = self.state()
        self.assertIn("ANSWERED", self.explain(packet, "--key", self.key, code=0))
        self.assertEqual((self.state(), self.mark()), (state, (0, 0)))
        wrong = bytearray(packet)
        wrong[-20] ^= 1
        self.assertIn("not made with", self.explain(bytes(wrong), "--key", self.key))
        self.start()
        line = self.line()
        line.send(packet)
        answer = line.receive()
        self.assertIn("in answer to attempt 1", self.explain(answer))
        self.assertIn("not newer", self.explain(packet, "--key", self.key))
        self.assertEqual(self.feed(device, answer), "session")
        device.tell("lane session")
        text = self.explain(device.readings(1)[0])
        self.assertIn("session record, up", text)
        self.assertIn("UNKNOWN", text)
        cookie = bytes([0xC0 | 0x20 | 2 << 1]) + bytes.fromhex("a1b2c3d4") + b"\3" + bytes(48)
        self.assertIn("cookie, down", self.explain(cookie))


class Once(SessionBench):
    def test_nothing_is_answered_before_its_mark_is_stored(self):
        device = self.keyed_device("a")
        gateway = self.start()
        line = self.line()
        blocker = sqlite3.connect(self.db)
        blocker.execute("BEGIN IMMEDIATE")
        packet = self.first(device)
        line.send(packet)
        self.assertIsNone(line.receive(0.6))
        self.assertEqual(self.mark(), (0, 0))
        blocker.rollback()
        blocker.close()
        self.assertEqual(self.feed(device, line.receive()), "session")
        self.assertEqual(self.mark(), (0, 1))
        self.stop_gateway(gateway)

    def test_killed_between_mark_and_answer(self):
        device = self.keyed_device("a")
        gateway = self.start(env=preloaded(DYING_ANSWER))
        line = self.line()
        captured = self.first(device)
        line.send(captured)
        self.assertEqual(gateway.wait(timeout=10), -signal.SIGKILL)
        self.assertEqual(self.mark(), (0, 1))
        self.path.unlink(missing_ok=True)
        gateway = self.start()
        line.send(captured)
        self.wait_for(lambda: self.counts(gateway)["greeting-replayed"] == 1)
        self.greet(device, line)
        self.speak(device, line, 0)
        self.assertEqual(self.counts(gateway)["greetings-answered"], 1)
        self.stop_gateway(gateway)

    def test_killed_with_a_session_open(self):
        device = self.keyed_device("a")
        gateway = self.start()
        line = self.line()
        captured = self.greet(device, line)
        records = self.speak(device, line, 0)
        self.end(gateway)
        gateway = self.start()
        for packet in [captured, *records, *device.readings(2, first=3)]:
            line.send(packet)
        self.wait_for(lambda: self.counts(gateway)["unknown-route"] == 5)
        self.assertEqual(self.count(), 3)
        while line.receive(0.1) is not None:
            pass
        # Silence: the device greets again by itself, and not before.
        self.now = 10 ** 7
        device.tell(f"sent {self.now}")
        self.assertTrue(self.answer(device, f"greet {self.now + 29000}").startswith("status"))
        self.now += 45000 - 100000  # varied by up to a half
        self.greet(device, line)
        self.speak(device, line, 5)
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(summary["greeting-replayed"], 1)
        self.assertEqual(summary["greetings-answered"], 1)
        self.assertEqual(self.mark(), (0, 2))

    def test_a_new_epoch_begins_marks_anew(self):
        device = self.keyed_device("a")
        self.restart(device, "a", 7)
        gateway = self.start()
        line = self.line()
        captured = self.greet(device, line)
        self.assertEqual(self.mark(), (7, 1))
        blob = self.provision("a", "--reissue", blob="again.blob")
        self.assertEqual(self.mark(), (0, 0))
        # The running gateway learns it from the mark that it cannot store, and answers nothing.
        self.restart(device, "a", 8)
        line.send(self.first(device))
        self.wait_for(lambda: "reloaded" in self.errors())
        self.assertIsNone(line.receive(0.2))
        self.assertEqual(self.mark(), (0, 0))
        again = Device(blob)
        self.addCleanup(again.close)
        self.restart(again, "a", 0)
        other = self.first(again)
        line.send(captured)
        self.wait_for(lambda: self.counts(gateway)["greeting-forged"] == 1)
        self.assertEqual(self.mark(), (0, 0))
        line.send(other)
        self.assertEqual(self.feed(again, line.receive()), "session")
        self.stop_gateway(gateway)


class Refusals(SessionBench):
    def test_without_a_key_or_a_pin_nothing_is_answered(self):
        device = self.keyed_device("a")
        gateway = self.start_gateway("--udp", f"127.0.0.1:{self.port}")
        self.assertIn("without --key", self.errors())
        line = self.line()
        line.send(self.first(device))
        self.assertIsNone(line.receive(0.3))
        self.assertEqual(self.counts(gateway)["greeting-no-key"], 1)
        self.stop_gateway(gateway)
        # Another's key, and none at all.
        self.edit("a", static=self.make_key("other")[1])
        bare = self.device("b")
        bare.tell("greeter %s %s" % (self.folder / "a.key", self.public))
        gateway = self.start()
        line.send(self.first(device))
        line.send(self.first(bare))
        self.assertIsNone(line.receive(0.3))
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(summary["greeting-forged"], 1)
        self.assertEqual(summary["greeting-unknown-route"], 1)
        self.assertEqual(self.mark(), (0, 0))

    def test_a_bad_key_file_is_one_line(self):
        self.device("a")
        self.key.chmod(0o644)
        self.one_line(self.run_gateway("--key", self.key, "--file", os.devnull, code=1).stderr,
                      "chmod 600")
        self.key.chmod(0o600)
        self.key.write_text("a5" * 31)
        self.one_line(self.run_gateway("--key", self.key, "--file", os.devnull, code=1).stderr,
                      "static key file")

    def test_captures_get_no_answer(self):
        device = self.keyed_device("a")
        capture = self.folder / "capture.bin"
        capture.write_bytes(frame(self.first(device)))
        summary = self.summary(self.run_gateway("--key", self.key, "--file", capture).stderr)
        self.assertEqual(summary["greeting-one-way"], 1)
        self.assertEqual(self.mark(), (0, 0))

    def test_session_required(self):
        device = self.keyed_device("a", session="required")
        gateway = self.start()
        line = self.line()
        live = device.readings(2)
        device.tell("lane backlog")
        backlog = device.readings(2, first=2)
        for record in live + backlog:
            line.send(record)
        self.wait_for(lambda: self.count() == 2)
        self.assertEqual(self.query("SELECT DISTINCT lane FROM record"), [(1,)])
        self.greet(device, line)
        self.speak(device, line, 4)
        line.send(live[0])
        self.wait_for(lambda: self.counts(gateway)["session-required"] == 3)
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(self.rejected(summary), {"session-required": 3})

    def test_revoked_at_once(self):
        device = self.keyed_device("a")
        other = self.keyed_device("b")
        gateway = self.start()
        line = self.line()
        self.greet(device, line)
        self.speak(device, line, 0)
        kept = self.line()
        self.greet(other, kept)
        records = self.speak(other, kept, 0)
        self.cli("revoke", "-r", self.registry, "-i", "a")
        gateway.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "reloaded" in self.errors())
        self.speak(other, kept, 5)  # it loses nothing by that
        kept.send(records[0])
        self.wait_for(lambda: self.counts(gateway)["replayed"] == 1)
        while kept.receive(0.2) is not None:
            pass
        self.cli("send", "-r", self.registry, "-d", self.db, "-i", "b", "--text", "ping")
        self.speak(other, kept, 8)
        words = set()
        while "command" not in words:  # receipts are a few a second
            packet = kept.receive()
            self.assertIsNotNone(packet, self.errors())
            words.add(other.open(packet)[0])
        self.assertLessEqual(words, {"receipt", "command"})
        for record in device.readings(2, first=3):
            line.send(record)
        device.tell("lane live")
        line.send(device.record("reading 1 1700000000009 1"))
        self.restart(device, "a", 1)
        line.send(self.first(device))
        self.wait_for(lambda: self.counts(gateway)["greeting-unknown-route"] == 1)
        self.assertEqual(self.count(), 12)
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(self.rejected(summary),
                         {"unknown-route": 2, "closed-device": 1, "replayed": 1})
        self.assertEqual(summary["sessions-open"], 1)
        entry = json.loads(self.registry.read_text())["devices"][0]
        self.assertEqual((entry["enabled"], "static" in entry), (False, False))
        self.one_line(self.cli("revoke", "-r", self.registry, "-i", "c", code=1).stderr, "c")


class Floods(SessionBench):
    def test_bad_checks_cost_no_curve_operation(self):
        device = self.keyed_device("a")
        gateway = self.start()
        line = self.line("127.0.0.2")
        packet = self.first(device)
        flood = self.line("127.0.0.3")
        for i in range(150):
            wrong = bytearray(packet)
            wrong[-20] ^= 1 + i % 255  # of the check
            flood.send(bytes(wrong))
        self.wait_for(lambda: self.counts(gateway)["greeting-check-forged"] == 150)
        self.greet(device, line)
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(summary["greetings-computed"], 1)
        self.assertEqual(summary["cookies-offered"], 0)

    def test_good_checks_bring_cookies_and_the_honest_device_its_session(self):
        device = self.keyed_device("a")
        forger = self.keyed_device("b")
        # Knows our public key and b's route, but not b's own key.
        secret, _ = self.make_key("forger")
        forger.tell(f"greeter {secret} {self.public}")
        gateway = self.start()
        line = self.line("127.0.0.2")
        packets = [self.first(forger) for _ in range(120)]
        flood = self.line("127.0.0.3")
        for packet in packets:
            flood.send(packet)
        self.wait_for(lambda: self.counts(gateway)["cookies-offered"] > 50)
        for packet in [self.first(forger) for _ in range(50)]:
            flood.send(packet)
        line.send(self.first(device))
        cookie = line.receive()
        self.assertEqual(kind(cookie), COOKIE_DOWN)
        self.assertEqual(self.feed(device, cookie), "cookie")
        packet = bytes.fromhex(self.answer(device, f"greet {self.now}"))
        self.line("127.0.0.4").send(packet)  # of no use from elsewhere
        line.send(packet)
        self.assertEqual(self.feed(device, line.receive()), "session")
        device.tell("lane session")
        self.speak(device, line, 0)
        _, summary = self.stop_gateway(gateway)
        self.assertLessEqual(summary["greetings-computed"], 2 * 32 + 1)
        self.assertEqual(summary["greetings-answered"], 1)
        self.assertEqual(summary["greetings-computed"], summary["greeting-forged"] + 1)


class Enrolment(SessionBench):
    def setUp(self):
        super().setUp()
        self.blob = self.provision("a")
        self.secret, self.device_public = self.make_key("a")
        self.fingerprint = self.cli("fingerprint", self.secret).stdout.split()[3]
        self.taken = self.folder / "taken.blob"

    def enroll(self, *more, code=0, typed=None, spoil=""):
        """Both ends on a socket pair, or over a unix socket where a person is asked."""
        ours, its = socket.socketpair()
        device = subprocess.Popen([ENROLL_DEVICE, str(self.secret), str(self.taken)], stdin=its,
                                  stdout=its, stderr=subprocess.PIPE, text=True,
                                  env={**os.environ, "FERRULE_SPOIL": spoil})
        its.close()
        arguments = [CLI, "enroll", "-r", self.registry, "-i", "a", "--key", self.key, "--wait", "5"]
        if typed is None:
            done = subprocess.run([*arguments, "--stdio", *more], stdin=ours, stdout=ours,
                                  stderr=subprocess.PIPE, text=True, timeout=30)
            ours.close()
        else:
            done = self.enroll_over_unix(arguments + list(more), ours, typed)
        _, said = device.communicate(timeout=30)
        self.assertEqual(done.returncode, code, done.stderr + said)
        return done.stderr, device.returncode, said

    def enroll_over_unix(self, arguments, ours, typed):
        path = str(self.folder / "cable.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(path)
            listener.listen(1)
            program = subprocess.Popen([*arguments, "--unix", path], stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            cable, _ = listener.accept()
        os.unlink(path)
        pumps = [threading.Thread(target=self.pump, args=pair)
                 for pair in ((cable, ours), (ours, cable))]
        for pump in pumps:
            pump.start()
        _, errors = program.communicate(typed, timeout=30)
        for pump in pumps:
            pump.join()
        cable.close()
        ours.close()
        return subprocess.CompletedProcess(arguments, program.returncode, "", errors)

    def pump(self, source, sink):
        while True:
            piece = source.recv(4096)
            if not piece:
                break
            sink.sendall(piece)
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is gone already

    def pinned(self):
        return json.loads(self.registry.read_text())["devices"][0].get("static")

    def test_with_an_expected_fingerprint_and_a_blob(self):
        _, code, said = self.enroll("--expect", self.fingerprint.upper().replace("-", ":"),
                                    "--blob", self.blob, "--required")
        self.assertEqual((code, said.strip()), (0, self.public))
        self.assertEqual(self.pinned(), self.device_public)
        self.assertIn('"session":"required"', self.registry.read_text())
        self.assertEqual(self.taken.read_bytes(), self.blob.read_bytes())
        # What was handed over is a device that the gateway speaks with.
        device = Device(self.taken)
        self.addCleanup(device.close)
        self.restart(device, "a", 0)
        gateway = self.start()
        line = self.line()
        self.greet(device, line)
        self.speak(device, line, 0)
        self.stop_gateway(gateway)

    def test_a_person_says_yes_or_no(self):
        errors, code, _ = self.enroll(typed="no\n", code=1)
        self.assertIn(self.fingerprint, errors)
        self.assertNotEqual(code, 0)
        self.assertIsNone(self.pinned())
        errors, code, _ = self.enroll(typed="yes\n")
        self.assertEqual(code, 0)
        self.assertEqual(self.taken.read_bytes(), b"")
        self.assertEqual(self.pinned(), self.device_public)

    def test_a_wrong_fingerprint_pins_nothing(self):
        wrong = ("0" if self.fingerprint[0] != "0" else "1") + self.fingerprint[1:]
        for expected in (wrong, self.fingerprint[:-2], self.fingerprint[:-1], self.fingerprint + "00", ""):
            errors, code, _ = self.enroll("--expect", expected, "--blob", self.blob, code=1)
            self.assertIn("not the one that is expected", errors)
            self.assertNotEqual(code, 0)
        self.assertIsNone(self.pinned())
        self.assertFalse(self.taken.exists())

    def test_a_changed_message_pins_nothing(self):
        errors, _, _ = self.enroll("--expect", self.fingerprint, code=1, spoil="third")
        self.assertIn("third message is refused", errors)
        self.assertIsNone(self.pinned())

    def test_a_device_that_does_not_confirm_is_told_of(self):
        errors, _, _ = self.enroll("--expect", self.fingerprint, code=1, spoil="receipt")
        self.assertIn("pinned, but has not confirmed it", errors)
        self.assertEqual(self.pinned(), self.device_public)

    def test_another_key_needs_leave(self):
        self.enroll("--expect", self.fingerprint)
        first = self.pinned()
        self.secret, self.device_public = self.make_key("second")
        self.fingerprint = self.cli("fingerprint", self.device_public).stdout.split()[3]
        errors, _, _ = self.enroll("--expect", self.fingerprint, code=1)
        self.assertIn("--replace", errors)
        self.assertEqual(self.pinned(), first)
        self.enroll("--expect", self.fingerprint, "--replace")
        self.assertEqual(self.pinned(), self.device_public)
        # A key is one device's.
        self.provision("b")
        self.registry.write_text(self.registry.read_text().replace('"id":"a"', '"id":"c"')
                                 .replace('"id":"b"', '"id":"a"'))
        errors, _, _ = self.enroll("--expect", self.fingerprint, code=1)
        self.assertIn("device c has this static key", errors)


if __name__ == "__main__":
    main()
