#!/usr/bin/env python3
"""Collects the pages of the documentation, and makes a site of them with mkdocs-material, offline.

    scripts/docs.py FOLDER      FOLDER/pages are the pages, FOLDER/site is the site

Nothing is written twice: a page is a Markdown file of the repository (docs/ has those that are nothing else), the help of a command as its snapshot in Tests/Fixtures/commands,
a .proto file, the plugins' header, a module's docstrings, or a notebook. Links between files of the repository become links between
pages; mkdocs fails where one leads nowhere. Needs mkdocs-material.
"""
import ast
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = {
    # Where a page stands -> the file that it is. Those of docs/ and plugins/ are found by themselves.
    "index.md": "README.md",
    "how-to/python.md": "clients/python/README.md",
    "how-to/neovim.md": "clients/neovim/README.md",
    "how-to/sonic-visualiser.md": "clients/vamp/README.md",
    "how-to/manifests.md": "Sources/DataSets/MANIFESTS.md",
    "how-to/interventions.md": "Sources/Whisper/Hooks/INTERVENTIONS.md",
    "how-to/plugins.md": "plugins/README.md",
    "explanation/architecture.md": "ARCHITECTURE.md",
    "explanation/parity.md": "Tests/parity/README.md",
    "explanation/speed.md": "SPEED.md",
    "explanation/model-card.md": "models/MODEL_CARD.md",
    "explanation/training.md": "models/README.md",
    "reference/results.md": "Sources/Results/RESULTS.md",
    "project/contributing.md": "CONTRIBUTING.md",
    "project/changes.md": "CHANGELOG.md",
    "project/security.md": "SECURITY.md",
    "project/support.md": "SUPPORT.md",
}
SECTIONS = {"": "Auscult", "tutorials": "Tutorials", "how-to": "How to", "gallery": "What models show", "reference": "Reference", "explanation": "Explanation",
            "analyses": "Analyses", "project": "Project"}  # fmt: skip
# Pages that come first in their section, in this order; the others follow as they are found.
FIRST = ("how-to/install", "how-to/models", "how-to/transcribe", "how-to/look-inside", "how-to/interventions", "how-to/features", "how-to/live",
         "how-to/analyses", "how-to/python", "how-to/transformerlens", "how-to/many-machines", "how-to/manifests", "how-to/daemon", "reference/commands", "reference/python", "explanation/analyses",
         "explanation/figures", "explanation/other-tools", "explanation/papers", "explanation/model-card")  # fmt: skip
MODULES = ("client", "traces", "transcripts", "interventions", "functions", "lens", "data.sources", "data._blocks", "data.activations", "data.results",
           "ray", "aio", "live", "jobs", "runs", "atlas", "recordings", "plugins", "models", "status", "errors")  # fmt: skip


def analyses():
    """The folders of plugins/ that are plugins of this package: others are templates, or what plugins share."""
    return [path.parent for path in sorted((ROOT / "plugins").glob("*/manifest.json")) if not path.parent.name.startswith("template-")]


def files():
    """The repository's pages that are there: those above, those of docs/ (its folders are sections, and what lies in none is the
    gallery), and a page for each analysis."""
    documents = {}
    for path in sorted((ROOT / "docs").glob("**/*.md"), key=lambda path: (path.stem != "README", path.stem)):
        place = path.relative_to(ROOT / "docs")
        page = place if len(place.parts) > 1 else pathlib.Path("gallery") / ("index.md" if place.stem == "README" else place)
        documents[str(page)] = str(path.relative_to(ROOT))
    pages = {f"analyses/{path.parent.name}.md": str(path.relative_to(ROOT)) for path in sorted((ROOT / "plugins").glob("*/README.md"))}
    notebooks = {f"tutorials/{path.stem}.md": str(path.relative_to(ROOT)) for path in sorted((ROOT / "clients/python/notebooks").glob("*.ipynb"))}
    found = {**REPOSITORY, **documents, **pages, **notebooks}
    return {page: file for page, file in found.items() if (ROOT / file).exists()}


def check_analyses():
    """Fails where an analysis has no page, or the list of all does not name it."""
    listed = (ROOT / "docs/explanation/analyses.md").read_text()
    missing = [folder.name for folder in analyses() if not (folder / "README.md").exists() or f"plugins/{folder.name}/README.md" not in listed]
    if missing:
        sys.exit(f"no README.md, or no line in docs/explanation/analyses.md: {', '.join(missing)}")


def linked(text, file, page):
    """The text with links to files of the repository made links to pages; those to files that are no pages become code."""
    places = {(ROOT / one).resolve(): at for at, one in files().items()}

    def replace(match):
        label, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match.group(0)
        path, hash, anchor = target.partition("#")
        found = (ROOT / file).parent.joinpath(path).resolve()
        if found in places:
            return f"[{label}]({os.path.relpath(places[found], os.path.dirname(page) or '.')}{hash}{anchor})"
        if not found.exists():
            sys.exit(f"{file}: the link {target} leads nowhere")
        path = str(found.relative_to(ROOT))
        return f"`{path}`" if label == path else f"{label} (`{path}`)"

    def picture(match):
        label, target = match.groups()
        found = (ROOT / file).parent.joinpath(target).resolve()
        if not found.is_relative_to(ROOT / "docs/pictures") or not found.exists():
            sys.exit(f"{file}: the picture {target} is not in docs/pictures")
        place = pathlib.Path("gallery/pictures") / found.relative_to(ROOT / "docs/pictures")
        return f"![{label}]({os.path.relpath(place, os.path.dirname(page) or '.')})"

    text = re.sub(r"!\[([^\]]*)\]\(([^)\s]+)\)", picture, text)
    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", replace, text)


