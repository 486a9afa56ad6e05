"""The demonstration of sessions: a blank board is enrolled over its line, greets, and is greeted by
attackers, a gateway that dies, a power cut, and its revocation."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import time

from demo_parts import (LONG_WAIT, SHORT_WAIT, Board, Gateway, Line, decode_frame, encode_frame, say,
                        scene, wait_for)
from demo_scenes import Demo

IDENTITY = "demo-board"
BLANK = b"\xff" * 2048  # an erased region of the board's flash
GREETING, SESSION = 0, 2  # kinds: the two highest bits of a record
FIRST = 1
REFUSED_RECORDS = ["unknown-route", "replayed", "old", "tag-forged"]


def is_greeting(frame):
    """A first packet: kind 0, and type 1 behind the route."""
    record = decode_frame(frame)
    return record[0] >> 6 == GREETING and record[3] == FIRST


def is_session(frame):
    return decode_frame(frame)[0] >> 6 == SESSION


class HandshakeDemo(Demo):
    # ---- the parts ----

    def expect(self, truth, what):
        if not truth:
            self.failures.append(what)
        return truth

    def board_arguments(self):
        return [f"{self.out}/flash.img", f"{self.out}/keys.img", self.fingerprint]

    def board_said(self, words):
        """What follows these words on the board's console, line after line."""
        with open(f"{self.out}/board.log", errors="replace") as log:
            return [line.split(words, 1)[1].strip() for line in log if words in line]

    def make_key(self, name):
        """A static key for a gateway; answers its fingerprint."""
        return self.tool("keygen", "--static", f"{self.out}/{name}.key").split()[3]

    def pinned(self):
        with open(f"{self.out}/devices.json") as file:
            return json.load(file)["devices"][0].get("static")

    def rows(self, sql="SELECT count(*) FROM record"):
        rows = sqlite3.connect(f"file:{self.out}/gateway.db?mode=ro", uri=True)
        try:
            return rows.execute(sql).fetchall()
        finally:
            rows.close()

    def start_gateway(self):
        return Gateway(self.args.tools, self.out, "--key", f"{self.out}/gateway.key")

    # ---- enrolment ----

    def provision(self):
        scene("provision: a credential for the device, and a static key for the gateway")
        self.tool("provision", "--identity", IDENTITY, "--route-bytes", "2", "--registry",
                  f"{self.out}/devices.json", "--db", f"{self.out}/gateway.db", "--out",
                  f"{self.out}/device.blob")
        self.fingerprint = self.make_key("gateway")
        self.make_key("impostor")
        for name in "flash.img", "keys.img":
            with open(f"{self.out}/{name}", "wb") as file:
                file.write(BLANK)
        say(f"   the gateway's fingerprint is {self.fingerprint}; the board's flash is blank")

    def enroll(self, key, fingerprint, *more):
        """`ferrule enroll` at the board's line."""
        return subprocess.run(
            [os.path.join(self.args.tools, "gateway", "ferrule"), "enroll", "-r",
             f"{self.out}/devices.json", "-i", IDENTITY, "--key", f"{self.out}/{key}.key", "--unix",
             f"{self.out}/uart0.sock", "--expect", fingerprint, "--blob", f"{self.out}/device.blob",
             *more], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG_WAIT)

    def enrol(self):
        scene("first boot: the board draws a static key of its own, and shows its fingerprint")
        self.board = Board(self.args.board, self.args.firmware_file, self.out,
                           self.board_arguments(), wait="off")
        wait_for(lambda: self.board_said("enrolment: this board"), SHORT_WAIT, "a fingerprint")
        shown = self.board_said("enrolment: this board")[0]
        say(f"   the board shows   {shown}")

        scene("attacker: another gateway is at the line first, and would enrol the board")
        done = self.enroll("impostor", shown, "--wait", "3")
        refused = self.board_said("that is another gateway")
        say(f"   the board: {len(refused)} refused; the impostor's tool: "
            f"{done.stderr.strip().splitlines()[-1]}")
        self.expect(done.returncode != 0 and refused and self.pinned() is None,
                    "an impostor could enrol the board")

        scene("enrol: both learn the other's key (Noise XX); the fingerprints are compared")
        done = self.enroll("gateway", shown, "--wait", "20", "--required")
        for line in done.stderr.strip().splitlines():
            say(f"   {line}")
        seen = self.board_said("enrolment: the gateway")[-1:]
        say(f"   the board says of the gateway: {seen[0] if seen else 'nothing'}")
        wait_for(lambda: self.board_said("enrolment: done"), SHORT_WAIT, "the end of enrolment")
        self.expect(done.returncode == 0 and self.pinned() is not None, "the board is not enrolled")
        self.expect(seen == [self.fingerprint], "the board saw another gateway's fingerprint")
        os.remove(f"{self.out}/device.blob")
        say("   pinned; the blob came over the same channel, is installed and confirmed; its file is "
            "gone")

    # ---- greetings ----

    def greetings(self):
        return [frame for frame in self.line.frames if is_greeting(frame)]

    def replay_greetings(self):
        frames = self.greetings()
        for _ in range(20):
            self.line.inject(frames[0])
        return 20

    def flood(self):
        """Forged greetings: a captured one's route, and random bytes for all that is secret."""
        record = decode_frame(self.greetings()[0])
        for _ in range(200):
            self.line.inject(encode_frame(record[:4] + random.randbytes(len(record) - 4)))
        return 200

    def attack_greetings(self, title, expected, action):
        """An attack that may cost the gateway nothing but hashes, and the board nothing."""
        before, readings = self.gateway.counters(), self.gateway.readings
        self.attack(title, expected, action)
        after = self.gateway.counters()
        computed = after["greetings-computed"] - before["greetings-computed"]
        answered = after["greetings-answered"] - before["greetings-answered"]
        say(f"   curve operations begun {computed}, answers {answered}, sessions open "
            f"{after['sessions-open']}")
        self.expect(computed == 0 and answered == 0 and after["sessions-open"] == 1,
                    f"{title}: it cost the gateway something")
        wait_for(lambda: self.gateway.readings > readings, SHORT_WAIT, "a reading after the attack")

    def replay_session(self, count=30):
        """Records of sessions that are over."""
        for frame in self.past[-count:]:
            self.line.inject(frame)
        return len(self.past[-count:])

    # ---- what ends a session ----

    def newest(self):
        return max(self.gateway.sessions)

    def meet_again(self, before):
        """Waits for a session that is newer; answers how long."""
        start = time.monotonic()
        wait_for(lambda: self.gateway.sessions and self.newest() > before, LONG_WAIT, "a new session")
        say(f"   a new session: generation {self.newest()[0]}, attempt {self.newest()[1]} (it was "
            f"{before[0]}, {before[1]})")
        return time.monotonic() - start

    def kill_gateway(self):
        scene("gateway: killed (kill -9) and started again; its sessions were in its memory")
        before = self.newest()
        self.past = [frame for frame in self.line.frames if is_session(frame)]
        self.earlier = self.gateway.counters()
        self.gateway.kill()
        os.remove(f"{self.out}/line.sock")
        self.gateway = self.start_gateway()
        self.line.reattach()
        say("   nobody tells the board; what it asks is not answered, and that silence makes it greet")
        say(f"   it took {self.meet_again(before):.1f} s")
        self.expect(self.newest()[0] == before[0], "the board burned a generation for it")
        self.quiet(self.args.seconds / 4)
        self.attack("attacker: plays records of the session that died with it", REFUSED_RECORDS,
                    self.replay_session)

    def cut_power(self):
        before = self.newest()
        self.past = [frame for frame in self.line.frames if is_session(frame)]
        self.power_cut()
        self.meet_again(before)
        self.expect(self.newest()[0] > before[0], "the generation did not rise")
        self.expect(len(self.board_said("enrolment: done")) == 1, "it enrolled twice")
        self.attack("attacker: plays records from before the power cut", REFUSED_RECORDS,
                    self.replay_session)
        self.attack_greetings("attacker: plays greetings from before the power cut, 20 times",
                              ["greeting-replayed", "greeting-old"], self.replay_greetings)

    def revoke(self):
        scene("revoke: the device is shut out; the gateway learns it by SIGHUP")
        say(f"   {self.tool('revoke', '-r', f'{self.out}/devices.json', '-i', IDENTITY)}")
        self.gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any("reloaded" in line for line in self.gateway.errors), SHORT_WAIT,
                 "the gateway's word that it has read the registry")
        (before, rows) = (self.gateway.counters(), self.rows())
        refused = ["unknown-route", "closed-device", "greeting-unknown-route"]
        wait_for(lambda: self.gateway.counters()["greeting-unknown-route"] >
                 before["greeting-unknown-route"], LONG_WAIT, "a greeting that is refused")
        after = self.gateway.counters()
        say("   since then stored " + str(self.rows()[0][0] - rows[0][0]) + "; refused " +
            ", ".join(f"{after[k] - before[k]} {k}" for k in refused if after[k] > before[k]) +
            f"; sessions open {after['sessions-open']}")
        self.expect(self.rows() == rows and after["sessions-open"] == 0,
                    "a revoked device was heard")

    # ---- the whole ----

    def run(self):
        self.provision()
        self.enrol()
        scene("start: the gateway listens with its key; the board greets (IKpsk2) and reports")
        self.gateway = self.start_gateway()
        self.line = Line(self.out)
        self.boot_on()
        wait_for(lambda: self.gateway.readings > 0, LONG_WAIT, "a reading")
        self.quiet(self.args.seconds)
        say(f"   in the session of generation {self.newest()[0]}, attempt {self.newest()[1]}")

        self.attack("attacker: sends ahead of each record a copy with one bit flipped",
                    ["tag-forged", "claim-forged", "unknown-route", "malformed", "far-future", "old",
                     "broken", "replayed", "session-required", "greeting-unknown-route",
                     "greeting-check-forged"], self.flip)
        self.attack_greetings("attacker: plays the board's greeting again, 20 times",
                              ["greeting-replayed"], self.replay_greetings)
        self.attack_greetings("attacker: a flood of 200 forged greetings",
                              ["greeting-check-forged"], self.flood)
        scene("command: in the session, as everything")
        self.command("period 100", "1 since the start")
        self.kill_gateway()
        self.cut_power()
        self.revoke()
        return self.finish()

    def boot_on(self):
        """The board that was enrolled goes on without a restart."""
        self.line.attach()
        self.start_sensor()

    def finish(self):
        kinds = self.rows("SELECT DISTINCT kind FROM record")
        twice = self.rows("SELECT 1 FROM record GROUP BY generation, session, lane, sequence"
                          " HAVING count(*) > 1")
        self.expect(kinds == [(SESSION,)], f"records outside sessions were stored: kinds {kinds}")
        self.expect(not twice, "a record was stored twice")
        return super().finish()

    def more_to_say(self):
        sessions = self.rows("SELECT DISTINCT generation, session FROM record")
        return [f"sessions with records       {len(sessions)}; outside them none"]
