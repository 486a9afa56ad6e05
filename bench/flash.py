"""For figures, scripts/budgets and scripts/compare: how much flash the programs of sizes/ take on a board, and
whose it is; see README.md here."""
import collections
import os
import re
import subprocess

import firmware

# Whose code a source file is; what matches nothing (C library, start-up, the measured program
# itself) does not count.
OWNERS = {
    re.compile(r"/(trimmed_sodium|libsodium)/"): "libsodium",
    re.compile(r"/nanopb/"): "nanopb",
    re.compile(r"/mbedtls/library/"): "mbedtls",
    re.compile(r"/(src|include/ferrule)/"): "ferrule",
}
# Constants have no lines: these are libsodium's and the measured programs'; the rest is ours.
SODIUM_CONSTANTS = re.compile(r"\.(Krnd|PAD|sha256_initial_state|_pad0)\b")
PROGRAM_CONSTANTS = re.compile(r"\.(arena|up|down|ops|entropy_ops|geometry|main\w*)\b")
# The record path is what is linked without the key schedule and its hash.
NOT_RECORD = re.compile(r"sha256|SHA256|/schedule\.|/keychain\.|/credential\.|Krnd|PAD|protocol_claim")
# Of ssl_msg.c what no record needs that carries data.
HANDSHAKE = re.compile(r"handshake|flight|hs_|hello|buffer_message|buffered|resend|retransmit|"
                       r"future|reassembl|bitmap|change_cipher|_ccs|finished|wrapup|renego|timer")
MBEDTLS_RECORD = re.compile(
    r"/library/(ssl_msg|chacha20|poly1305|chachapoly|cipher|cipher_wrap|constant_time|"
    r"platform_util)\.c$")
INPUT = re.compile(r"^ (\.[\w.$-]+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S+)$")
OUTPUT = re.compile(r"^(\.\w+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+")
STEP = 2  # bytes of the smallest instruction of Thumb and RISC-V


def read_sections(path):
    """(address, size, name, object) of every input section that lies in flash."""
    with open(path) as file:
        text = file.read().split("Linker script and memory map", 1)[1]
    text = re.sub(r"\n (\.[\w.$-]+)\n\s+0x", r"\n \1 0x", text)  # long names wrap
    output = None
    for line in text.splitlines():
        match = OUTPUT.match(line)
        if match:
            output = match.group(1)
        match = INPUT.match(line)
        if match and output in (".init", ".text", ".data", ".tdata") and int(match.group(3), 16):
            yield (int(match.group(2), 16), int(match.group(3), 16), match.group(1),
                   os.path.basename(match.group(4)))


def find_files(board, program, addresses):
    """The source file of each address; of an inlined function's code, the function's own."""
    run = subprocess.run([firmware.tool(board, "addr2line"), "-e", program], check=True, text=True,
                         input="\n".join(map(hex, addresses)), stdout=subprocess.PIPE)
    return [line.rsplit(":", 1)[0] for line in run.stdout.splitlines()]


def attribute(board, target):
    """Bytes of flash by (owner, file, section)."""
    program = firmware.build(board, target)
    sums = collections.Counter()
    for address, size, name, item in read_sections(program + ".map"):
        if item.startswith("libgcc.a("):
            sums["libgcc", item, name] += size
        elif not item.endswith(".ltrans.o"):
            continue
        elif not name.startswith(".text"):
            if not PROGRAM_CONSTANTS.search(name):
                owner = "libsodium" if SODIUM_CONSTANTS.search(name) else "ferrule"
                sums[owner, "constants", name] += size
        else:
            addresses = range(address, address + size, STEP)
            known = "ferrule"  # a literal pool belongs to what stands before it
            for file in find_files(board, program, addresses):
                owner = next((o for pattern, o in OWNERS.items() if pattern.search(file)), None)
                if file != "??":
                    known = owner
                if known:
                    sums[known, file, name] += STEP
    return sums


def sum_by_owner(sums):
    owners = collections.Counter()
    for (owner, _, _), size in sums.items():
        owners[owner] += size
    return owners


def sum_record(sums):
    return sum(size for (_, file, name), size in sums.items() if not NOT_RECORD.search(file + name))


def of_whole(board, target):
    return sum(sum_by_owner(attribute(board, target)).values())


def of_record(board):
    return sum_record(attribute(board, "size_record"))


def of_mbedtls(board):
    """The record path, and all of a client."""
    parts = attribute(board, "size_mbedtls")
    record = sum(size for (_, file, name), size in parts.items()
                 if MBEDTLS_RECORD.search(file) and not HANDSHAKE.search(name))
    return record, sum(sum_by_owner(parts).values())
