"""gateway_links: serial lines, sockets and datagrams, and the receipts that go back."""
import os
import pty
import select
import socket
import time

from bench_of_programs import Bench, frame, main, stream, unframe


class Links(Bench):
    def setUp(self):
        super().setUp()
        self.a = self.device("a", "--route", "a1b2c3d4")

    def free_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]

    def read_frame(self, read):
        data = b""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            data += read()
            frames = [part for part in data.split(b"\0")[:-1] if part]
            if frames:
                return unframe(frames[0])
        self.fail("no receipt came")

    def listen(self, *more):
        process = self.start_gateway("--listen-unix", self.folder / "s", *more)
        link = socket.socket(socket.AF_UNIX)
        self.addCleanup(link.close)
        link.connect(str(self.folder / "s"))
        link.settimeout(10)
        return process, link

    def test_unix_socket_receipt(self):
        process, link = self.listen()
        link.sendall(frame(self.a.readings(1)[0]))
        receipt = self.read_frame(lambda: link.recv(4096))
        self.assertEqual(self.count(), 1)  # stored before it is acknowledged
        self.assertEqual(self.a.open(receipt), ["receipt", "0", "0"])
        short = self.a.readings(1, first=1)[0]
        self.assertEqual(short[0] & 0x10, 0)  # the device was heard, so it goes on in short form
        link.sendall(frame(short))
        self.wait_for(lambda: self.count() == 2)
        _, summary = self.stop_gateway(process)
        self.assertEqual((summary["acks-sent"], summary["acks-held"]), (1, 0))

    def test_receipts_name_the_newest(self):
        process, link = self.listen()
        records = self.a.readings(20)
        link.sendall(stream(records))
        receipt = self.read_frame(lambda: link.recv(4096))
        kind, generation, sequence = self.a.open(receipt)
        self.assertEqual((kind, generation), ("receipt", "0"))
        self.assertLess(int(sequence), 20)
        self.wait_for(lambda: self.count() == 20)
        _, summary = self.stop_gateway(process)
        self.assertLess(summary["acks-sent"], 4)

    def test_receipts_are_few(self):
        process, link = self.listen("--commit-ms", "1")
        for record in self.a.readings(50):
            link.sendall(frame(record))
            time.sleep(0.01)
        self.wait_for(lambda: self.count() == 50)
        _, summary = self.stop_gateway(process)
        self.assertGreater(summary["acks-sent"], 0)
        self.assertLess(summary["acks-sent"], 10)

    def quiet(self, *more):
        process, link = self.listen(*more)
        link.sendall(frame(self.a.readings(1)[0]))
        self.wait_for(lambda: self.count() == 1)
        self.assertEqual(select.select([link], [], [], 0.5)[0], [])
        return self.stop_gateway(process)[1]

    def test_no_ack(self):
        self.assertEqual(self.quiet("--no-ack")["acks-sent"], 0)

    def test_no_ack_for_one_device(self):
        self.registry.write_text(self.registry.read_text().replace('"id"', '"acks": false, "id"'))
        self.assertEqual(self.quiet()["acks-sent"], 0)

    def test_backlog_is_not_acknowledged(self):
        self.a.tell("lane backlog")
        self.assertEqual(self.quiet()["acks-sent"], 0)

    def test_several_connections(self):
        b = self.device("b")
        process, link = self.listen()
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(str(self.folder / "s"))
            for record_a, record_b in zip(self.a.readings(20), b.readings(20)):
                half = len(frame(record_a)) // 2
                link.sendall(frame(record_a)[:half])
                other.sendall(frame(record_b))
                link.sendall(frame(record_a)[half:])
            self.wait_for(lambda: self.count() == 40)
        link.sendall(stream(self.a.readings(1)))
        self.wait_for(lambda: self.count() == 41)
        self.stop_gateway(process)

    def test_connects_to_a_socket(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "s"))
            listener.listen()
            process = self.start_gateway("--unix", self.folder / "s")
            link, _ = listener.accept()
            link.sendall(stream(self.a.readings(3)))
            link.close()
            self.assertEqual(process.wait(timeout=20), 0)
            self.assertIn("closed the connection", self.errors())
            self.assertEqual(self.count(), 3)

    def test_serial_line(self):
        here, there = pty.openpty()
        name = os.ttyname(there)
        process = self.start_gateway("--serial", name, "--baud", "115200")
        os.close(there)
        records = [self.a.record("raw " + bytes(range(256)).hex())] + self.a.readings(3)
        os.write(here, stream(records))
        receipt = self.read_frame(lambda: os.read(here, 4096))
        self.assertEqual(self.a.open(receipt)[0], "receipt")
        self.wait_for(lambda: self.count() == 4)
        self.assertEqual(self.query("SELECT hex(bytes) FROM raw"),
                         [(bytes(range(256)).hex().upper(),)])
        os.close(here)  # unplugged
        self.assertEqual(process.wait(timeout=20), 1)
        self.assertIn(name, self.errors())

    def test_datagrams(self):
        port = self.free_port()
        process = self.start_gateway("--udp", f"127.0.0.1:{port}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(10)
            link.connect(("127.0.0.1", port))
            link.send(b"")
            for record in self.a.readings(10):
                link.send(record)
            self.assertEqual(self.a.open(link.recv(4096))[0], "receipt")
            self.wait_for(lambda: self.count() == 10)
        _, summary = self.stop_gateway(process)
        self.assertEqual(self.rejected(summary), {"malformed": 1})

    def test_a_noisy_sender_is_limited(self):
        port = self.free_port()
        process = self.start_gateway("--udp", f"127.0.0.1:{port}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as honest:
            noisy.bind(("127.0.0.2", 0))
            for i in range(1000):
                noisy.sendto(b"\xee" * 40, ("127.0.0.1", port))
                if i % 50 == 0:
                    time.sleep(0.01)
            honest.sendto(self.a.readings(1)[0], ("127.0.0.1", port))
            self.wait_for(lambda: self.count() == 1)
        _, summary = self.stop_gateway(process)
        self.assertGreater(summary["throttled"], 300)
        self.assertLess(summary["malformed"], 500)

    def test_several_sources_at_once(self):
        b = self.device("b")
        port = self.free_port()
        capture = self.folder / "capture"
        capture.write_bytes(stream(b.readings(5)))
        process = self.start_gateway("--listen-unix", self.folder / "s", "--udp", f"[::1]:{port}",
                                     "--file", capture)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as link:
            link.sendto(self.a.readings(1)[0], ("::1", port))
            self.wait_for(lambda: self.count() == 6)
        self.assertEqual({link for (link,) in self.query("SELECT link FROM record")
                          if not link.startswith("udp:::1")}, {str(capture)})
        self.stop_gateway(process)


if __name__ == "__main__":
    main()
