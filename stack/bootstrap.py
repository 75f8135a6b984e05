"""Makes `.venv` what requirements.lock says, and again when that changed; standard library only.

Run by `make` with any Python: `python stack/bootstrap.py`. Several at once wait for each other.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
LOCK = PROJECT / ".cache" / "bootstrap.lock"
OLDEST = (3, 11)


def main() -> None:
    """Set up what is missing; a failed step ends with its own exit code."""
    if sys.version_info < OLDEST:
        sys.exit("需要 Python 3.11 或更高版本。Python 3.11 or later is needed: make PYTHON=...")
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = _digest()
        if _is_usable() and STAMP.exists() and STAMP.read_text() == wanted:
            return
        _install()
        STAMP.write_text(wanted)


def _digest() -> str:
    parts = [(PROJECT / name).read_bytes() for name in ("requirements.lock", "pyproject.toml")]
    # An environment remembers where it lies.
    return hashlib.sha256(b"\0".join([*parts, str(VENV).encode()])).hexdigest()


def _is_usable() -> bool:
    try:
        return subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def _install() -> None:
    if not _is_usable():
        shutil.rmtree(VENV, ignore_errors=True)
        _run("建立虚拟环境  making a virtual environment", [sys.executable, "-m", "venv", VENV])
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "-q",
        "install",
    ]
    _run(
        "安装依赖  installing what requirements.lock says",
        [*pip, "--require-hashes", "-r", PROJECT / "requirements.lock"],
    )
    _run(
        "安装本项目  installing the project",
        [
            *pip, "--no-deps", "--no-build-isolation", "-e", PROJECT,
            "--config-settings", "editable_mode=compat",
        ],
    )  # fmt: skip


def _run(what: str, words: "list[str | Path]") -> None:
    sys.stderr.write(f"{what}\n")
    code = subprocess.run(words, check=False, cwd=PROJECT).returncode
    if code:
        sys.stderr.write(f"失败  failed: {what}\n")
        sys.exit(code)


if __name__ == "__main__":
    main()
