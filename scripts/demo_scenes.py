"""The demonstration of records: attacks on them, and what a power cut does."""
import json
import os
import random
import sqlite3
import subprocess
import sys
import time

from demo_parts import (LONG_WAIT, NAMES, SHORT_WAIT, TOP, UNITS, Board, Gateway, Line, cut_short,
                        emulated, encode_frame, flip_one_bit, say, scene, wait_for)


class Demo:
    def __init__(self, args):
        self.args = args
        self.out = args.out
        self.failures = []
        self.sensor = None
        self.cuts = []
        self.earlier = {}  # what gateways counted that were killed
        self.sent = 0
        self.rows_fed = 0

    def tool(self, *arguments):
        done = subprocess.run([os.path.join(self.args.tools, "gateway", "ferrule"), *arguments],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"demo: ferrule {arguments[0]} failed: {done.stderr.strip()}")
        return (done.stdout + done.stderr).strip()

    # ---- the parts ----

    def provision(self):
        scene("provision: a root is minted, the device's blob and the gateway's state made from it")
        self.tool("provision", "--identity", "demo-board", "--route-bytes", "2", "--registry",
                  f"{self.out}/devices.json", "--db", f"{self.out}/gateway.db", "--out",
                  f"{self.out}/device.blob")
        with open(f"{self.out}/devices.json") as file:
            say(f"   {json.load(file)}")
        self.tool("flash", "--blob", f"{self.out}/device.blob", "--image", f"{self.out}/flash.img")
        os.remove(f"{self.out}/device.blob")
        say("   the blob is in the board's flash image; blob file and root are gone")

    def board_arguments(self):
        return [f"{self.out}/flash.img"]

    def boot(self):
        self.board = Board(self.args.board, self.args.firmware_file, self.out,
                           self.board_arguments())
        self.line.attach()
        self.start_sensor()

    def start_sensor(self):
        """Boards with one line play their own."""
        if not emulated.has_sensor_line(self.args.board):
            return
        command = [os.path.join(TOP, "examples/02-cortex-m-uart/feed-sensor"), "--keep-open"]
        if self.args.csv:
            command += ["--csv", self.args.csv, "--rate", "20", "--first", str(self.rows_fed)]
        else:
            command += ["--live", "100000", "--period", "0.25"]
        self.sensor = subprocess.Popen(command + [f"{self.out}/uart1.sock"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop_sensor(self):
        if self.sensor is not None:
            self.sensor.kill()
            self.sensor.wait()

    def quiet(self, seconds):
        self.gateway.show = True
        time.sleep(seconds)
        self.gateway.show = False

    def attack(self, title, expected, action):
        """Runs an attack; `expected` names the counters that may rise, and by how much in all."""
        scene(title)
        before = self.gateway.counters()
        count = action()
        time.sleep(1.0)
        after = self.gateway.counters()
        risen = {k: after[k] - before[k] for k in after if after[k] > before[k]}
        refused = sum(risen.get(k, 0) for k in expected)
        parts = ", ".join(f"{risen[k]} {k}" for k in expected if k in risen) or "nothing"
        say(f"   sent {count}; refused {refused}: {parts}")
        if refused != count:
            self.failures.append(f"{title}: {count} sent, {refused} refused")

    # ---- the attacks ----

    def hold(self, count):
        """Keeps back the next frames of the board, as an attacker on the line can."""
        self.line.held = held = []
        wait_for(lambda: len([f for f in held if len(f) > 1]) >= count, LONG_WAIT,
                 f"{count} frames to hold back")
        self.line.held = None
        return [f for f in held if len(f) > 1]

    def before(self, spoil):
        """Sends a spoiled copy of each held frame ahead of the frame itself."""
        frames = self.hold(10)
        for frame in frames:
            self.line.inject(spoil(frame))
            self.line.inject(frame)
        return len(frames)

    def flip(self):
        return self.before(flip_one_bit)

    def replay(self):
        for frame in self.line.frames[:50]:
            self.line.inject(frame)
        return len(self.line.frames[:50])

    def truncate(self):
        return self.before(cut_short)

    def noise(self):
        for _ in range(50):
            self.line.inject(encode_frame(random.randbytes(random.randrange(1, 200))))
            self.line.inject(bytes(random.choices(range(1, 256), k=64)) + b"\0")
        return 100

    def command(self, text, expected):
        """Has the gateway ask the board for something, and waits for its answer."""
        done = self.tool("send", "--registry", f"{self.out}/devices.json", "--db",
                         f"{self.out}/gateway.db", "--device", "demo-board", "--text", text,
                         "--wait", str(SHORT_WAIT)).split("\n")
        say(f"   command {done[0]} '{text}': the board answers '{done[-1]}'")
        if done[-1] != f"done: {expected}":
            self.failures.append(f"command {text}: {done[-1]}, not {expected}")

    def replay_commands(self):
        scene("attacker: plays the recorded command to the board after its reboot, 20 times")
        for _ in range(20):
            self.line.board.sendall(self.line.recorded)
        time.sleep(0.5)
        say("   the keys it was sealed under are gone; the next command is the board's first:")
        self.command("period 20", "1 since the start")

    def reorder(self):
        scene("reorder: frames are held back and delivered last first")
        before = self.gateway.counters()
        frames = self.hold(8)
        for frame in reversed(frames):
            self.line.inject(frame)
        time.sleep(1.0)
        risen = self.gateway.counters()["accepted"] - before["accepted"]
        say(f"   {len(frames)} delivered backwards; all accepted, once: {risen >= len(frames)}")
        if risen < len(frames):
            self.failures.append(f"reorder: only {risen} of {len(frames)} accepted")

    def power_cut(self):
        scene("power: the board's supply is cut in the middle of its work (kill -9), then returns")
        cut = time.time() * 1000
        self.board.cut_power()
        self.stop_sensor()
        if self.args.csv:
            self.rows_fed = self.gateway.readings
        generation = max(self.gateway.generations)
        self.cuts.append(cut)
        self.boot()
        wait_for(lambda: max(self.gateway.generations) > generation, LONG_WAIT, "a new generation")
        say(f"   it came back under generation {max(self.gateway.generations)}: new keys, numbers "
            "from 0, no nonce repeats")
        self.quiet(self.args.seconds / 2)

    # ---- the end ----

    def plot(self):
        rows = sqlite3.connect(f"file:{self.out}/gateway.db?mode=ro", uri=True)
        series = [s for (s,) in rows.execute("SELECT DISTINCT series FROM reading ORDER BY 1")]
        (start,) = rows.execute("SELECT min(unix_ms) FROM reading").fetchone()
        plots = []
        for number in series:
            path = f"{self.out}/series-{number}.tsv"
            with open(path, "w") as file:
                for moment, value in rows.execute(
                        "SELECT unix_ms, value FROM reading WHERE series = ? ORDER BY 1", (number,)):
                    file.write(f"{(moment - start) / 1000}\t{value!r}\n")
            plots.append((number, path))
        script = [f"set terminal pngcairo size 1000,{260 * len(plots)}",
                  f"set output '{self.out}/series.png'",
                  f"set multiplot layout {len(plots)},1 title 'received, opened and stored'",
                  "set grid", "unset key", "set xlabel 'seconds'"]
        if not self.args.csv and emulated.has_sensor_line(self.args.board):
            script += [f"set arrow from {(c - start) / 1000},graph 0 to {(c - start) / 1000},graph 1"
                       " nohead lc 'red' dt 2" for c in self.cuts]
        for number, path in plots:
            name = "value" if self.args.csv or number not in NAMES else f"{NAMES[number]}{UNITS[number]}"
            script += [f"set ylabel '{name}'", f"plot '{path}' with lines lw 2"]
        subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)
        return len(rows.execute("SELECT 1 FROM reading").fetchall())

    def run(self):
        self.provision()
        scene("start: the gateway listens, the board boots")
        self.gateway = Gateway(self.args.tools, self.out)
        self.line = Line(self.out)
        self.boot()
        wait_for(lambda: self.gateway.readings > 0, LONG_WAIT, "a reading")
        self.quiet(self.args.seconds)

        self.attack("attacker: sends ahead of each record a copy with one bit flipped",
                    ["tag-forged", "claim-forged", "unknown-route", "malformed", "far-future", "old",
                     "broken", "replayed"], self.flip)
        self.attack("attacker: plays 50 captured records again", ["replayed", "old"], self.replay)
        self.attack("attacker: sends ahead of each record a copy cut short",
                    ["tag-forged", "claim-forged", "malformed", "broken", "replayed", "old"],
                    self.truncate)
        self.reorder()
        self.attack("attacker: 50 well-framed random records and 50 bursts of line noise",
                    ["malformed", "unknown-route", "tag-forged", "claim-forged", "far-future", "old",
                     "broken", "replayed"], self.noise)
        self.quiet(self.args.seconds / 4)
        scene("command: the board is asked to report less often; the attacker records the frame")
        self.line.down = b""
        self.command("period 100", "1 since the start")
        self.line.recorded = self.line.down
        if len(self.line.recorded) < 40:
            self.failures.append("the attacker saw no command")
        self.power_cut()
        self.replay_commands()
        self.attack("attacker: plays records from before the power cut", ["replayed", "old"],
                    self.replay)
        return self.finish()

    def more_to_say(self):
        return []

    def finish(self):
        scene("summary")
        self.stop_sensor()
        time.sleep(1.0)
        self.board.cut_power()
        time.sleep(0.5)
        if self.gateway.stop() != 0:
            self.failures.append("the gateway did not exit with 0")
        counters = {k: v + self.earlier.get(k, 0)
                    for k, v in self.gateway.parse(self.gateway.errors).items()}
        stored = self.plot()
        rejected = sum(v for k, v in counters.items()
                       if k in ("malformed", "unknown-route", "old", "far-future", "replayed",
                                "claim-forged", "tag-forged", "broken") or k.startswith("greeting-"))
        say(f"   records accepted            {counters['accepted']}")
        say(f"   frames and records refused  {rejected}, each counted under its reason")
        say(f"   readings stored             {stored}")
        say(f"   acknowledgements sent       {counters['acks-sent']}")
        say(f"   generations used            {len(self.gateway.generations)}")
        say(f"   wire bytes seen by attacker {sum(map(len, self.line.frames))}")
        say(f"   plot                        {os.path.relpath(self.out, os.getcwd())}/series.png")
        say("   database                    "
            f"{os.path.relpath(self.out, os.getcwd())}/gateway.db")
        for line in self.more_to_say():
            say(f"   {line}")
        for failure in self.failures:
            say(f"   FAILED {failure}")
        say("\ndemo: " + ("FAILED" if self.failures else "all attacks refused, nothing lost but "
                          "what was in the board's RAM when its power was cut"))
        return 1 if self.failures else 0
