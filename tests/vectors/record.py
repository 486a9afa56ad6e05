#!/usr/bin/env python3
"""Known answers of records, and the worked examples of docs/WIRE.md.

An implementation of its own, written from the text of docs/WIRE.md and RFC 8439 with nothing but
Python's hashlib and hmac. Prints a C header; tests/vectors/record_answers.h is that output,
committed, so that the unit tests need no Python. With --check FILE: compares instead, and exits 1
if they differ (CTest vectors_record). With --explain: prints the examples field by field.
"""
import sys

from schedule import expand, id_salt, le32, mac


def le16(value):
    return value.to_bytes(2, "little")


# ---- RFC 8439 ------------------------------------------------------------------------------


def rotate(value, n):
    return (value << n | value >> (32 - n)) & 0xFFFFFFFF


def quarter_round(x, a, b, c, d):
    for target, add, other, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[target] = (x[target] + x[add]) & 0xFFFFFFFF
        x[other] = rotate(x[other] ^ x[target], n)


def chacha20_block(key, counter, nonce):
    words = b"expand 32-byte k" + key + le32(counter) + nonce
    start = [int.from_bytes(words[i:i + 4], "little") for i in range(0, 64, 4)]
    x = list(start)
    for _ in range(10):
        for i in range(4):
            quarter_round(x, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return b"".join(le32((a + b) & 0xFFFFFFFF) for a, b in zip(x, start))


def chacha20(key, counter, nonce, text):
    out = bytearray()
    for i in range(0, len(text), 64):
        block = chacha20_block(key, counter + i // 64, nonce)
        out += bytes(a ^ b for a, b in zip(text[i:i + 64], block))
    return bytes(out)


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:], "little")
    a = 0
    for i in range(0, len(message), 16):
        block = message[i:i + 16] + b"\x01"
        a = (a + int.from_bytes(block, "little")) * r % ((1 << 130) - 5)
    return ((a + s) & ((1 << 128) - 1)).to_bytes(16, "little")


def pad16(data):
    return data + bytes(-len(data) % 16)


def aead_seal(key, nonce, ad, plaintext):
    ciphertext = chacha20(key, 1, nonce, plaintext)
    lengths = len(ad).to_bytes(8, "little") + len(ciphertext).to_bytes(8, "little")
    one_time = chacha20_block(key, 0, nonce)[:32]
    return ciphertext + poly1305(one_time, pad16(ad) + pad16(ciphertext) + lengths)


def check_rfc8439():
    """Section 2.8.2."""
    key = bytes(range(0x80, 0xA0))
    nonce = bytes.fromhex("070000004041424344454647")
    ad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    text = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
            b"future, sunscreen would be it.")
    sealed = aead_seal(key, nonce, ad, text)
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"


# ---- the record ----------------------------------------------------------------------------

KIND = 1
UP, DOWN = 0, 1
SHORT, FULL = 0, 1
LIVE, BACKLOG = 0, 1
LABELS = {(UP, LIVE): b"upl0", (UP, BACKLOG): b"bck0", (DOWN, LIVE): b"dwn0"}


class Context:
    def __init__(self, epoch, identity, route, root):
        salt = id_salt(1, epoch, identity)
        prk = mac(salt, root)
        self.route = route
        self.claim_key = expand(prk, b"clm0", 0)
        self.chain_0 = expand(prk, b"chn0", 0)

    def chain(self, generation):
        chain = self.chain_0
        for g in range(generation):
            chain = expand(chain, b"next", g)
        return chain

    def seal(self, direction, form, lane, generation, sequence, salt, plaintext):
        """The record as named pieces, and the inputs of its AEAD."""
        codes = {0: 0, 2: 1, 4: 2, 8: 3}
        first = KIND << 6 | direction << 5 | form << 4 | lane << 3 | codes[len(self.route)] << 1
        head = bytes([first]) + self.route
        pieces = [("first", bytes([first])), ("route", self.route)]
        if form == SHORT:
            counter = [("gen8", bytes([generation & 0xFF])), ("seq16", le16(sequence & 0xFFFF))]
        else:
            counter = [("gen32", le32(generation)), ("seq32", le32(sequence))]
            if direction == UP:
                before = head + le32(generation) + le32(sequence)
                counter.append(("claim32", mac(self.claim_key, b"ferrule1clm1" + before)[:4]))
            else:
                counter.append(("salt64", salt))
        ad = head + b"".join(value for _, value in counter)
        if direction == UP:
            nonce = bytes(4) + le32(sequence) + le32(generation)
        else:
            nonce = salt + le32(sequence)
        key = expand(self.chain(generation), LABELS[direction, lane], generation)
        sealed = aead_seal(key, nonce, ad, plaintext)
        pieces += counter + [("ciphertext", sealed[:-16]), ("tag", sealed[-16:])]
        return pieces, key, nonce


