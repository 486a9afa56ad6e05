"""gateway_posix_device: the example device and the gateway, from provisioning to rows."""
import os
import shutil
import signal
import socket
import subprocess

from bench_of_programs import Bench, main, skip

if "FERRULE_POSIX_DEVICE" not in os.environ:
    skip("the example posix-device is not built (FERRULE_EXAMPLES)")
POSIX_DEVICE = os.environ["FERRULE_POSIX_DEVICE"]


class EndToEnd(Bench):
    def run_device(self, *arguments):
        return subprocess.run([POSIX_DEVICE, *map(str, arguments)], capture_output=True, text=True,
                              timeout=60)

    def free_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]

    def check_rows(self, generations):
        self.assertGreater(self.count("reading"), 0)
        self.assertGreater(self.count("health"), 0)
        self.assertEqual(self.query("SELECT DISTINCT generation FROM record ORDER BY 1"),
                         [(generation,) for generation in generations])
        # Nothing is missing inside a generation, and nothing came twice.
        for generation in generations:
            numbers = self.query("SELECT sequence FROM record WHERE generation = ? ORDER BY 1",
                                 generation)
            self.assertEqual(numbers, [(i,) for i in range(len(numbers))])

    def test_over_udp_across_restarts(self):
        state = self.folder / "state"
        blob = self.provision("pump-7")
        where = f"127.0.0.1:{self.free_port()}"
        process = self.start_gateway("--udp", where)
        for run in range(3):
            install = ["--blob", blob] if run == 0 else []
            done = self.run_device("--state", state, "--udp", where, "--interval", 20, "--count",
                                   10, *install)
            self.assertEqual(done.returncode, 0, done.stderr)
        _, summary = self.stop_gateway(process)
        self.assertEqual(self.rejected(summary), {})
        self.assertGreater(summary["acks-sent"], 2)
        self.check_rows([0, 1, 2])

    def test_over_a_socket_with_a_flashed_image(self):
        state = self.folder / "state"
        self.cli("flash", "--blob", self.provision("pump-7"), "--image", state, "--port", "posix")
        process = self.start_gateway("--listen-unix", self.folder / "s")
        done = self.run_device("--state", state, "--unix", self.folder / "s", "--interval", 20,
                               "--count", 10)
        self.assertEqual(done.returncode, 0, done.stderr)
        _, summary = self.stop_gateway(process)
        self.assertEqual(self.rejected(summary), {})
        self.assertEqual((summary["broken"], summary["oversized"]), (0, 0))
        self.check_rows([0])

    def test_a_copied_image_is_found(self):
        """Its memory is copied while it is off, and both go on: the second repeats a generation."""
        state = self.folder / "state"
        copy = self.folder / "copy"
        blob = self.provision("pump-7", "--hardware", "0badc0de")
        where = f"127.0.0.1:{self.free_port()}"
        process = self.start_gateway("--udp", where)

        def run(image, *more):
            done = self.run_device("--state", image, "--udp", where, "--interval", 20, "--count",
                                   5, *more)
            self.assertEqual(done.returncode, 0, done.stderr)

        run(state, "--blob", blob, "--hardware", "0badc0de")
        shutil.copy(state, copy)
        run(state)
        self.assertNotIn("ALARM", self.errors())
        rows = self.count()
        # Long enough for several looks at what is refused: its first record may be the same, bit for
        # bit, and the gateway looks up one in 100 ms.
        run(copy, "--interval", 60, "--count", 15)
        self.wait_for(lambda: "ALARM device pump-7 went backwards" in self.errors())
        _, summary = self.stop_gateway(process)
        self.assertEqual((summary["backwards"], summary["suspected"]), (1, 0))
        self.assertEqual(self.query("SELECT identity, kind, generation FROM alarm"),
                         [("pump-7", "backwards", 1)])
        # ONCE: what the original sent is what is there.
        self.assertGreaterEqual(self.count(), rows)
        self.assertGreater(summary["replayed"], 0)

    def test_gateway_dies_and_comes_back(self):
        state = self.folder / "state"
        blob = self.provision("pump-7")
        where = f"127.0.0.1:{self.free_port()}"
        device = subprocess.Popen([POSIX_DEVICE, "--state", str(state), "--blob", str(blob), "--udp",
                                   where, "--interval", "10"], stderr=subprocess.DEVNULL)
        self.addCleanup(device.wait)
        self.addCleanup(device.kill)
        for _ in range(3):
            process = self.start_gateway("--udp", where)
            rows = self.count()
            self.wait_for(lambda: self.count() > rows + 5)
            process.kill()
            process.wait()
        device.send_signal(signal.SIGINT)
        self.assertEqual(device.wait(timeout=20), 0)
        rows = self.count()
        self.assertEqual(self.query("SELECT count(DISTINCT sequence) FROM record"), [(rows,)])


if __name__ == "__main__":
    main()
