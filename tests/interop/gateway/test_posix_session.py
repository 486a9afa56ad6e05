"""gateway_posix_session: the example device enrols with the real tool over a cable, and keeps sessions
with the real gateway: over datagrams and a stream, through its death, until it is revoked."""
import json
import os
import signal
import socket
import stat
import subprocess

from bench_of_programs import CLI, Bench, main, skip

if "FERRULE_POSIX_DEVICE" not in os.environ:
    skip("the example posix-device is not built (FERRULE_EXAMPLES)")
POSIX_DEVICE = os.environ["FERRULE_POSIX_DEVICE"]
SESSION = 2


class PosixSession(Bench):
    def setUp(self):
        super().setUp()
        self.gateway_key = self.folder / "gateway.key"
        lines = self.cli("keygen", "--static", self.gateway_key).stdout.split()
        self.gateway_public, self.gateway_print = lines[1], lines[3]
        self.state = self.folder / "state"
        self.key = self.folder / "device.key"
        self.cable = self.folder / "cable.sock"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.where = f"127.0.0.1:{self.port}"

    # ---- enrolment ----

    def start_enrolling(self, *more, **options):
        """The device, listening on its cable, and the fingerprint that it shows."""
        device = subprocess.Popen([POSIX_DEVICE, "--state", str(self.state), "--key", str(self.key),
                                   "--enroll", "--unix", str(self.cable), *map(str, more)],
                                  stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(device.stderr.close)
        self.addCleanup(self.end, device)
        if device.stdin is not None:
            self.addCleanup(device.stdin.close)
        words = device.stderr.readline().split()
        self.assertEqual(words[:3], ["posix-device:", "this", "device"])
        self.wait_for(self.cable.exists)
        return device, words[3]

    def finish(self, device):
        said = device.communicate(timeout=30)[1]
        return device.returncode, said

    def enroll(self, blob, *more):
        device, fingerprint = self.start_enrolling("--expect", self.gateway_print)
        self.cli("enroll", "-r", self.registry, "-i", "pump-7", "--key", self.gateway_key, "--unix",
                 self.cable, "--expect", fingerprint, "--wait", 20, "--blob", blob, *more)
        code, said = self.finish(device)
        self.assertEqual(code, 0, said)
        self.assertIn(self.gateway_print, said)
        return fingerprint

    def entry(self):
        return json.loads(self.registry.read_text())["devices"][0]

    def test_enrols_and_keeps_what_sessions_need(self):
        fingerprint = self.enroll(self.provision("pump-7"))
        self.assertEqual(stat.S_IMODE(self.key.stat().st_mode), 0o600)
        lines = self.cli("fingerprint", self.key).stdout.split()
        self.assertEqual((lines[1], lines[3]), (self.entry()["static"], fingerprint))
        kept = self.folder / "state.gateway"
        self.assertEqual(kept.read_text().strip(), self.gateway_public)
        # Once more without a blob: the same key, and the state as it was.
        before = self.state.read_bytes()
        device, again = self.start_enrolling(stdin=subprocess.PIPE)
        self.assertEqual(again, fingerprint)
        tool = subprocess.Popen([CLI, "enroll", "-r", self.registry, "-i", "pump-7", "--key",
                                 self.gateway_key, "--unix", self.cable], stdin=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, tool)
        tool.stdin.write(b"yes\n")
        tool.stdin.close()
        device.stdin.write("yes\n")
        self.assertEqual(self.finish(device)[0], 0)
        self.assertEqual(tool.wait(timeout=30), 0)
        self.assertEqual(self.state.read_bytes(), before)

    def test_another_gateway_than_the_expected_is_refused(self):
        blob = self.provision("pump-7")
        wrong = ("0" if self.gateway_print[0] != "0" else "1") + self.gateway_print[1:]
        device, fingerprint = self.start_enrolling("--expect", wrong)
        done = self.cli("enroll", "-r", self.registry, "-i", "pump-7", "--key", self.gateway_key,
                        "--unix", self.cable, "--expect", fingerprint, "--wait", 5, "--blob", blob,
                        code=1)
        self.assertIn("not confirmed", done.stderr)
        code, said = self.finish(device)
        self.assertNotEqual(code, 0)
        self.assertIn("not the gateway", said)
        self.assertFalse((self.folder / "state.gateway").exists())
        # Nothing was installed: the blob still can be.
        self.enroll(blob)

    def test_a_person_at_the_device_says_no(self):
        blob = self.provision("pump-7")
        device, fingerprint = self.start_enrolling(stdin=subprocess.PIPE)
        device.stdin.write("no\n")
        device.stdin.flush()
        self.cli("enroll", "-r", self.registry, "-i", "pump-7", "--key", self.gateway_key, "--unix",
                 self.cable, "--expect", fingerprint, "--wait", 5, "--blob", blob, code=1)
        code, said = self.finish(device)
        self.assertNotEqual(code, 0)
        self.assertIn("nothing is kept", said)

    def test_a_blob_for_a_device_that_has_one_is_not_confirmed(self):
        blob = self.provision("pump-7")
        self.enroll(blob)
        device, fingerprint = self.start_enrolling("--expect", self.gateway_print)
        done = self.cli("enroll", "-r", self.registry, "-i", "pump-7", "--key", self.gateway_key,
                        "--unix", self.cable, "--expect", fingerprint, "--wait", 5, "--blob", blob,
                        code=1)
        self.assertIn("not confirmed", done.stderr)
        self.assertIn("holds a credential already", self.finish(device)[1])

    # ---- sessions ----

    def start_device(self, *link):
        device = subprocess.Popen([POSIX_DEVICE, "--state", str(self.state), "--key", str(self.key),
                                   "--required", "--interval", "20", "--silence", "600", *map(str, link)],
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, device)
        return device

    def start_keyed(self, *more):
        return self.start_gateway("--key", self.gateway_key, "--commit-ms", 5, "--udp", self.where,
                                  *more)

    def sessions(self):
        """(generation, attempt) of every session that has rows, and nothing but sessions has."""
        self.assertEqual(self.query("SELECT count(*) FROM record WHERE kind != ? AND lane = 0",
                                    SESSION), [(0,)])
        return self.query("SELECT DISTINCT generation, session FROM record ORDER BY 1, 2")

    def wait_for_session(self, *wanted):
        self.wait_for(lambda: wanted in self.query("SELECT DISTINCT generation, session FROM record"
                                                   " WHERE kind = ?", SESSION))

    def ping(self):
        done = self.cli("send", "-r", self.registry, "-d", self.db, "-i", "pump-7", "--text", "ping",
                        "--wait", 20)
        self.assertIn("done", done.stdout)

    def test_over_datagrams_through_a_killed_gateway_until_revoked(self):
        self.enroll(self.provision("pump-7"), "--required")
        self.assertEqual(self.entry()["session"], "required")
        gateway = self.start_keyed()
        device = self.start_device("--udp", self.where)
        self.wait_for_session(0, 1)
        self.ping()  # its result is a live record, which outside a session would be dropped
        gateway.kill()
        gateway.wait()
        gateway = self.start_keyed()
        self.wait_for(lambda: len(self.sessions()) == 2)  # silence, and a new handshake
        (_, (generation, attempt)) = self.sessions()
        self.assertEqual(generation, 0)
        self.assertGreater(attempt, 1)
        self.ping()
        self.assertEqual(self.query("SELECT generation, session, sequence, count(*) AS n FROM record"
                                    " GROUP BY 1, 2, 3 HAVING n > 1"), [])  # ONCE
        self.cli("revoke", "-r", self.registry, "-i", "pump-7")
        gateway.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "reloaded" in self.errors())
        rows = self.count()  # what waited was stored before the reload was done
        self.wait_for(lambda: self.refusals(gateway) > 10)
        self.assertEqual(self.count(), rows)
        self.assertIsNone(device.poll())
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(summary["sessions-open"], 0)

    def refusals(self, process):
        before = self.errors().count("summary: refused")
        process.send_signal(signal.SIGUSR1)
        self.wait_for(lambda: self.errors().count("summary: refused") > before)
        summary = self.summary(self.errors())
        return summary["unknown-route"] + summary["closed-device"]

    def test_over_a_stream_across_a_restart_of_the_device(self):
        self.enroll(self.provision("pump-7"), "--required")
        path = self.folder / "gateway.sock"
        gateway = self.start_keyed("--listen-unix", path)
        for generation in (0, 1):
            device = self.start_device("--unix", path)
            self.wait_for_session(generation, 1)
            self.ping()
            device.send_signal(signal.SIGINT)
            self.assertEqual(device.wait(timeout=20), 0)
        self.assertEqual(self.sessions(), [(0, 1), (1, 1)])
        # A stream ends with the gateway, and the device with it: whoever runs it starts it again.
        device = self.start_device("--unix", path)
        self.wait_for_session(2, 1)
        gateway.kill()
        gateway.wait()
        self.assertNotEqual(device.wait(timeout=20), 0)
        path.unlink(missing_ok=True)
        gateway = self.start_keyed("--listen-unix", path)
        self.start_device("--unix", path)
        self.wait_for_session(3, 1)
        _, summary = self.stop_gateway(gateway)
        self.assertEqual(self.rejected(summary), {})


if __name__ == "__main__":
    main()
