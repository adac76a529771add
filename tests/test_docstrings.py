"""Public names explain every argument and what comes back; constants stand one a line; names are the field's words."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest

import napari_decsc

#: Rooms and modules that nobody outside the package calls, and why. All others are held to it.
INTERNAL = {
    "ui": "napari asks for what napari.yaml names",
    "cli": "asked for by its commands",
    "hsi.io.formats": "behind `hsi.io.files`, which finds the format",
    "hsi.io.envi.gains": "what a header says, behind the reader and the writer",
    "hsi.io.envi.header": "as the one before",
    "hsi.io.envi.layout": "as the one before",
    "hsi.io.envi.optional": "as the one before",
    "hsi.io.envi.text": "as the one before",
    "hsi.io.envi.wavelengths": "as the one before",
}


def is_internal(name: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in INTERNAL)


def modules() -> list[str]:
    found = pkgutil.walk_packages(napari_decsc.__path__, "napari_decsc.", onerror=lambda _: None)
    return [name for name in (each.name.partition(".")[2] for each in found) if not is_internal(name)]


def sections(text: str) -> dict[str, str]:
    """Numpydoc sections by name."""
    parts = re.split(r"^(\w+)\n-{3,}$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def explained(text: str) -> set[str]:
    """Names that the sections of arguments and attributes explain: each is followed by a line that is further in."""
    found = sections(text)
    told = "".join(found.get(name, "") for name in ("Parameters", "Attributes"))
    lines = re.findall(r"^([*\w, ]+?)(?: : [^\n]+)?\n    \S", told, re.MULTILINE)
    return {name.strip("* ") for line in lines for name in line.split(",")}


def fields(kind: type) -> set[str]:
    """Public fields of a dataclass but those that carry a description of their own."""
    if not dataclasses.is_dataclass(kind):
        return set()
    inherited = {
        name for base in kind.__bases__ if dataclasses.is_dataclass(base) for name in base.__dataclass_fields__
    }
    public = [one for one in dataclasses.fields(kind) if not one.name.startswith("_") and one.name not in inherited]
    return {one.name for one in public if not one.metadata}


def arguments(function: FunctionType, *, method: bool) -> set[str]:
    names = list(inspect.signature(function).parameters)
    return set(names[1:] if method else names)


def returns(function: FunctionType) -> bool:
    return function.__annotations__.get("return") not in (None, "None")


def faults_of_function(function: FunctionType, name: str, *, method: bool = False) -> list[str]:
    text = inspect.getdoc(function) or ""
    if text.startswith("See "):
        return []
    missing = arguments(function, method=method) - explained(text)
    faults = [f"{name}: {argument} is not explained" for argument in sorted(missing)]
    if returns(function) and not {"Returns", "Yields"} & set(sections(text)):
        faults.append(f"{name}: what comes back is not explained")
    return faults


def faults_of_class(kind: type) -> list[str]:
    text = inspect.getdoc(kind) or ""
    wanted = fields(kind)
    if "__init__" in vars(kind) and not dataclasses.is_dataclass(kind) and not getattr(kind, "_is_protocol", False):
        wanted = arguments(kind.__init__, method=True)
    faults = [f"{kind.__name__}: {name} is not explained" for name in sorted(wanted - explained(text))]
    for name, member in vars(kind).items():
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        overrides = any(hasattr(base, name) for base in kind.__bases__)
        if name.startswith("_") or overrides or not isinstance(function, FunctionType):
            continue
        faults += faults_of_function(function, f"{kind.__name__}.{name}", method=not isinstance(member, staticmethod))
    return faults


@pytest.mark.parametrize("name", modules())
def test_public_names_explain_every_argument_and_what_comes_back(name: str) -> None:
    module = importlib.import_module(f"napari_decsc.{name}")
    faults: list[str] = []
    for public, value in vars(module).items():
        if public.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):
            faults += faults_of_class(value)
        elif isinstance(inspect.unwrap(value) if callable(value) else value, FunctionType):
            faults += faults_of_function(inspect.unwrap(value), public)
    assert not faults, "\n".join(faults)


def test_a_gap_is_seen() -> None:
    def half(first: int, second: int) -> int:
        """Told in part.

        Parameters
        ----------
        first : int
            Any.
        """
        return first + second

    assert faults_of_function(half, "half") == [
        "half: second is not explained",
        "half: what comes back is not explained",
    ]


ROOT = Path(napari_decsc.__file__).parent


@cache
def trees() -> dict[Path, ast.Module]:
    """Every module of the package, parsed."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def test_a_constant_has_a_line_of_its_own() -> None:
    together = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in trees().items()
        for holder in ast.walk(tree)
        if isinstance(holder, ast.Module | ast.ClassDef)
        for node in holder.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
    ]
    assert not together, "one constant a line (docs/style.md)"


#: Words that docs/style.md replaces by the field's, as far as they have no plain meaning that code needs.
PRIVATE = {"survey", "guide", "calm", "company", "glance", "sketch"}


def names(tree: ast.AST) -> Iterator[str]:
    """What a module calls its functions, classes, arguments, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def test_names_are_the_words_of_the_field() -> None:
    private = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in trees().items()
        for name in names(tree)
        if PRIVATE & set(name.lower().split("_"))
    }
    assert not private, "words of docs/style.md"
