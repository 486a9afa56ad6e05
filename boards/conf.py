"""Reads boards/NAME/board.conf, for the scripts that start an emulated board."""
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def list_boards():
    return sorted(name for name in os.listdir(HERE)
                  if os.path.exists(os.path.join(HERE, name, "board.conf")))


def read_conf(board):
    """The words of each key."""
    with open(os.path.join(HERE, board, "board.conf")) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {key: words for key, *words in lines}


def has_sensor_line(board):
    return int(read_conf(board)["lines"][0]) > 1


def qemu_command(board, firmware, flash, *serials):
    """The emulator with its flash in the file `flash`, and its serial lines."""
    lines = [word for serial in serials for word in ("-serial", serial)]
    return [*read_conf(board)["qemu"], "-display", "none", "-monitor", "none", *lines,
            "-semihosting-config", f"enable=on,target=native,arg={flash}", "-kernel", firmware]
