from bench.common import Table


def run(quick: bool) -> Table:
    return Table("Captions in motion", ["x"])