PUMP = Context(3, b"pump-7", bytes.fromhex("a1b2c3d4"), bytes(range(0x40, 0x60)))
POINT = Context(3, b"pump-7", b"", bytes(range(0x40, 0x60)))
LONG = Context(3, b"pump-7", bytes.fromhex("a1b2c3d4e5f60718"), bytes(range(0x40, 0x60)))
SALT = bytes(range(8))
TEXT = b"temperature 21.5"
LONGER = bytes(i * 7 & 0xFF for i in range(150))

# name: context, direction, form, lane, generation, sequence, salt, plaintext
CASES = {
    "SHORT": (PUMP, UP, SHORT, LIVE, 300, 65537, b"", TEXT),
    "FULL": (PUMP, UP, FULL, LIVE, 300, 65536, b"", TEXT),
    "BACKLOG": (PUMP, UP, FULL, BACKLOG, 300, 2, b"", TEXT),
    "DOWN": (PUMP, DOWN, FULL, LIVE, 300, 0, SALT, TEXT),
    "SHORT_EMPTY": (POINT, UP, SHORT, LIVE, 0, 1, b"", b""),
    "FULL_LONG": (LONG, UP, FULL, LIVE, 1, 0xFFFFFFFE, b"", LONGER),
}


def header_text():
    lines = [
        "/* Known answers of records, in hex. Identity, root and routes as in tests/record_fixture.h.",
        " * Printed by tests/vectors/record.py; do not edit. */",
        "/* clang-format off */",
        "#ifndef FERRULE_TESTS_VECTORS_RECORD_ANSWERS_H",
        "#define FERRULE_TESTS_VECTORS_RECORD_ANSWERS_H",
    ]
    for name, case in CASES.items():
        pieces, _, _ = case[0].seal(*case[1:])
        values = (("PLAINTEXT", case[-1]), ("RECORD", b"".join(value for _, value in pieces)))
        lines.append("")
        for what, value in values:
            text = value.hex()
            parts = [text[i:i + 64] for i in range(0, len(text), 64)] or [""]
            body = "".join(f' \\\n    "{part}"' for part in parts)
            lines.append(f"#define RECORD_{name}_{what}{body}")
    return "\n".join(lines + ["", "#endif", ""])


def frame(record):
    """COBS and its delimiter, one block at a time."""
    out = b""
    rest = record + b"\0"  # the zero that the last block stands before
    while rest:
        block = rest[:rest.index(0)][:254]
        out += bytes([len(block) + 1]) + block
        # A full block has no zero behind it; one that ends the record needs none either.
        rest = rest[len(block) + (len(block) < 254):]
        if rest == b"\0" and len(block) == 254:
            break
    return out + b"\0"


def explain():
    """The worked examples: what goes in, what comes between, what is sent."""
    print("root      ", bytes(range(0x40, 0x60)).hex())
    print("identity  ", b"pump-7".hex(), "(pump-7), epoch 3")
    print("id_salt   ", id_salt(1, 3, b"pump-7").hex())
    print("claim key ", PUMP.claim_key.hex())
    for generation in (0, 1, 300):
        print(f"chain_{generation:<4}", PUMP.chain(generation).hex())
    for name, case in CASES.items():
        pieces, key, nonce = case[0].seal(*case[1:])
        print(f"\n{name.lower().replace('_', ', ')}: generation {case[4]}, sequence {case[5]}")
        sent = frame(b"".join(value for _, value in pieces))
        for piece, value in [("key", key), ("nonce", nonce), ("plaintext", case[-1])] + pieces + [
                ("as a frame", sent)]:
            text = value.hex()
            for at in range(0, len(text) or 1, 96):
                print(f"    {piece if at == 0 else '':<11}{text[at:at + 96]}".rstrip())


def main(arguments):
    check_rfc8439()
    if arguments == ["--explain"]:
        explain()
        return 0
    if not arguments:
        sys.stdout.write(header_text())
        return 0
    if len(arguments) != 2 or arguments[0] != "--check":
        sys.stderr.write("usage: record.py [--check FILE | --explain]\n")
        return 2
    with open(arguments[1], encoding="ascii") as file:
        if file.read() == header_text():
            print("known answers agree")
            return 0
    print(f"FAILED: {arguments[1]} is not what this script prints")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
