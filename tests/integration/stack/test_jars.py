"""A jar that can't be downloaded: what stood in the way is said, and how to mend it."""

import gc
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from jgo.maven import MavenContext

from stack import jars
from stack.trouble import StackError
from tests.support.ports import free_port

COORDINATE = "org.example:nothing:1.0"
# The library leaves its line open to the collector, which would come in the middle of another test.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


class Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        pass


@pytest.fixture
def plain_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give the port of a repository that has nothing and speaks no TLS."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
    gc.collect()


def refusal(folder: Path, repository: str) -> StackError:
    context = MavenContext(repo_cache=folder, remote_repos={"here": repository}, timeout=5)
    with pytest.raises(StackError, match=COORDINATE) as refused:
        jars._fetched(context, COORDINATE)
    return refused.value


def test_a_connection_that_cannot_be_trusted_is_told_from_a_missing_one(
    tmp_path: Path, plain_port: int
) -> None:
    told = refusal(tmp_path, f"https://127.0.0.1:{plain_port}")
    assert "证书" in told.zh
    assert "SSL" in told.zh
    assert "REQUESTS_CA_BUNDLE" in told.en
    told = refusal(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert "Connection refused" in told.zh
    assert "HTTPS_PROXY" in told.en


def test_a_repository_without_the_file_is_named(tmp_path: Path, plain_port: int) -> None:
    told = refusal(tmp_path, f"http://127.0.0.1:{plain_port}")
    assert str(plain_port) in told.zh
    assert "did not give the file" in told.en
