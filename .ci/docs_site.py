"""What the site's builder calls: pages made from the code, and links that lead out of docs/ made plain.

The command line's page comes from its parsers, settings and noise models from their descriptions, the examples from
their files; changelog and contributing guide lie at the top of the repository.
"""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

REPOSITORY = Path(__file__).parents[1]


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    pages = {
        "changelog.md": _top("CHANGELOG.md"),
        "contributing.md": _top("CONTRIBUTING.md"),
        "reference/command-line.md": command_line(),
        "reference/settings.md": settings(),
        "reference/examples.md": examples(),
    }
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to source files become their names: the site has no copy of the source."""
    folders = page.file.src_uri.count("/")
    markdown = markdown.replace("](../CONTRIBUTING.md", "](contributing.md").replace(
        "](../CHANGELOG.md", "](changelog.md"
    )
    # with more steps up than the page has folders above it, it leads out of docs/
    return re.sub(rf"\[(`?[^\]]+?`?)\]\((?:\.\./){{{folders + 1},}}(?!docs/)[^)]*\)", r"\1", markdown)


def _top(name: str) -> str:
    """A page of the repository's top: its links into docs/ are the site's own."""
    text = (REPOSITORY / name).read_text(encoding="utf-8").replace("](docs/", "](")
    return re.sub(r"\[(`?[^\]]+?`?)\]\((?![a-z/-]+\.md|https?:|#)[^)]*\)", r"\1", text)


def command_line() -> str:
    """The help of every command, as a terminal of 78 columns shows it: what fits on a page."""
    os.environ.update(COLUMNS="78", NO_COLOR="1")
    from napari_decsc import cli

    parts = [
        "# Command line",
        "`napari-decsc COMMAND`. Every command knows `--help`, and `--json` for an answer that programs read. "
        "Results go to stdout; progress, messages and errors go to stderr. Exit codes: 0; "
        f"{cli.FAILED} for an error that is said in a sentence; {cli.MISUSED} for wrong use; "
        f"{cli.INTERRUPTED} for Ctrl-C.",
    ]
    for command, summary in cli.COMMANDS.items():
        parser = cli._parser(command, cli._module(command))
        own = parser._subparsers._group_actions[0].choices[command]
        parts += [f"## {command}", f"{summary[0].upper()}{summary[1:]}.", f"```text\n{own.format_help().rstrip()}\n```"]
    return "\n\n".join(parts) + "\n"


def settings() -> str:
    """Tables of the settings of methods and noise models."""
    from napari_decsc.hsi.noise.models import NOISE_MODELS
    from napari_decsc.registry import METHODS

    parts = [
        "# Settings and noise models",
        "One description of each setting makes the form in the window, the option of the command line "
        "(`--max-iterations` for `max_iterations`), the keyword of `nd.denoise` and `nd.add_noise`, and this page.",
        "## Methods",
    ]
    for name, method in METHODS.items():
        parts += [f"### {name}", f"{method.summary}.", _table(method.settings)]
    parts.append("## Noise models")
    for name, model in NOISE_MODELS.items():
        parts += [f"### {name} {{ #noise-{name} }}", f"{model.summary}.", _table(model)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(described: type) -> str:
    from napari_decsc.settings import defaults, descriptions

    standard = defaults(described)
    rows = [
        f"| `{name}` | {text.sentence.replace('|', '/')}{_choices(text)} | `{standard[name]!r}` |"
        for name, text in descriptions(described).items()
    ]
    return "\n".join(["| setting | what it does | default |", "|---|---|---|", *rows]) if rows else "No settings."


def _choices(text: Any) -> str:
    """The words that may be given; what an empty one means, the sentence says."""
    words = [f"`{choice}`" for choice in text.choices or () if choice]
    return f": {', '.join(words)}" if words else ""


def examples() -> str:
    """Every script of examples/, its first line as the heading."""
    parts = ["# Examples", "Scripts that run as they are; a test runs each of them."]
    for path in sorted((REPOSITORY / "examples").glob("*.py")):
        code = path.read_text(encoding="utf-8")
        heading = code.split('"""')[1].strip().splitlines()[0].rstrip(".")
        parts += [f"## {heading.split(':')[0]}", f"`examples/{path.name}`", f"```python\n{code.rstrip()}\n```"]
    return "\n\n".join(parts) + "\n"
