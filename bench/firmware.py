"""For scripts/compare and scripts/budgets: what firmware takes on each emulated core."""
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Core: the compiler's name of it, and the machine that runs it; none where there is too little RAM.
CORES = {
    "m0": ("cortex-m0", None),
    "m3": ("cortex-m3", "mps2-an385"),
    "m4": ("cortex-m4", "mps2-an386"),
    "m7": ("cortex-m7", "mps2-an500"),
    "m33": ("cortex-m33", "mps2-an505"),
}
# Of ssl_msg.c what no record needs that carries data.
HANDSHAKE = re.compile(r"handshake|flight|hs_|hello|buffer_message|buffered|resend|retransmit|"
                       r"future|reassembl|bitmap|change_cipher|_ccs|finished|wrapup|renego|timer")
MBEDTLS_RECORD = re.compile(
    r"/library/(ssl_msg|chacha20|poly1305|chachapoly|cipher|cipher_wrap|constant_time|"
    r"platform_util)\.c$")


def load_sizes():
    loader = importlib.machinery.SourceFileLoader("figure_sizes", os.path.join(HERE, "figure_sizes"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("figure_sizes", loader))
    loader.exec_module(module)
    return module


sizes = load_sizes()


def run(core, target):
    """[(peer, figure, bytes, value, unit)] of a program that counts on an emulated core."""
    cpu, machine = CORES[core]
    script = f'. "{HERE}/firmware_build.sh" && firmware_run {target} {cpu} {machine}'
    done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    rows = [line.split("\t")[1:] for line in done.stdout.splitlines()
            if line.startswith("record\t")]
    if done.returncode != 0 or not rows:
        sys.exit(f"{target} cannot be measured on {core}: {done.stdout[-500:]}")
    return [(peer, figure, int(size), int(value), unit) for peer, figure, size, value, unit in rows]


def measure_flash(core, target):
    """Bytes of flash by (owner, file, section)."""
    return sizes.attribute(sizes.build(CORES[core][0], target))


def flash_of_record(core):
    return sizes.sum_record(measure_flash(core, "size_record"))


def flash_of_device(core):
    return sum(sizes.sum_by_owner(measure_flash(core, "size_device")).values())


def flash_of_bare(core):
    return sum(sizes.sum_by_owner(measure_flash(core, "size_bare")).values())


def flash_of_mbedtls(core):
    """The record path, and all of a client."""
    parts = measure_flash(core, "size_mbedtls")
    record = sum(size for (_, file, name), size in parts.items()
                 if MBEDTLS_RECORD.search(file) and not HANDSHAKE.search(name))
    return record, sum(sizes.sum_by_owner(parts).values())