def commands():
    lines = ["# Commands\n", "What `auscult COMMAND --help` prints.\n"]
    for path in sorted((ROOT / "Tests/Fixtures/commands").glob("help*.txt")):
        name = " ".join(["auscult", *path.stem.removeprefix("help").strip("-").split("-")]).strip()
        lines.append(f"## {name}\n\n```text\n{path.read_text().rstrip()}\n```\n")
    return "\n".join(lines)


def protocol():
    lines = ["# Protocol\n", "ttRPC on a Unix socket; the files of `Protos/auscult/v1`, whose comments are the documentation.\n"]
    for path in sorted((ROOT / "Protos/auscult/v1").glob("*.proto")):
        lines.append(f"## {path.stem}\n\n```protobuf\n{path.read_text().rstrip()}\n```\n")
    return "\n".join(lines)


def header():
    text = (ROOT / "Sources/CAuscultPlugin/include/auscult_plugin.h").read_text().rstrip()
    return f"# Plugins in C\n\n`auscult_plugin.h`, which `auscult plugins new` writes beside a new plugin.\n\n```c\n{text}\n```\n"


def python():
    lines = ["# Python\n", "The public classes and functions of the client, by module, with their docstrings.\n"]
    for module in MODULES:
        path = ROOT / "clients/python/src/auscult" / (module.replace(".", "/") + ".py")
        if not path.exists():
            continue
        tree = ast.parse(path.read_text())
        public = module.replace("._", ".")
        lines.append(f"## auscult.{public}\n\n{ast.get_docstring(tree) or ''}\n")
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_") and ast.get_docstring(node):
                lines.append(f"### {node.name}\n\n{described(node)}")
                for name, inner in members(node, tree, path.parent).items() if isinstance(node, ast.ClassDef) else ():
                    if not name.startswith("_") and ast.get_docstring(inner):
                        lines.append(f"#### {node.name}.{name}\n\n{described(inner)}")
    return "\n".join(lines)


def members(node, tree, folder):
    """The functions of a class, by name: those of its bases that are the package's own, then what it has itself."""
    found = {inner.name: inner for inner in node.body if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for base in reversed([base.id for base in node.bases if isinstance(base, ast.Name)]):
        for part in tree.body:
            if isinstance(part, ast.ImportFrom) and part.level and base in {name.name for name in part.names}:
                # A dot is this folder, each more a folder up.
                source = folder.joinpath(*[".."] * (part.level - 1), *part.module.split(".")).with_suffix(".py")
                parsed = ast.parse(source.read_text())
                for one in parsed.body:
                    if isinstance(one, ast.ClassDef) and one.name == base:
                        found = {**members(one, parsed, source.parent), **found}
    return found


def described(node):
    text = ast.get_docstring(node) or ""
    head = "" if isinstance(node, ast.ClassDef) else f"```python\n{node.name}({ast.unparse(node.args)})\n```\n\n"
    # As it was written: its indentation is its form.
    return f"{head}```text\n{text}\n```\n"


def notebook(path):
    parts = []
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
    name = path.relative_to(ROOT)
    return "\n\n".join(parts) + f"\n\nThis page is the notebook `{name}`, which the tests run.\n"


def collect():
    for page, file in files().items():
        text = notebook(ROOT / file) if file.endswith(".ipynb") else (ROOT / file).read_text()
        yield page, linked(text, file, page)
    yield "reference/commands.md", commands()
    yield "reference/protocol.md", protocol()
    yield "reference/plugins.md", header()
    yield "reference/python.md", python()


def navigation(pages):
    """mkdocs' nav: sections in their order, and in each those of FIRST, then pages in the order in which they were written."""
    nav = []
    place = {f"{page}.md": number for number, page in enumerate(FIRST)}
    for folder, title in SECTIONS.items():
        inside = sorted((page for page in pages if os.path.dirname(page) == folder), key=lambda page: place.get(page, len(FIRST)))
        nav += inside if not folder else [{title: inside}]
    return nav


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    pages = folder / "pages"
    check_analyses()
    shutil.rmtree(pages, ignore_errors=True)
    written = []
    if (ROOT / "docs/pictures").is_dir():
        shutil.copytree(ROOT / "docs/pictures", pages / "gallery/pictures")
    for page, text in collect():
        (pages / page).parent.mkdir(parents=True, exist_ok=True)
        (pages / page).write_text(text)
        written.append(page)
    configuration = (ROOT / "docs/mkdocs.yml").read_text() + f"nav: {json.dumps(navigation(written))}\n"
    (folder / "mkdocs.yml").write_text(configuration)
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", folder / "mkdocs.yml"], check=True)
    outside = [
        f"{page.relative_to(folder)}: {url}"
        for page in (folder / "site").rglob("*.html")
        for url in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page.read_text())
    ]
    if outside:
        sys.exit("the site fetches from elsewhere: " + ", ".join(outside[:5]))
    print(f"{folder / 'site' / 'index.html'}: {len(written)} pages (browsers offer the search where it is served: python3 -m http.server)")


if __name__ == "__main__":
    main()
