"""The command line, ``napari-decsc COMMAND``.

Every command is a module of this package with two functions: ``configure(parser)`` adds its options, ``run(args)``
does the work and returns an `Answer`. Only the module of the command that was asked for is imported, so ``--help``
is instant. Results go to stdout; progress, messages and errors go to stderr.
"""

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

from napari_decsc import __version__

PROGRAM = "napari-decsc"

#: Command -> what it does, in one line. The module is the command's name with "_" for "-".
COMMANDS = {
    "demo": "show the whole thing in napari on a built-in cube and write the results to a folder",
    "info": "say what a cube file holds",
    "add-noise": "add simulated noise to a cube",
    "calibrate": "make reflectance of a raw cube with its dark and white references",
    "convert": "write a cube, or a part of it, in another format",
    "denoise": "denoise a cube",
    "batch": "denoise many cubes, and go on where an earlier run was stopped",
    "evaluate": "score a cube against a reference (PSNR, SSIM, SAM, ERGAS)",
    "tune": "find the method and the strength that suit a cube, without a clean one",
    "train": "train the weights of the DECSC model",
    "benchmark": "compare methods on noise cases: quality, time and memory",
}

#: Exit code of an error that has a sentence.
FAILED = 1
#: Of wrong use of the command line.
MISUSED = 2
#: Of Ctrl-C.
INTERRUPTED = 130
#: Of a reader of our output that left.
BROKEN_PIPE = 141


@dataclass(frozen=True)
class Answer:
    """What a command has to say: ``data`` for ``--json``, ``text`` for people; ``failed``: some of it was not done."""

    data: dict[str, Any]
    text: str
    failed: bool = False


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. A user's mistake becomes one sentence on stderr, never a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except SystemExit as end:  # argparse: --help, --version, wrong use
        return end.code if isinstance(end.code, int) else FAILED
    except KeyboardInterrupt:
        _complain("stopped, the work was not finished")
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has left; the interpreter must not fail again when it flushes stdout at its end
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        from napari_decsc.cli.errors import sentence

        said = sentence(error)
        if said is None:
            raise
        _complain(said)
        return FAILED


def _run(arguments: list[str]) -> int:
    command = next((word for word in arguments if not word.startswith("-")), None)
    module = _module(command) if command in COMMANDS else None
    # the demo may have to start itself anew, with the same words
    args = _parser(command, module).parse_args(arguments, argparse.Namespace(words=arguments))
    if module is None:  # a bare `napari-decsc`
        _parser(None, None).print_help()
        return 0
    # what libraries print must not mix with the answer
    with contextlib.redirect_stdout(sys.stderr):
        answer = module.run(args)
    print(printable(_text(answer, args.json)))
    sys.stdout.flush()
    return FAILED if answer.failed else 0


def _text(answer: Answer, as_json: bool) -> str:
    if not as_json:
        return answer.text
    from napari_decsc.denoising import report

    return report.as_json(answer.data)


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{command.replace('-', '_')}")


def _parser(command: str | None, module: ModuleType | None) -> argparse.ArgumentParser:
    """The parser; only the command that was asked for has its options."""
    parser = _Parser(
        prog=PROGRAM,
        description="Denoise hyperspectral cubes by deep equilibrium convolutional sparse coding.",
        epilog=f"`{PROGRAM} COMMAND --help` tells the options of a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, summary in COMMANDS.items():
        own = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        if module is not None and name == command:
            module.configure(own)
            own.add_argument("--json", action="store_true", help="answer with one JSON object on stdout")
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage lines."""

    def error(self, message: str) -> NoReturn:
        _complain(f"{message} (see `{self.prog} --help`)")
        raise SystemExit(MISUSED)


def _complain(sentence: str) -> None:
    with contextlib.suppress(OSError):  # stderr may be gone too
        print(printable(f"{PROGRAM}: error: {sentence}"), file=sys.stderr)


def printable(text: str) -> str:
    """The text with control characters written out: names and headers of files must not command the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
