"""gateway_bad_input: what is wrong with registry, database, links or disk is one line that names the
cause, and the exit code is not zero."""
import os
import socket
import sqlite3
import subprocess

from bench_of_programs import Bench, main, stream

GOOD = '{"id": "a", "epoch": 1, "route": "0102"}'


class Registry(Bench):
    def setUp(self):
        super().setUp()
        self.provision("z", "--route", "ffff")

    def refuse(self, text, *words):
        self.registry.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = self.run_gateway("--file", os.devnull, code=1)
        self.one_line(done.stderr, "devices.json", *words)
        self.assertEqual(done.stdout, "")

    def devices(self, *objects):
        return '{"ferrule_registry": 1, "devices": [\n' + ",\n".join(objects) + "\n]}\n"

    def test_missing(self):
        self.registry.unlink()
        self.one_line(self.run_gateway("--file", os.devnull, code=1).stderr, "devices.json",
                      "No such file")

    def test_good_ones_pass(self):
        full = ('{"id": "b", "epoch": 4294967295, "route": "", "name": "Bänk 7",'
                ' "enabled": false, "acks": false}')
        self.registry.write_text(self.devices(GOOD, full))
        done = self.run_gateway("--file", os.devnull)
        self.assertIn("0 of 2 devices are open", done.stderr)
        self.assertIn("device a stays closed: the database has no state of it", done.stderr)

    def test_not_json(self):
        for text in ("", "{", "[1", "hello", '{"a": }', "{'a': 1}"):
            self.refuse(text, "line 1", "JSON")
        self.refuse(self.devices(GOOD, '{"id": "b",}'), "line 3", "JSON")
        self.refuse(self.devices(GOOD) + "x", "line 4", "follows")
        self.refuse(b'\xff\xfe{}', "JSON")
        self.refuse(self.devices(GOOD).encode() + b"\0", "line 4", "zero")
        self.refuse(self.devices('{"id": "a\\u0000b", "epoch": 1, "route": ""}'), "line 2", "zero")

    def test_deep_nesting(self):
        self.refuse("[" * 100000, "JSON")

    def test_wrong_top(self):
        self.refuse("[]", "one object")
        self.refuse("{}", "ferrule_registry")
        self.refuse('{"ferrule_registry": 2, "devices": []}', "must be 1")
        self.refuse('{"ferrule_registry": "1", "devices": []}', "must be 1")
        self.refuse('{"ferrule_registry": 1}', "devices")
        self.refuse('{"ferrule_registry": 1, "devices": {}}', "list")
        self.refuse('{"ferrule_registry": 1, "devices": [], "x": 1}', "unknown key", "x")
        self.refuse('{"ferrule_registry": 1, "devices": [], "devices": []}', "twice")

    def test_wrong_device(self):
        for wrong, words in (
                ("7", ["number 2", "object"]),
                ("{}", ["line 3", "id"]),
                ('{"id": 7, "epoch": 1, "route": ""}', ["line 3", "id"]),
                ('{"id": "", "epoch": 1, "route": ""}', ["line 3", "id"]),
                ('{"id": "%s", "epoch": 1, "route": ""}' % ("x" * 33), ["line 3", "id"]),
                ('{"id": "b c", "epoch": 1, "route": ""}', ["line 3", "id"]),
                ('{"id": "b", "route": ""}', ["line 3", "epoch", "b"]),
                ('{"id": "b", "epoch": -1, "route": ""}', ["line 3", "epoch"]),
                ('{"id": "b", "epoch": 4294967296, "route": ""}', ["line 3", "epoch"]),
                ('{"id": "b", "epoch": 1.5, "route": ""}', ["line 3", "epoch"]),
                ('{"id": "b", "epoch": "1", "route": ""}', ["line 3", "epoch"]),
                ('{"id": "b", "epoch": 1}', ["line 3", "route"]),
                ('{"id": "b", "epoch": 1, "route": "01"}', ["line 3", "route"]),
                ('{"id": "b", "epoch": 1, "route": "010"}', ["line 3", "route"]),
                ('{"id": "b", "epoch": 1, "route": "01020304050607"}', ["line 3", "route"]),
                ('{"id": "b", "epoch": 1, "route": "zz11"}', ["line 3", "route"]),
                ('{"id": "b", "epoch": 1, "route": 1122}', ["line 3", "route"]),
                ('{"id": "b", "epoch": 1, "route": "", "name": 1}', ["line 3", "name"]),
                ('{"id": "b", "epoch": 1, "route": "", "name": "%s"}' % ("x" * 65), ["name"]),
                ('{"id": "b", "epoch": 1, "route": "", "name": "a\\nb"}', ["line 3", "name"]),
                ('{"id": "b", "epoch": 1, "route": "", "enabled": 1}', ["line 3", "enabled"]),
                ('{"id": "b", "epoch": 1, "route": "", "acks": "no"}', ["line 3", "acks"]),
                ('{"id": "b", "epoch": 1, "route": "", "static": 1}', ["line 3", "static"]),
                ('{"id": "b", "epoch": 1, "route": "", "static": "%s"}' % ("a" * 63), ["static"]),
                ('{"id": "b", "epoch": 1, "route": "", "static": "%s"}' % ("a" * 66), ["static"]),
                ('{"id": "b", "epoch": 1, "route": "", "static": "%s"}' % ("g" * 64), ["static"]),
                ('{"id": "b", "epoch": 1, "route": "", "static": "%s", "session": "never"}' %
                 ("a" * 64), ["line 3", "session"]),
                ('{"id": "b", "epoch": 1, "route": "", "static": "%s", "session": true}' %
                 ("a" * 64), ["line 3", "session"]),
                ('{"id": "b", "epoch": 1, "route": "", "session": "allowed"}', ["needs", "static"]),
                ('{"id": "b", "epoch": 1, "route": "", "key": ""}', ["line 3", "unknown", "key"]),
                ('{"id": "b", "id": "b", "epoch": 1, "route": ""}', ["line 3", "id", "twice"])):
            with self.subTest(wrong):
                self.refuse(self.devices(GOOD, wrong), *words)

    def test_duplicates(self):
        self.refuse(self.devices(GOOD, GOOD.replace("0102", "0304")), "line 3", '"a"', "line 2")
        self.refuse(self.devices(GOOD, GOOD.replace('"a"', '"b"')), "line 3", "b", "route", "line 2")
        keyed = GOOD.replace("}", ', "static": "%s"}' % ("a5" * 32))
        other = keyed.replace('"a"', '"b"').replace("0102", "0304").replace("a5", "A5")
        self.refuse(self.devices(keyed, other), "line 3", "b", "static key of a in line 2")
        empty = GOOD.replace("0102", "")
        self.refuse(self.devices(empty, empty.replace('"a"', '"b"')), "line 3", "only one")

    def test_lines_are_counted_through_strings(self):
        tricky = '{"id": "a",\n "epoch": 1, "route": "0102", "name": "}{[\\"]"}'
        self.refuse(self.devices(tricky, '{"id": "b"}'), "line 4")


