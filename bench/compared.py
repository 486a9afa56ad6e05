"""For scripts/compare and figure_peers: measures Ferrule beside other libraries, on this machine and on an
emulated Cortex-M4.

A measurement is a list of rows (where, peer, figure, bytes, value, unit); bytes is 0 where a figure is
not of a record."""
import statistics
import subprocess
import sys

import firmware
import flash
import host_build

LAUNCHES = 5
ROUNDS = 800
BARE, OURS, MBEDTLS = "bare libsodium", "Ferrule", "Mbed TLS, DTLS 1.2"
CORE, BOARD = "m4", "mps2-an386"
DIRECTIONS = ("seal", "open")


def launch(program):
    """What one process prints, by kind of line."""
    run = subprocess.run([program, str(ROUNDS)], stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        sys.exit("compared: the host's peers cannot be measured")
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    return {kind: [line[1:] for line in lines if line[0] == kind]
            for kind in ("peer", "record", "time")}


def list_state(printed):
    """Rows of a link: what one end takes, and its records."""
    for name, version, kept, heap, peak, calls in printed["peer"]:
        yield "host", name, "version", 0, version, "-"
        yield "host", name, "RAM kept by the caller", 0, int(kept), "bytes"
        yield "host", name, "heap of a session", 0, int(heap), "bytes"
        yield "host", name, "most heap of a session", 0, int(peak), "bytes"
        yield "host", name, "heap calls of a session", 0, int(calls), "calls"
    for name, size, length, calls in printed["record"]:
        yield "host", name, "bytes on the wire", int(size), int(length), "bytes"
        yield "host", name, "heap calls of a record", int(size), float(calls), "calls"


def list_times(launches):
    """Rows of times over bare libsodium: the median of all launches."""
    times = {}
    for printed in launches:
        for name, size, direction, ratio, nanoseconds in printed["time"]:
            times.setdefault((name, int(size), direction), []).append(
                (float(ratio), float(nanoseconds)))
    for (name, size, direction), pairs in times.items():
        ratio = statistics.median(pair[0] for pair in pairs)
        yield "host", name, f"{direction}, time over {BARE}", size, round(ratio, 3), "ratio"
        nanoseconds = statistics.median(pair[1] for pair in pairs)
        yield "host", name, f"{direction}, time", size, round(nanoseconds), "ns"


def measure_host(say=lambda text: None):
    try:
        program = host_build.build("compare", "bench/peers/compare")
    except SystemExit as end:
        sys.exit(f"{end}\nIs a library missing? scripts/install-packages peers")
    launches = []
    for i in range(LAUNCHES):
        say(f"host: process {i + 1} of {LAUNCHES}")
        launches.append(launch(program))
    return [*list_state(launches[0]), *list_times(launches)]


def measure_core(say=lambda text: None):
    """The same compiler and flags for each: bare libsodium, Ferrule and Mbed TLS from source."""
    rows = []
    for target in ("measure_record", "measure_mbedtls"):
        say(f"{CORE}: {target}")
        rows += [(CORE, *row) for row in firmware.run_records(BOARD, target)]
    say(f"{CORE}: flash")
    record, client = flash.of_mbedtls(BOARD)
    for peer, figure, value in (
            (BARE, "flash of the record path", flash.of_whole(BOARD, "size_bare")),
            (OURS, "flash of the record path", flash.of_record(BOARD)),
            (OURS, "flash of a whole device", flash.of_whole(BOARD, "size_device")),
            (MBEDTLS, "flash of the record path", record),
            (MBEDTLS, "flash of a whole device", client)):
        rows.append((CORE, peer, figure, 0, value, "bytes"))
    return rows


class Table:
    """A measurement, to be asked for single values."""

    def __init__(self, rows):
        self.rows = list(rows)
        self.values = {row[:4]: row[4] for row in self.rows}

    def get(self, where, peer, figure, size=0):
        return self.values.get((where, peer, figure, size))

    def peers(self, where):
        return list(dict.fromkeys(row[1] for row in self.rows if row[0] == where))

    def ratio(self, peer, direction, size):
        return self.get("host", peer, f"{direction}, time over {BARE}", size)
