"""A worker that was taken over gets nowhere: each test runs the attack in a real, confined process.

On a system without a feature the test holds the worker to what it reports: it must not claim what it lacks.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from redact.errors import MissingToolError
from redact.workers import Access, Confinement, Spool, Worker, WorkerLimits
from redact.workers.confine import Confinement as Level
from redact.workers.seccomp import program

Ask = Callable[..., object]
FOREIGN = Path(__file__).resolve().parent.parent / "conftest.py"


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    with Spool(tmp_path_factory.mktemp("private")) as made:
        made.make()
        yield made


@pytest.fixture(scope="module")
def worker(spool: Spool) -> Iterator[Worker]:
    made = Worker("hostile_jobs:jobs", access=Access(read=(spool.entry,), write=(spool.exit,)))
    yield made
    made.close()


@pytest.fixture
def ask(worker: Worker) -> Ask:
    return lambda job, **request: worker.call(job, request, timeout_s=60)


@pytest.fixture
def level(worker: Worker) -> Level:
    return worker.start()


def _needs_landlock(level: Level) -> None:
    if not level.landlock:
        assert "FILES OPEN" in level.describe()
        pytest.skip("this kernel has no Landlock, and the worker says so")


def _needs_seccomp(level: Level) -> None:
    if not level.seccomp:
        assert "seccomp" not in level.describe()
        pytest.skip("this system has no filter, and the worker says so")


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"])
def test_a_worker_opens_no_socket(ask: Ask, level: Level, family: str) -> None:
    _needs_seccomp(level)
    assert ask("open_socket", family=family) == "EPERM"


def test_a_worker_reads_its_input_and_no_other_file(
    ask: Ask, level: Level, spool: Spool, tmp_path: Path
) -> None:
    _needs_landlock(level)
    secret = tmp_path / "Orinakyan.jpg"
    secret.write_bytes(b"a face")
    with spool.admit(secret) as inside:
        assert ask("read", path=str(inside)) == "did it: b'a face'"
        assert ask("write", path=str(inside)) == "EACCES"
        assert "rinakyan" not in str(inside)
    for outside in (secret, Path("/etc/passwd"), FOREIGN, Path("/usr/bin/env"), Path("/proc/1/stat")):
        assert ask("read", path=str(outside)) == "EACCES", outside
    for folder in (tmp_path, Path("/"), Path.home(), Path("/tmp"), Path("/etc"), spool.entry.parent):
        assert ask("listing", path=str(folder)) == "EACCES", folder
    assert secret.read_bytes() == b"a face"


def test_a_worker_writes_to_its_own_place_and_nowhere_else(
    ask: Ask, level: Level, spool: Spool, tmp_path: Path
) -> None:
    _needs_landlock(level)
    assert ask("write", path=str(spool.exit / "item.jpg")).startswith("did it")
    for outside in (tmp_path / "x", Path("/tmp/redact-test-x"), Path("/dev/shm/x"), spool.entry / "x"):
        assert ask("write", path=str(outside)) == "EACCES", outside
        assert not outside.exists()
    assert ask("write", path=str(Path(sys.prefix) / "redact-test-x")) == "EACCES"


def test_no_link_leads_out(ask: Ask, level: Level, spool: Spool, tmp_path: Path) -> None:
    _needs_landlock(level)
    (tmp_path / "secret").write_text("a name")
    (spool.entry / "link").symlink_to(tmp_path / "secret")
    assert ask("read", path=str(spool.entry / "link")) == "EACCES"
    assert ask("link_in", inside=str(spool.exit / "l"), path=str(tmp_path / "secret")) == "EACCES"


def test_modes_and_owners_outside_stay_as_they_are(ask: Ask, level: Level, tmp_path: Path) -> None:
    _needs_seccomp(level)
    (tmp_path / "secret").write_text("a name")
    (tmp_path / "secret").chmod(0o600)
    assert ask("change_mode", path=str(tmp_path / "secret")) == "EPERM"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_worker_starts_no_program(ask: Ask, level: Level) -> None:
    _needs_seccomp(level)
    for command in (["/bin/sh", "-c", "echo x"], [sys.executable, "-c", "print(1)"]):
        assert ask("run", command=command) in ("EPERM", "EACCES")


def test_the_judge_starts_its_one_program_which_is_confined_too(tmp_path: Path) -> None:
    probe = shutil.which("ffprobe")
    assert probe is not None
    secret = tmp_path / "Orinakyan.mp4"
    secret.write_bytes(b"secret")
    access = Access(programs=(Path(probe), Path(probe).resolve()))
    worker = Worker("hostile_jobs:jobs", access=access)
    try:
        level = worker.start()
        assert "version" in str(worker.call("run", {"command": [probe, "-version"]}, timeout_s=60))
        _needs_landlock(level)
        for command in (["/bin/sh", "-c", "echo x"], ["/usr/bin/env"], [sys.executable, "-c", "1"]):
            assert worker.call("run", {"command": command}, timeout_s=60) == "EACCES"
        assert worker.call("kill_parent", {}, timeout_s=60) == "EPERM" or level.landlock < 6
    finally:
        worker.close()


@pytest.mark.parametrize("attack", ["kill_parent", "ptrace_parent", "new_namespace", "ring"])
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the attacks are written in x86-64 call numbers")
def test_other_processes_and_the_kernel_are_out_of_reach(ask: Ask, level: Level, attack: str) -> None:
    _needs_seccomp(level)
    assert ask(attack) == "EPERM"


def test_the_limit_of_processor_time_cannot_be_lifted_from_inside(ask: Ask, level: Level) -> None:
    _needs_seccomp(level)
    assert ask("more_cpu") == "refused"


def test_no_secret_of_the_users_environment_reaches_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("https_proxy", "x")
    worker = Worker("hostile_jobs:jobs")
    try:
        names = str(worker.call("environment", {}, timeout_s=60)).split(",")
    finally:
        worker.close()
    assert not {"AWS_SECRET_ACCESS_KEY", "https_proxy", "PYTHONPATH"} & set(names)


def test_a_policy_that_demands_isolation_gets_it_or_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker("hostile_jobs:jobs", WorkerLimits(required=True))
    try:
        complete = worker.start().complete
    except MissingToolError:
        complete = False
    else:
        assert worker.call("echo", {"value": "x"}, timeout_s=60) == "x"
    finally:
        worker.close()
    assert complete == Worker("hostile_jobs:jobs").start().complete


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (Confinement(), "NO limits + NETWORK OPEN + FILES OPEN"),
        (Confinement(True, False, True, 1), "limits + no network (seccomp) + files (Landlock ABI 1)"),
        (Confinement(True, True, False, 0), "limits + no network (namespace) + FILES OPEN"),
    ],
)
def test_what_is_missing_is_said_loudly(held: Confinement, said: str) -> None:
    assert held.describe() == said
    assert held.complete == (held.seccomp and held.landlock > 0)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("may_start", [False, True])
def test_every_jump_of_the_filter_lands_inside_it(machine: str, may_start: bool) -> None:
    rules = program(machine, 1234, may_start=may_start)
    assert len(rules) < 4096
    for at, (code, if_true, if_false, _) in enumerate(rules):
        if code & 0x07 == 0x05:
            assert at + 1 + max(if_true, if_false) < len(rules)
    assert rules[-1][0] == 0x06


def test_an_unknown_machine_has_no_filter_and_does_not_pretend() -> None:
    with pytest.raises(KeyError):
        program("riscv64", 1, may_start=False)
