"""Our own snippet in a program that a bundler made: esbuild, unmodified, as a site would use it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clients.installed import MODULES, NODE, needs_node
from clients.snippet_shop import Shop
from desireline.faces.collector import snippet

pytestmark = [pytest.mark.browser, needs_node]
PROGRAM = """
import { start } from "./snippet.mjs";
window.desireline = start({ host: HOST, key: KEY, consent: "given", pages: false });
export const asked = (number) => desireline.track("Desk Asked", { number });
asked(1);
"""
FORMS = {
    "one script": ("--format=iife", "--minify", "--target=es2020"),
    "an older language": ("--format=iife", "--target=es2018"),
    "a module": ("--format=esm", "--minify"),
}


def _bundled(folder: Path, shop: Shop, *arguments: str) -> bytes:
    """The program and the snippet in one file."""
    (folder / "snippet.mjs").write_text(snippet.text_of("snippet.mjs"), encoding="utf-8")
    program = PROGRAM.replace("HOST", f'"{shop.front.address}"').replace("KEY", f'"{shop.project.key}"')
    (folder / "program.js").write_text(program, encoding="utf-8")
    made = subprocess.run(
        [NODE, str(MODULES / "esbuild" / "bin" / "esbuild"), "program.js", "--bundle", "--log-limit=0", *arguments],
        cwd=folder, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, b""), made.stderr.decode()
    return made.stdout


@pytest.mark.parametrize("form", FORMS)
def test_a_program_made_by_a_bundler_sends_what_a_tag_would(shop: Shop, tmp_path: Path, form: str) -> None:
    shop.site.files["/program.js"] = _bundled(tmp_path, shop, *FORMS[form])
    kind = "module" if form == "a module" else "text/javascript"
    shop.put_up("/bundled", tag=f'<script type="{kind}" nonce="n1" src="/program.js"></script>')
    page = shop.open("/bundled")
    page.click("[data-desireline='offer.chosen']")
    shop.wait_for("Desk Asked", "offer.chosen")
    assert shop.project.seen().numbers == [1]


def test_a_program_that_draws_pages_on_a_server_may_import_it(tmp_path: Path) -> None:
    (tmp_path / "snippet.mjs").write_text(snippet.text_of("snippet.mjs"), encoding="utf-8")
    asks = 'import("./snippet.mjs").then(({ start }) => console.log(typeof start))'
    said = subprocess.run([NODE, "-e", asks], cwd=tmp_path, capture_output=True, timeout=60, check=True)
    assert said.stdout == b"function\n"
