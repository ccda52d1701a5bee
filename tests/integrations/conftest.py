"""One service for all tests of the WordPress plugin, and a site for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from wordpress_site import Site, need_php

from bench.service_lab import ServiceLab
from redact.service.tokens import Scope


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceLab]:
    need_php()
    with ServiceLab(tmp_path_factory.mktemp("wordpress") / "lab", limits={"tries": 1}) as running:
        yield running


@pytest.fixture(scope="session")
def token(lab: ServiceLab) -> str:
    return lab.token([Scope.CHECK, Scope.SUBMIT, Scope.FETCH])


@pytest.fixture
def site(tmp_path: Path, lab: ServiceLab, token: str) -> Site:
    return Site(tmp_path / "site", f"http://127.0.0.1:{lab.port}", token)
