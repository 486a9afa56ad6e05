"""What a bound says. `N`: at most; `>=N`: at least; `-`: nothing, the value is only told."""


def meets(value, bound):
    if bound == "-":
        return True
    if bound.startswith(">="):
        return float(value) >= float(bound[2:])
    return float(value) <= float(bound)


def is_worse(value, than, bound, tolerance):
    """Whether a value is further from its bound than another, by more than the tolerance."""
    if bound.startswith(">="):
        return float(value) * tolerance < float(than)
    return float(value) > float(than) * tolerance
