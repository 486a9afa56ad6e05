"""gateway_resync_cli: a device that was restarted more often, unheard, than the gateway follows."""
import re
import shlex
import struct

from bench_of_programs import Bench, main, stream


class Resync(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("pump-7", "--route", "a1b2")

    def run_over(self, records, *more):
        capture = self.folder / "capture"
        capture.write_bytes(stream(records))
        return self.run_gateway("--file", capture, "--max-skip", 100, *more)

    def resync(self, *more, code=0):
        return self.cli("resync", "-r", self.registry, "-d", self.db, "-i", "pump-7", *more,
                        code=code)

    def test_the_whole_path(self):
        """Too far; the gateway says what to run; it is run; all goes on, and nothing opens twice."""
        early = self.a.readings(3)
        self.run_over(early)
        self.a.tell("generation 500")
        far = self.a.readings(4)
        done = self.run_over(far)
        self.assertEqual(self.rejected(self.summary(done.stderr)), {"far-future": 4})
        advice = re.findall(r"run: (ferrule resync .*)", done.stderr)
        self.assertEqual(len(advice), 1, done.stderr)  # once a minute for a device
        words = shlex.split(advice[0])
        self.assertEqual(words[-2:], ["--generation", "500"])
        done = self.cli(*words[1:])
        self.one_line(done.stderr, "pump-7", "goes on from generation 500", "was at 0")
        summary = self.summary(self.run_over(early + far + early + far).stderr)
        self.assertEqual((summary["accepted"], summary["stored"]), (4, 4))
        self.assertEqual(self.rejected(summary), {"old": 6, "replayed": 4})
        self.a.tell("generation 501")
        self.assertEqual(self.summary(self.run_over(self.a.readings(2)).stderr)["stored"], 2)

    def test_followed_without_it(self):
        self.a.tell("generation 100")
        self.assertEqual(self.summary(self.run_over(self.a.readings(1)).stderr)["stored"], 1)
        self.a.tell("generation 201")
        done = self.run_over(self.a.readings(1))
        self.assertEqual(self.rejected(self.summary(done.stderr)), {"far-future": 1})
        # The library's own limit follows it by far.
        self.assertEqual(self.ingest(self.a.readings(1))["stored"], 1)

    def test_forged_claims_advise_nothing(self):
        record = bytearray(self.a.readings(1)[0])
        record[3:7] = struct.pack("<I", 4000)
        done = self.run_over([bytes(record)])
        self.assertEqual(self.rejected(self.summary(done.stderr)), {"claim-forged": 1})
        self.assertNotIn("resync", done.stderr)

    def test_never_back(self):
        self.a.tell("generation 40")
        self.run_over(self.a.readings(1))
        before = self.state()
        for generation in (1, 39, 40):
            self.one_line(self.resync("--generation", generation, code=1).stderr,
                          "at generation 40 already", "never back")
        self.assertEqual(self.state(), before)
        self.resync("--generation", 41)
        self.assertNotEqual(self.state(), before)
        self.a.tell("generation 41")
        self.assertEqual(self.summary(self.run_over(self.a.readings(1)).stderr)["stored"], 1)

    def test_by_the_record_itself(self):
        self.a.tell("generation 5000")
        far = self.a.readings(1)[0]
        forged = bytearray(far)
        forged[3] ^= 1
        before = self.state()
        self.one_line(self.resync("--claimed", forged.hex(), code=1).stderr, "did not authenticate")
        self.one_line(self.resync("--claimed", "00ff", code=1).stderr, "not a record")
        self.one_line(self.resync("--claimed", "zz", code=1).stderr, "not a record")
        self.assertEqual(self.state(), before)
        self.one_line(self.resync("--claimed", far.hex()).stderr, "from generation 5000")
        self.assertEqual(self.summary(self.run_over([far]).stderr)["stored"], 1)
        self.one_line(self.resync("--claimed", far.hex(), code=1).stderr, "accepted before")

    def test_not_beside_a_running_gateway(self):
        process = self.start_gateway("--listen-unix", self.folder / "s")
        before = self.state()
        self.one_line(self.resync("--generation", 9, code=1).stderr, "stop it first")
        self.assertEqual(self.state(), before)
        self.stop_gateway(process)
        self.resync("--generation", 9)

    def test_refusals(self):
        self.one_line(self.cli("resync", "-r", self.registry, "-d", self.db, "-i", "x",
                               "--generation", 5, code=1).stderr, "x is not in the registry")
        self.one_line(self.cli("resync", "-r", self.registry, "-d", self.folder / "none", "-i",
                               "pump-7", "--generation", 5, code=1).stderr, "none")
        for wrong in ([], ["--generation", 5, "--claimed", "00"], ["--generation", "x"],
                      ["--generation", 0], ["--generation", 2**32 - 1]):
            self.resync(*wrong, code=64)
        self.assertIn("--max-skip", self.run_gateway("--file", "/dev/null", "--max-skip", 7,
                                                     code=64).stderr)


class LaterGeneration(Bench):
    def test_a_device_begins_where_its_counter_stands(self):
        device = self.device("a", "--generation", 3000)
        blob = (self.folder / "a.blob").read_bytes()
        self.assertEqual(struct.unpack_from("<I", blob, 4), (3000,))
        records = device.readings(2)
        self.assertEqual(struct.unpack_from("<I", records[0], 5), (3000,))
        self.assertEqual(self.ingest(records + records)["stored"], 2)
        device.tell("generation 3001")
        self.assertEqual(self.ingest(device.readings(1))["stored"], 1)
        self.provision("b", "--generation", 2**24 + 1, code=64)


if __name__ == "__main__":
    main()
