"""What the documents show runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def blocks(path: Path, language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", "docs/own-ops.md"])
def test_python_blocks_run(name: str, tmp_path: Path) -> None:
    found = blocks(ROOT / name, "python")
    assert found
    for code in found:
        path = tmp_path / "block.py"
        path.write_text(code)
        subprocess.run([sys.executable, str(path)], cwd=tmp_path, check=True, timeout=55)


def test_quick_start_is_two_lines() -> None:
    quick_start = blocks(ROOT / "README.md", "bash")[0]
    assert quick_start.splitlines() == [
        'pip install -e ".[examples]" && autograd-cnn train lenet5 --data digits --out runs/lenet5',
        'pip install -e ".[test]" && pytest',
    ]


def test_links_lead_somewhere() -> None:
    for name in ("README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))):
        document = ROOT / name
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{name}: {target}"


def test_the_first_example_runs(tmp_path: Path) -> None:
    picture = tmp_path / "net.svg"
    subprocess.run([sys.executable, str(ROOT / "examples/first_graph.py"), str(picture)], check=True, timeout=55)
    assert picture.read_text().startswith("<svg")
