"""gateway_cli: the command line tool."""
import hashlib
import hmac
import json
import os
import stat
import struct

from bench_of_programs import Bench, frame, main, stream


class Help(Bench):
    def test_tells_its_commands(self):
        self.assertIn("provision", self.cli("--help").stdout)
        for command in ("keygen", "provision", "resync", "flash", "lifetime", "decode", "explain",
                        "export", "fingerprint", "enroll", "revoke"):
            self.assertIn("xample", self.cli(command, "--help").stdout)

    def test_refuses_what_it_does_not_know(self):
        self.one_line(self.cli("fly", code=64).stderr, "no such command", "fly")
        self.cli("provision", "--fly", code=64)
        self.assertIn("needed", self.cli("provision", code=64).stderr)

    def test_tells_its_version(self):
        self.assertRegex(self.cli("--version").stdout, r"^ferrule \d+\.\d+\.\d+$")


class Keygen(Bench):
    def test_makes_a_private_file_once(self):
        root = self.folder / "root"
        self.cli("keygen", "-o", root)
        self.assertEqual(stat.S_IMODE(root.stat().st_mode), 0o600)
        self.assertRegex(root.read_text(), r"^[0-9a-f]{64}\n$")
        before = root.read_text()
        self.one_line(self.cli("keygen", "-o", root, code=1).stderr, "exists")
        self.assertEqual(root.read_text(), before)

    def test_makes_another_each_time(self):
        self.cli("keygen", "-o", self.folder / "one")
        self.cli("keygen", "-o", self.folder / "two")
        self.assertNotEqual((self.folder / "one").read_text(), (self.folder / "two").read_text())


    def test_makes_a_static_key_and_tells_its_public_half(self):
        key = self.folder / "gateway.key"
        told = self.cli("keygen", "--static", key).stdout
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertRegex(key.read_text(), r"^[0-9a-f]{64}\n$")
        self.assertRegex(told, r"^public [0-9a-f]{64}\nfingerprint ([0-9a-f]{4}-){7}[0-9a-f]{4}\n$")
        public = told.split()[1]
        fingerprint = hashlib.sha256(bytes.fromhex(public)).hexdigest()[:32]
        self.assertEqual(told.split()[3].replace("-", ""), fingerprint)
        for which in (key, public, public.upper()):
            self.assertEqual(self.cli("fingerprint", which).stdout, told)
        self.one_line(self.cli("keygen", "--static", key, code=1).stderr, "exists")
        self.cli("keygen", "--static", self.folder / "a", "-o", self.folder / "b", code=64)
        self.cli("fingerprint", code=64)
        self.one_line(self.cli("fingerprint", public[2:], code=1).stderr, public[2:8])
        key.chmod(0o640)
        self.one_line(self.cli("fingerprint", key, code=1).stderr, "chmod 600")

    def test_the_public_half_is_that_of_rfc_7748(self):
        alice = self.folder / "alice.key"
        alice.write_text("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a\n")
        alice.chmod(0o600)
        self.assertIn("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                      self.cli("fingerprint", alice).stdout)


class Provision(Bench):
    def test_makes_blob_registry_and_state(self):
        blob = self.provision("pump-7", "--name", "Pump, hall 7", "--route", "a1b2c3d4")
        self.assertEqual(blob.stat().st_size, 128)
        registry = json.loads(self.registry.read_text())
        self.assertEqual(registry["devices"][0]["route"], "a1b2c3d4")
        self.assertEqual(registry["devices"][0]["name"], "Pump, hall 7")
        self.assertEqual([row[:2] for row in self.state()],
                         [("pump-7", registry["devices"][0]["epoch"])])

    def test_keeps_secrets_from_others(self):
        blob = self.provision("a")
        for path in (blob, self.db):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_issues_nothing_twice(self):
        self.provision("a")
        state, registry = self.state(), self.registry.read_text()
        done = self.provision("a", code=1, blob="second")
        self.one_line(done.stderr, "a", "twice", "--reissue")
        self.assertFalse((self.folder / "second").exists())
        self.assertEqual((self.state(), self.registry.read_text()), (state, registry))

    def test_issues_nothing_twice_when_the_registry_is_lost(self):
        self.provision("a")
        self.registry.unlink()
        self.one_line(self.provision("a", code=1, blob="second").stderr, "issued already")
        self.assertFalse((self.folder / "second").exists())

    def test_issues_nothing_twice_when_the_database_is_lost(self):
        self.provision("a")
        self.db.unlink()
        self.one_line(self.provision("a", code=1, blob="second").stderr, "twice")

    def test_never_overwrites_a_blob(self):
        blob = self.provision("a")
        before = blob.read_bytes()
        self.one_line(self.provision("b", code=1, blob="a.blob").stderr, "a.blob", "exists")
        self.assertEqual(blob.read_bytes(), before)
        self.assertEqual([row[0] for row in self.state()], ["a"])

    def test_reissues_under_another_epoch(self):
        first = self.provision("a").read_bytes()
        before = self.state()[0]
        second = self.provision("a", "--reissue", blob="second").read_bytes()
        after = self.state()[0]
        self.assertNotEqual(before[1], after[1])
        self.assertNotEqual(before[2], after[2])
        self.assertNotEqual(first, second)
        self.assertEqual(len(json.loads(self.registry.read_text())["devices"]), 1)
        self.assertEqual(len(self.query("SELECT * FROM issued")), 2)

    def test_leaves_no_trace_when_the_blob_has_no_place(self):
        done = self.cli("provision", "-i", "a", "-r", self.registry, "-d", self.db,
                        "-o", self.folder / "missing" / "blob", code=1)
        self.one_line(done.stderr, "missing", "No such file")
        self.assertFalse(self.db.exists())
        self.assertFalse(self.registry.exists())

    def test_state_is_entered_before_the_registry(self):
        # The registry's place is taken by a folder: the last steps fail, after the state is in.
        (self.folder / "devices.json.new").mkdir()
        self.one_line(self.provision("a", code=1).stderr, "devices.json.new")
        self.assertEqual([row[0] for row in self.state()], ["a"])
        self.assertFalse((self.folder / "a.blob").exists())
        (self.folder / "devices.json.new").rmdir()
        self.provision("a", code=1)
        self.provision("a", "--reissue")

    def test_refuses_a_route_in_use(self):
        self.provision("a", "--route", "0102")
        self.one_line(self.provision("b", "--route", "0102", code=1).stderr, "device a", "route")
        self.provision("c", "--route-bytes", "0")
        self.one_line(self.provision("d", "--route-bytes", "0", code=1).stderr, "device c")

    def test_checks_what_it_is_given(self):
        for wrong in (["--route", "01"], ["--route", "xyz1"], ["--route", "010203"],
                      ["--route", "a"], ["--route", "00" * 9], ["--route-bytes", "3"], ["--route-bytes", "1"], ["--name", "x" * 65]):
            self.provision("a", *wrong, code=64)
        for identity in ("", "two words", "x" * 33, "a/b", "ä"):
            self.cli("provision", "-i", identity, "-r", self.registry, "-d", self.db, "-o",
                     self.folder / "x", code=64)
        self.assertFalse(self.db.exists())

    def test_takes_a_root_and_keeps_it(self):
        root = self.folder / "root"
        self.cli("keygen", "-o", root)
        before = root.read_text()
        self.provision("a", "--root", root)
        self.assertEqual(root.read_text(), before)
        os.chmod(root, 0o644)
        self.one_line(self.provision("b", "--root", root, code=1).stderr, "chmod 600")
        os.chmod(root, 0o600)
        for wrong in ("", "00" * 31, "00" * 33, "zz" * 32):
            root.write_text(wrong + "\n")
            self.one_line(self.provision("b", "--root", root, code=1).stderr, "root")
        self.assertEqual([row[0] for row in self.state()], ["a"])


class Flash(Bench):
    def test_makes_an_image(self):
        blob = self.provision("a")
        image = self.folder / "flash.img"
        self.cli("flash", "--blob", blob, "--image", image)
        self.assertEqual(image.stat().st_size, 2048)
        self.assertIn(b"Fr", image.read_bytes())
        self.one_line(self.cli("flash", "--blob", blob, "--image", image, code=1).stderr, "exists")

    def test_follows_the_geometry(self):
        blob = self.provision("a")
        image = self.folder / "flash.img"
        self.cli("flash", "--blob", blob, "--image", image, "--block-size", "4096", "--blocks", "4",
                 "--granule", "16", "--erased", "00")
        data = image.read_bytes()
        self.assertEqual(len(data), 16384)
        self.assertEqual(data[-1], 0)

    def test_refuses_what_is_no_blob(self):
        bad = self.folder / "bad"
        blob = self.provision("a").read_bytes()
        for content in (b"", blob[:-1], blob + b"x", blob[:-1] + bytes([blob[-1] ^ 1])):
            bad.write_bytes(content)
            bad.chmod(0o600)
            self.one_line(self.cli("flash", "--blob", bad, "--image", self.folder / "i",
                                   code=1).stderr, "bad")
        self.assertFalse((self.folder / "i").exists())

    def test_refuses_what_cannot_work(self):
        blob = self.provision("a")
        self.one_line(self.cli("flash", "--blob", blob, "--image", self.folder / "i",
                               "--block-size", "16", code=1).stderr, "geometry")
        self.cli("flash", "--blob", blob, "--image", self.folder / "i", "--policy", "x", code=64)


class Binding(Bench):
    CHIP = "300041000c51363934373233"

    def flash(self, blob, *more, code=0):
        image = self.folder / "image"
        image.unlink(missing_ok=True)
        done = self.cli("flash", "--blob", blob, "--image", image, *more, code=code)
        self.assertEqual(image.exists(), code == 0)
        return done.stderr

    def test_a_bound_blob(self):
        blob = self.provision("a", "--hardware", self.CHIP)
        data = blob.read_bytes()
        self.assertEqual(len(data), 144)
        self.assertEqual(data[128:], hmac.digest(data[56:88], b"ferrule1hwid" +
                                                 bytes.fromhex(self.CHIP), "sha256")[:16])
        self.flash(blob, "--hardware", self.CHIP)
        self.one_line(self.flash(blob, "--hardware", self.CHIP[:-2], code=1), "a.blob",
                      "other hardware")
        self.one_line(self.flash(blob, code=1), "a.blob", "give", "--hardware")

    def test_an_unbound_blob(self):
        blob = self.provision("a")
        self.flash(blob)
        self.one_line(self.flash(blob, "--hardware", self.CHIP, code=1), "a.blob",
                      "bound to no hardware", "provision --hardware")

    def test_ids_are_checked(self):
        for wrong in ("", "0", "xx", "00" * 65):
            self.provision("a", "--hardware", wrong, code=64)
            self.cli("flash", "--blob", "x", "--image", "y", "--hardware", wrong, code=64)
        self.assertFalse(self.db.exists())
        self.provision("a", "--hardware", "00" * 64)


class Lifetime(Bench):
    def lifetime(self, *more, code=0):
        return self.cli("lifetime", "--page", "2048", "--blocks", "3", "--endurance", "10000",
                        "--granule", "8", "--boots", "5", *more, code=code)

    def test_tells_how_long(self):
        # 3 blocks of 14 slots; each of 5 burns a day follows a boot: two erases where one would do.
        said = self.lifetime().stdout
        self.assertIn(f"flash              {3 * 14 * 10000 // 10 / 365:.1f} years", said)
        self.assertIn("the limit          flash", said)

    def test_counts_burns_by_records(self):
        self.assertIn("generations a day  15\n",
                      self.lifetime("--records", "5000", "--burn-records", "500").stdout)

    def test_one_slot_in_a_block_where_only_an_erase_destroys(self):
        life = json.loads(self.lifetime("--no-overwrite", "--json").stdout)
        self.assertEqual(life["flash_years"], round(3 * 10000 // 10 / 365, 1))
        self.assertEqual(life["limit"], "flash")
        block = json.loads(self.lifetime("--no-overwrite", "--policy", "block", "--json").stdout)
        self.assertGreater(block["flash_years"], 13 * life["flash_years"])

    def test_says_when_it_is_too_short(self):
        self.lifetime("--years", "100")
        self.one_line(self.lifetime("--years", "120", code=1).stderr, "flash: 115.1 years",
                      "more blocks")
        self.one_line(self.lifetime("--endurance", "4000000000", "--burn-ms", "1", "--years", "2",
                                    code=1).stderr, "generations: 0.1 years")

    def test_refuses_what_cannot_work(self):
        self.one_line(self.lifetime("--page", "64", code=1).stderr, "no slot fits")
        self.lifetime("--policy", "x", code=64)


class Looking(Bench):
    def setUp(self):
        super().setUp()
        self.device_a = self.device("pump-7", "--route", "a1b2")
        self.records = [self.device_a.record("reading 3 1700000000123 21.5"),
                        self.device_a.record("event valve \x01 stuck"),
                        self.device_a.record("raw 00ff10"),
                        self.device_a.record("name 3 temperature degC")]

    def decode(self, records, code=0):
        path = self.folder / "c"
        path.write_bytes(stream(records))
        return self.cli("decode", "-r", self.registry, "-d", self.db, "-f", path, code=code).stdout

    def explain(self, record, code):
        return self.cli("explain", "-r", self.registry, "-d", self.db, "--hex", record.hex(),
                        code=code).stdout

    def test_decodes_without_changing_anything(self):
        before = self.state()
        text = self.decode(self.records)
        self.assertIn("2023-11-14T22:13:20.123Z series 3 = 21.5", text)
        self.assertIn('warning "valve ? stuck"', text)
        self.assertIn("raw 00ff10", text)
        self.assertIn('"temperature" in "degC"', text)
        self.assertEqual(self.state(), before)
        self.assertEqual(self.ingest(self.records)["stored"], 4)

    def test_decodes_what_was_accepted_before(self):
        self.ingest(self.records[:2])
        text = self.decode(self.records)
        self.assertEqual(text.count("accepted before"), 2)
        self.assertIn("raw 00ff10", text)

    def test_decode_names_what_it_refuses(self):
        broken = self.records[0][:-1] + bytes([self.records[0][-1] ^ 1])
        self.assertIn("pump-7", self.decode([broken], code=1))

    def test_explains_an_acceptance(self):
        before = self.state()
        text = self.explain(self.records[0], 0)
        for words in ("1 header: provisioned record, up, full form, live lane, route a1b2",
                      "2 context: route of device pump-7", "3 generation", "within reach",
                      "5 verdict: ACCEPTED as generation 0, sequence 0", "series 3 = 21.5"):
            self.assertIn(words, text)
        self.assertEqual(self.state(), before)

    def test_explains_a_frame_in_a_file(self):
        path = self.folder / "one"
        path.write_bytes(frame(self.records[0]))
        done = self.cli("explain", "-r", self.registry, "-d", self.db, "-f", path, "--framed")
        self.assertIn("ACCEPTED", done.stdout)

    def test_explains_rejections(self):
        good = bytearray(self.records[0])
        self.ingest([bytes(good)])
        self.assertIn("window has this number already", self.explain(bytes(good), 2))
        forged = bytearray(self.records[1])
        forged[-1] ^= 1
        self.assertIn("the tag does not verify", self.explain(bytes(forged), 2))
        self.assertIn("the reserved bit is set", self.explain(bytes([good[0] | 1]) + good[1:], 2))
        self.assertIn("no device of the registry has this route",
                      self.explain(good[:1] + b"\x77\x77" + good[3:], 2))
        ahead = bytearray(self.records[1])
        ahead[3:7] = struct.pack("<I", 5)
        self.assertIn("the claim does not verify", self.explain(bytes(ahead), 2))
        ahead[3:7] = struct.pack("<I", 1 << 30)
        self.assertIn("more than the 262144 that are followed", self.explain(bytes(ahead), 2))
        self.assertIn("REJECTED", self.explain(b"", 2))

    def test_exports_exact_doubles(self):
        bits = ["7ff8000000000000", "fff8000000000001", "8000000000000000", "7ff0000000000000",
                "fff0000000000000", "0000000000000001", "3fb999999999999a", "7fefffffffffffff"]
        records = [self.device_a.record(f"reading 3 5 0b{one}") for one in bits]
        self.ingest([self.records[3]] + records)
        rows = self.cli("export", "--db", self.db, "--csv").stdout.splitlines()
        self.assertEqual([row.rsplit(",", 1)[1] for row in rows[1:]], bits)
        for row, one in zip(rows[1:], bits):
            value = float(row.split(",")[-2])
            expected = struct.unpack(">d", bytes.fromhex(one))[0]
            self.assertEqual(repr(value), repr(expected))
            self.assertIn('"temperature"', row)
        self.assertEqual(self.cli("export", "--db", self.db, "--device", "x").stdout.count("\n"), 1)


if __name__ == "__main__":
    main()
