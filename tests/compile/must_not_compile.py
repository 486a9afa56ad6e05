#!/usr/bin/env python3
"""Shows that a misuse does not compile, and that it fails for the right reason.

    must_not_compile.py FILE INCLUDE COMPILER [FLAG…] [--link ARGUMENT…]

FILE holds a program twice: with MISUSE defined it is wrong in one way, without it is right. Its
comment says "Expect: REGEX": every error of the wrong program matches, and there is at least one;
the right one builds. "Flags: …" are added to the wrong program only. With --link both are linked
too, with the arguments given."""
import os
import re
import subprocess
import sys
import tempfile


def directive(text, name):
    match = re.search(rf"^[ /*]*{name}: (.*?)(?: \*/)?$", text, re.M)
    return match.group(1) if match else ""


def build(command):
    done = subprocess.run(command, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"})
    return done.returncode, done.stdout + done.stderr


def main(file, include, compiler, *rest):
    split = rest.index("--link") if "--link" in rest else len(rest)
    flags, link = list(rest[:split]), list(rest[split + 1:])
    with open(file, encoding="utf-8") as source:
        text = source.read()
    expected = directive(text, "Expect")
    if not expected or "MISUSE" not in text:
        return f"{file}: needs an Expect: line and a MISUSE variant"
    with tempfile.TemporaryDirectory() as folder:
        base = [compiler, *flags, "-Werror", "-I", include, file, "-o", folder + "/out"]
        tail = link if split < len(rest) else ["-c"]
        status, output = build([*base, *tail])
        if status != 0:
            return f"the right variant does not build:\n{output}"
        status, output = build([*base, "-DMISUSE", *directive(text, "Flags").split(), *tail])
    if status == 0:
        return "the misuse builds"
    errors = [line for line in output.splitlines()
              if re.search(r"\berror: |undefined reference|undefined symbol", line)
              and "linker command failed" not in line and "ld returned" not in line]
    strange = [line for line in errors if not re.search(expected, line)]
    if not errors or strange:
        return f"the misuse fails for another reason than /{expected}/:\n{output}"
    print(errors[0])
    return None


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
