#!/usr/bin/env python3
"""Known answers of the key schedule and the credential.

An implementation of its own, written from the text of docs/WIRE.md with nothing but Python's
hashlib and hmac. Prints a C header; tests/vectors/schedule_answers.h is that output, committed,
so that the unit tests need no Python. With --check FILE: compares instead, and exits 1 if they
differ (CTest vectors_schedule).
"""
import hashlib
import hmac
import sys

PROTOCOL = b"ferrule1"


def le32(value):
    return value.to_bytes(4, "little")


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def expand(key, label, generation):
    return mac(key, PROTOCOL + label + le32(generation) + b"\x01")


def id_salt(mode, epoch, identity):
    head = PROTOCOL + bytes([mode, 1]) + le32(epoch) + bytes([len(identity)])
    return hashlib.sha256(head + identity).digest()


def credential(generation, epoch, route, identity, claim_key, chain):
    body = b"Fr" + bytes([1, 0]) + le32(generation) + le32(epoch)
    body += bytes([len(route), len(identity), 0, 0])
    body += route.ljust(8, b"\0") + identity.ljust(32, b"\0") + claim_key + chain
    assert len(body) == 120
    return body + hashlib.sha256(body).digest()[:8]


def answers(mode, epoch, identity, route, ikm, header):
    """Yields (name, bytes): inputs first, then everything that follows from them."""
    yield from (("IDENTITY", identity), ("ROUTE", route), ("IKM", ikm), ("HEADER", header))
    salt = id_salt(mode, epoch, identity)
    prk = mac(salt, ikm)
    claim_key = expand(prk, b"clm0", 0)
    chain = expand(prk, b"chn0", 0)
    yield from (("SALT", salt), ("CLAIM_KEY", claim_key))
    yield "CLAIM", mac(claim_key, PROTOCOL + b"clm1" + header)[:4]
    # Bound to hardware whose unique id is the route and the identity: bytes as good as any.
    yield "BINDING", mac(claim_key, PROTOCOL + b"hwid" + route + identity)[:16]
    for generation in range(300):
        if generation in (0, 1, 255, 256, 299):
            yield f"CHAIN_{generation}", chain
            for name, label in (("UP", b"upl0"), ("BACKLOG", b"bck0"), ("DOWN", b"dwn0")):
                yield f"{name}_{generation}", expand(chain, label, generation)
        if generation in (0, 1, 299):
            body = credential(generation, epoch, route, identity, claim_key, chain)
            yield f"CREDENTIAL_{generation}", body
        chain = expand(chain, b"next", generation)


# name: mode, epoch, identity, route, ikm, header under the claim
CASES = {
    "PUMP": (1, 0x01020304, b"pump-17", bytes.fromhex("a1b2"), bytes(range(32)),
             bytes.fromhex("52a1b20100000002000000")),
    "LONGEST": (1, 0xFFFFFFFF, bytes(range(0x41, 0x61)), bytes.fromhex("0102030405060708"),
                b"\xff" * 32, bytes(17)),
    "SESSION": (2, 0, b"x", b"", bytes(range(96)), b""),
}


def header_text():
    lines = [
        "/* Known answers of the key schedule and the credential, in hex.",
        " * Printed by tests/vectors/schedule.py; do not edit. */",
        "/* clang-format off */",
        "#ifndef FERRULE_TESTS_VECTORS_SCHEDULE_ANSWERS_H",
        "#define FERRULE_TESTS_VECTORS_SCHEDULE_ANSWERS_H",
    ]
    for case, (mode, epoch, *inputs) in CASES.items():
        lines += ["", f"#define {case}_MODE {mode}u", f"#define {case}_EPOCH 0x{epoch:08X}u"]
        for name, value in answers(mode, epoch, *inputs):
            text = value.hex()
            parts = [text[i:i + 64] for i in range(0, len(text), 64)] or [""]
            body = "".join(f' \\\n    "{part}"' for part in parts)
            lines.append(f"#define {case}_{name}{body}")
    return "\n".join(lines + ["", "#endif", ""])


def main(arguments):
    if not arguments:
        sys.stdout.write(header_text())
        return 0
    if len(arguments) != 2 or arguments[0] != "--check":
        sys.stderr.write("usage: schedule.py [--check FILE]\n")
        return 2
    with open(arguments[1], encoding="ascii") as file:
        if file.read() == header_text():
            print("known answers agree")
            return 0
    print(f"FAILED: {arguments[1]} is not what this script prints")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
