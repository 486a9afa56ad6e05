#!/usr/bin/env python3
"""Reads what only Zephyr and ESP-IDF themselves read of Ferrule: YAML parses and has the keys that their documents
name, every path exists, every setting is one of ours or of the list below, and the partition table has the partition.

    check_files.py FERRULE"""
import csv
import pathlib
import re
import sys

import yaml

# Settings of Zephyr and ESP-IDF that ours mention; each stands in the reference of its project.
THEIRS = {"CONFIG_SERIAL", "CONFIG_MAIN_STACK_SIZE", "CONFIG_UART_CONSOLE", "CONFIG_BOOT_BANNER",
          "CONFIG_NANOPB", "CONFIG_BIG_ENDIAN",
          "CONFIG_PARTITION_TABLE_CUSTOM", "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME",
          "CONFIG_ESP_MAIN_TASK_STACK_SIZE", "CONFIG_LIBSODIUM_USE_MBEDTLS_SHA"}
SELECTED = {"FLASH", "FLASH_MAP", "FLASH_PAGE_LAYOUT", "CSPRNG_ENABLED"}
top = pathlib.Path(sys.argv[1])
complaints = []


def hold(holds, text):
    if not holds:
        complaints.append(text)


def read(name):
    return (top / name).read_text(encoding="utf-8")


def load(name, keys):
    data = yaml.safe_load(read(name))
    hold(isinstance(data, dict) and set(data) <= keys, f"{name}: keys {sorted(data)}, known are {sorted(keys)}")
    return data


def check_module():
    module = load("zephyr/module.yml", {"name", "build", "samples"})
    hold((top / module["build"]["cmake"] / "CMakeLists.txt").is_file(), "module.yml: no CMakeLists.txt")
    hold((top / module["build"]["kconfig"]).is_file(), "module.yml: no Kconfig")
    hold(set(module["build"]) <= {"cmake", "kconfig"}, "module.yml: unknown keys of build")
    for sample in module["samples"]:
        tests = load(f"{sample}/sample.yaml", {"sample", "tests"})["tests"]
        hold(all(test["platform_allow"] for test in tests.values()), f"{sample}: a test for no board")
        for file in ("CMakeLists.txt", "prj.conf", "src/main.c"):
            hold((top / sample / file).is_file(), f"{sample}: no {file}")


def check_component():
    keys = {"version", "description", "license", "dependencies"}
    component = load("esp-idf/ferrule/idf_component.yml", keys)
    hold(component["version"] == re.search(r"project\(ferrule VERSION (\S+)", read("CMakeLists.txt"))[1],
         "idf_component.yml: another version than CMakeLists.txt")
    hold(set(component["dependencies"]) == {"idf", "espressif/libsodium"}, "idf_component.yml: dependencies")


def defined(name):
    """Names of a Kconfig file, whose blocks must close."""
    text = read(name)
    for word in ("if", "menu"):
        hold(len(re.findall(rf"^{word}\b", text, re.M)) == len(re.findall(rf"^end{word}\b", text, re.M)),
             f"{name}: {word} and end{word} do not match")
    for other in re.findall(r"^\s*(?:select|depends on) (\w+)", text, re.M):
        hold(other in SELECTED, f"{name}: {other} is not known")
    names = re.findall(r"^\s*config (\w+)$", text, re.M)
    hold(len(names) == len(set(names)) > 0, f"{name}: no name, or one twice")
    return {f"CONFIG_{found}" for found in names}


def check_settings():
    for kconfig, files in (
            ("zephyr/Kconfig", ["zephyr/CMakeLists.txt", "examples/09-zephyr/prj.conf",
                                "ports/zephyr/zephyr_port.h"]),
            ("esp-idf/ferrule/Kconfig", ["esp-idf/ferrule/CMakeLists.txt",
                                         "examples/10-esp-idf/sdkconfig.defaults"])):
        ours = defined(kconfig)
        for file in files:
            used = set(re.findall(r"\bCONFIG_\w+", read(file))) - {"CONFIG_FLASH_PAGE_LAYOUT"}
            for name in sorted(used - ours - THEIRS):
                hold(False, f"{file}: {name} is neither in {kconfig} nor known")


def size(text):
    number, unit = re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)([KM]?)", text).groups()
    return int(number, 0) * {"": 1, "K": 1024, "M": 1024 * 1024}[unit]


def check_partitions():
    lines = [line for line in read("examples/10-esp-idf/partitions.csv").splitlines() if not line.startswith("#")]
    rows = [[field.strip() for field in row] for row in csv.reader(lines)]
    own = [row for row in rows if row[0] == "ferrule"]
    hold(len(own) == 1 and own[0][1] == "data" and size(own[0][4]) % 4096 == 0 and size(own[0][4]) >= 8192,
         "partitions.csv: no data partition 'ferrule' of whole sectors")
    hold('"ferrule"' in read("examples/10-esp-idf/main/main.c"), "main.c opens another partition")
    hold(len({row[0] for row in rows}) == len(rows), "partitions.csv: a name twice")


check_module()
check_component()
check_settings()
check_partitions()
print("\n".join(complaints))
print(f"check_files: {len(complaints)} complaints")
sys.exit(1 if complaints else 0)
