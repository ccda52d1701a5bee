"""A fuzz target with a bug in it, imported by a worker by name."""

from collections.abc import Mapping


def jobs() -> Mapping[str, object]:
    import fuzz_jobs

    def careless(path, out):
        if len(path.read_bytes()) != 40:
            raise AttributeError("an oversight")

    def talkative(path, out):
        from redact.errors import DamagedInputError

        raise DamagedInputError(f"cannot read {path}")

    from redact.errors import InputError

    fuzz_jobs.TARGETS |= {"careless": (careless, InputError), "talkative": (talkative, InputError)}
    return fuzz_jobs.jobs()
