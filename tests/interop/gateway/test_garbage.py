"""gateway_garbage: whatever arrives is survived, and every drop is counted under its reason."""
import random
import os
import struct

from bench_of_programs import Bench, frame, main, stream

SEED = int(os.environ.get("FERRULE_SEED", "20261122"))


def datagrams(records):
    return b"".join(struct.pack("<H", len(record)) + record for record in records)


class Reasons(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("a", "--route", "a1b2c3d4")

    def good(self):
        return self.a.readings(1)[0]

    def check(self, records, **expected):
        expected = {name.replace("_", "-"): count for name, count in expected.items()}
        summary = self.ingest(records)
        self.assertEqual(self.rejected(summary), expected)
        return summary

    def test_accepts_good_records(self):
        summary = self.check(self.a.readings(300))
        self.assertEqual(summary["stored"], 300)
        self.assertEqual(self.count("reading"), 300)

    def test_truncated(self):
        record = self.good()
        self.check([record[:-1]], tag_forged=1)
        self.check([record[:17 + 15]], malformed=1)
        self.check([record[:1]], malformed=1)
        self.assertEqual(self.check([record])["stored"], 1)

    def test_extended_and_flipped(self):
        record = self.good()
        flipped = bytearray(record)
        flipped[-20] ^= 0x40
        self.check([record + b"x", bytes(flipped)], tag_forged=2)
        self.assertEqual(self.check([record])["stored"], 1)

    def test_reserved_bit(self):
        record = self.good()
        self.check([bytes([record[0] | 1]) + record[1:]], malformed=1)

    def test_other_kinds(self):
        record = self.good()
        for kind, reason in ((0, "malformed"), (2, "unknown-route"), (3, "malformed")):
            other = bytes([record[0] & 0x3F | kind << 6]) + record[1:]
            self.check([other], **{reason: 1})

    def test_unknown_route(self):
        record = self.good()
        self.check([record[:1] + b"\1\2\3\4" + record[5:]], unknown_route=1)

    def test_wrong_key(self):
        record = self.good()
        self.provision("a", "--reissue", blob="again")
        self.check([record], tag_forged=1)

    def test_replayed(self):
        records = self.a.readings(3)
        summary = self.check(records + records, replayed=3)
        self.assertEqual(summary["stored"], 3)
        self.check(records, replayed=3)
        self.assertEqual(self.count(), 3)

    def test_old_number(self):
        first = self.good()
        self.a.tell("skip 600")
        self.check([self.good(), first], old=1)

    def test_old_generation(self):
        first = self.good()
        self.a.tell("generation 100")
        self.assertEqual(self.check([self.good(), first], old=1)["stored"], 1)

    def test_late_generation(self):
        first = self.good()
        self.a.tell("generation 3")
        summary = self.check([self.good(), first])
        self.assertEqual((summary["stored"], summary["late"]), (2, 1))

    def test_far_future(self):
        self.a.tell("generation %d" % ((1 << 18) + 1))
        self.check([self.good()], far_future=1)

    def test_forged_claim(self):
        record = bytearray(self.good())
        record[5:9] = struct.pack("<I", 7)
        self.check([bytes(record)], claim_forged=1)

    def test_closed_and_disabled(self):
        record = self.good()
        text = self.registry.read_text()
        self.registry.write_text(text.replace('"id"', '"enabled": false, "id"'))
        self.check([record], closed_device=1)
        epoch = self.state()[0][1]
        self.registry.write_text(text.replace(str(epoch), str(epoch ^ 1)))
        done = self.run_gateway("--file", os.devnull)
        self.assertIn("device a stays closed: the registry says epoch", done.stderr)
        self.check([record], closed_device=1)
        self.registry.write_text(text.replace("a1b2c3d4", "a1b2c3d5"))
        self.check([record], unknown_route=1)
        self.registry.write_text(text)
        self.assertEqual(self.check([record])["stored"], 1)

    def test_malformed_envelope_is_kept(self):
        record = self.a.record("plain ffffffff")
        summary = self.check([record, self.good()])
        self.assertEqual((summary["stored"], summary["malformed-envelope"]), (2, 1))
        self.assertEqual(self.query("SELECT hex(kept) FROM record ORDER BY id"),
                         [("FFFFFFFF",), ("",)])

    def test_unknown_arm_is_kept(self):
        plaintext = "fa3f0474657374"  # field 1023, length-delimited, 4 bytes
        summary = self.check([self.a.record("plain " + plaintext)])
        self.assertEqual((summary["stored"], summary["malformed-envelope"]), (1, 0))
        self.assertEqual(self.query("SELECT hex(kept) FROM record"), [(plaintext.upper(),)])


class Streams(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("a")

    def test_oversized_frame(self):
        good = self.a.readings(2)
        data = frame(good[0]) + b"\xff" * 70000 + b"\0" + frame(good[1])
        summary = self.ingest(data, encode=bytes)
        self.assertEqual((summary["stored"], summary["oversized"]), (2, 1))
        self.assertEqual(summary["bytes-dropped"], 70000)

    def test_broken_frame(self):
        good = self.a.readings(2)
        summary = self.ingest(frame(good[0])[:-9] + b"\0" + frame(good[1]), encode=bytes)
        self.assertEqual((summary["stored"], summary["broken"]), (1, 1))

    def test_unfinished_frame(self):
        good = self.a.readings(2)
        summary = self.ingest(stream(good)[:-1], encode=bytes)
        self.assertEqual(summary["stored"], 1)

    def test_noise_between_records(self):
        print("seed", SEED)
        rng = random.Random(SEED)
        good = self.a.readings(200)
        data = bytearray()
        for record in good:
            data += rng.randbytes(rng.randrange(60)) + b"\0" + frame(record)
        summary = self.ingest(bytes(data), encode=bytes)
        self.assertEqual(summary["stored"], 200)

    def test_noise_alone(self):
        rng = random.Random(SEED + 1)
        summary = self.ingest(rng.randbytes(1 << 20), encode=bytes)
        self.assertEqual(summary["accepted"], 0)
        self.assertEqual(sum(self.rejected(summary).values()), summary["frames"])
        self.assertGreater(summary["broken"], 1000)
        self.assertEqual(self.ingest(self.a.readings(1))["stored"], 1)

    def test_mutated_records(self):
        rng = random.Random(SEED + 2)
        records = self.a.readings(1000)
        for i, record in enumerate(records):
            changed = bytearray(record)
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
            records[i] = bytes(changed)
        summary = self.ingest(records)
        self.assertEqual((summary["accepted"], summary["frames"]), (0, 1000))
        self.assertEqual(sum(self.rejected(summary).values()), 1000)

    def test_reject_lines_are_few(self):
        done_lines = self.run_gateway("--file", self.write(stream([b"\xee" * 40] * 5000))).stderr
        self.assertLess(done_lines.count("reject "), 100)
        self.assertIn("malformed=5000", done_lines)

    def write(self, data):
        path = self.folder / "noise"
        path.write_bytes(data)
        return path


class Datagrams(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("a")

    def test_captured_datagrams(self):
        good = self.a.readings(500)
        summary = self.ingest(good + [b"", b"\0" * 65535], "--datagrams", encode=datagrams)
        self.assertEqual(summary["stored"], 500)
        self.assertEqual(self.rejected(summary), {"malformed": 2})

    def test_a_capture_cut_short(self):
        good = self.a.readings(3)
        summary = self.ingest(datagrams(good)[:-1], "--datagrams", encode=bytes)
        self.assertEqual((summary["stored"], summary["broken"]), (2, 1))

    def test_large_records(self):
        record = self.a.record("raw " + "5a" * 64000)
        self.assertEqual(self.ingest([record], "--datagrams", encode=datagrams)["stored"], 1)
        self.assertEqual(self.query("SELECT length(bytes) FROM raw"), [(64000,)])

    def test_standard_input(self):
        good = self.a.readings(20)
        done = self.run_gateway("--file", "-", input=stream(good))
        self.assertEqual(self.summary(done.stderr)["stored"], 20)


if __name__ == "__main__":
    main()