class Files(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("a")

    def refuse(self, *words, arguments=("--file", os.devnull), **options):
        self.one_line(self.run_gateway(*arguments, code=1, **options).stderr, *words)

    def test_no_options(self):
        self.assertIn("needed", self.run_tool([]))
        self.assertIn("nothing to read", self.run_tool(["-r", "x", "-d", "y"]))
        self.assertIn("--commit-ms", self.run_tool(["--commit-ms", "x"]))
        self.assertIn("xample", subprocess.run([os.environ["FERRULE_GATEWAY"], "--help"],
                                               capture_output=True, text=True).stdout)

    def run_tool(self, arguments):
        done = subprocess.run([os.environ["FERRULE_GATEWAY"], *arguments], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 64)
        return done.stderr

    def test_missing_database(self):
        self.db.unlink()
        self.refuse("ferrule.db", "No such file", "provision")
        self.assertFalse(self.db.exists())

    def test_a_database_of_others(self):
        self.db.unlink()
        sqlite3.connect(self.db).execute("CREATE TABLE t(x)").connection.commit()
        self.db.chmod(0o600)
        self.refuse("ferrule.db", "is not Ferrule's")
        before = self.db.read_bytes()
        self.one_line(self.provision("b", code=1).stderr, "is not Ferrule's")
        self.assertEqual(self.db.read_bytes(), before)

    def test_a_later_database(self):
        connection = sqlite3.connect(self.db)
        connection.execute("PRAGMA user_version=99")
        connection.close()
        self.refuse("ferrule.db", "format 99", "use a newer program")

    def test_an_earlier_database(self):
        """What the line advises works."""
        connection = sqlite3.connect(self.db)
        connection.execute("PRAGMA user_version=1")
        connection.close()
        self.refuse("ferrule.db", "format 1 of an older program", "export", "--reissue")
        self.db = self.folder / "new.db"
        self.one_line(self.provision("a", code=1, blob="new.blob").stderr, "--reissue")
        self.provision("a", "--reissue", blob="new.blob")
        self.assertIn("ready: 1 of 1 devices", self.run_gateway("--file", "/dev/null").stderr)

    def test_no_database(self):
        self.db.write_bytes(b"not a database, but long enough to be looked at" * 100)
        self.refuse("ferrule.db", "not a database")

    def test_a_database_that_others_can_read(self):
        self.db.chmod(0o644)
        self.refuse("ferrule.db", "chmod 600")

    def test_read_only_database(self):
        # Root writes what it likes, so that another user is asked.
        if os.getuid() == 0:
            os.chmod(self.folder, 0o755)
            for path in self.folder.iterdir():
                os.chown(path, 65534, 65534)
            self.db.chmod(0o400)
            self.refuse("ferrule.db", arguments=("--file", os.devnull), user=65534, group=65534,
                        extra_groups=[])
        else:
            self.db.chmod(0o400)
            self.refuse("ferrule.db")

    def test_damaged_state_stays_closed(self):
        connection = sqlite3.connect(self.db)
        connection.execute("UPDATE device SET snapshot = zeroblob(500)")
        connection.commit()
        connection.close()
        done = self.run_gateway("--file", os.devnull)
        self.assertIn("device a stays closed: its state cannot be read", done.stderr)

    def change(self, sql):
        connection = sqlite3.connect(self.db)
        connection.execute(sql)
        connection.commit()
        connection.close()

    def test_lost_state_stays_closed(self):
        """The registry knows the device: nothing of it is accepted until it is issued again."""
        capture = self.folder / "capture"
        capture.write_bytes(stream(self.a.readings(3)))
        self.change("DELETE FROM device")
        for _ in range(2):
            done = self.run_gateway("--file", capture)
            self.assertIn("device a stays closed: the database has no state of it", done.stderr)
            self.assertEqual(self.rejected(self.summary(done.stderr)), {"closed-device": 3})
            self.assertEqual((self.count(), self.state()), (0, []))

    def test_state_of_another_epoch_stays_closed(self):
        """A database from before the device was issued again."""
        capture = self.folder / "capture"
        capture.write_bytes(stream(self.a.readings(3)))
        old = self.db.read_bytes()
        self.provision("a", "--reissue", blob="second")
        for path in self.folder.glob("ferrule.db-*"):
            path.unlink()
        self.db.write_bytes(old)
        done = self.run_gateway("--file", capture)
        self.assertIn("device a stays closed: the registry says epoch", done.stderr)
        self.assertEqual(self.rejected(self.summary(done.stderr)), {"closed-device": 3})
        self.assertEqual(self.count(), 0)

    def test_a_second_gateway(self):
        self.start_gateway("--listen-unix", self.folder / "s")
        self.refuse("ferrule.db", "another ferrule-gateway")

    def test_missing_sources(self):
        missing = self.folder / "missing"
        for arguments in (("--serial", missing), ("--unix", missing), ("--file", missing)):
            self.refuse("missing", "No such file", arguments=arguments)
        self.refuse("missing", arguments=("--listen-unix", missing / "s"))
        self.refuse("is not a serial device", arguments=("--serial", "/dev/null"))
        self.refuse("is a folder", arguments=("--file", self.folder))
        self.refuse("at 7 baud", arguments=("--serial", "/dev/null", "--baud", "7"))
        self.refuse("too long", arguments=("--unix", "/" + "x" * 200))

    def test_ports_in_use(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refuse(where, "in use", arguments=("--udp", where))
        with socket.socket(socket.AF_UNIX) as taken:
            taken.bind(str(self.folder / "s"))
            taken.listen()
            self.refuse("in use", arguments=("--listen-unix", self.folder / "s"))
        for wrong in ("", "x", "1.2.3.4", "host:1", ":1", "1.2.3.4:x", "[::1:5"):
            self.refuse("--udp", arguments=("--udp", wrong))

    def test_a_stale_socket_is_no_obstacle(self):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(self.folder / "s"))
        self.stop_gateway(self.start_gateway("--listen-unix", self.folder / "s"))
        self.assertFalse((self.folder / "s").exists())

    def test_what_is_no_socket_is_not_removed(self):
        (self.folder / "s").write_text("mine")
        self.refuse("in use", arguments=("--listen-unix", self.folder / "s"))
        self.assertEqual((self.folder / "s").read_text(), "mine")

    def test_closed_standard_output(self):
        path = self.folder / "c"
        path.write_bytes(stream(self.a.readings(3)))
        full = open("/dev/full", "wb")
        done = subprocess.run(self.arguments("--file", path), stdout=full, stderr=subprocess.PIPE,
                              text=True)
        full.close()
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output: No space left", done.stderr)
        self.assertEqual(self.count(), 3)


if __name__ == "__main__":
    main()
