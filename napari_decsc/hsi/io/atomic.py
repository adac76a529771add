"""Files that appear complete or not at all.

No system can exchange two files in one step. So a pair is exchanged under a *journal*: a small file beside the targets
that lists which finished temporary file is to take which name. It appears in one step, and from then on the new pair is
the one that counts: whoever meets the journal of a process that died carries out what it says (`recover`).
"""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.notes import is_note

_MARK = ".decsc-"

_CURES = {
    errno.ENOSPC: "free some space or choose another disk",
    errno.EDQUOT: "free some space or choose another disk",
    errno.EACCES: "choose a folder you may write to, or close the programs that use the file",
    errno.EPERM: "choose a folder you may write to",
    errno.EROFS: "choose a folder you may write to",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextlib.contextmanager
def replacing(
    *targets: Path, overwrite: bool, hide_last: bool = False, notes: Sequence[Path] = ()
) -> Iterator[list[Path]]:
    """Yield temporary names beside the targets; what was written under them takes the targets' names at the end.

    On any error the targets are as they were and nothing temporary is left. If the process dies, the targets are the
    old or the new ones, all of them, as soon as `recover` has seen the last one's name.

    Parameters
    ----------
    targets : Path
        Names are exchanged in this order.
    overwrite : bool
        Whether to replace files that exist.
    hide_last : bool
        Whether an old file under the last name is moved away before the others are exchanged.
    notes : sequence of Path
        Files that tell of the old targets (:mod:`.notes`): they go when the new targets come.

    Yields
    ------
    list of Path
        A temporary name for each target.

    Raises
    ------
    FileFormatError
        If a target or a note exists and may not be replaced, and for every error of the system.
    """
    recover(targets[-1])
    _check(targets, notes, overwrite)
    new = [_temporary(target) for target in targets]
    try:
        yield new
        _exchange(new, targets, notes, hide_last)
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "choose another place")
        reason = error.strerror or str(error)
        raise FileFormatError(f"{targets[-1]}: cannot be written ({reason}), nothing was changed; {cure}") from None
    finally:
        for path in new:
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def replacing_folder(target: Path, *, overwrite: bool, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield a temporary name for a folder beside the target, which takes the target's name at the end.

    On any error what is there is as it was; if the process dies between the two renames, it lies beside the target
    under a name that begins with `.decsc-`.

    Parameters
    ----------
    target : Path
        Of the folder.
    overwrite : bool
        Whether to replace one that exists.
    is_ours : callable
        Whether a folder is of this kind: no other is ever replaced.

    Yields
    ------
    Path
        The temporary name.

    Raises
    ------
    FileFormatError
        If the target exists and may not be replaced, and for every error of the system.
    """
    if not os.path.isdir(target.parent):
        raise FileFormatError(f"{target}: the folder {target.parent} does not exist; create it or choose another")
    if os.path.lexists(target) and not overwrite:
        raise FileFormatError(f"{target} already exists; choose another name or allow overwriting")
    if os.path.lexists(target) and (target.is_symlink() or not is_ours(target)):
        raise FileFormatError(f"{target} exists and is of another kind, which is not replaced; choose another name")
    new, old = _temporary(target), _temporary(target)
    try:
        yield new
        if os.path.lexists(target):
            os.replace(target, old)
        try:
            os.replace(new, target)
        except OSError:
            if os.path.lexists(old):
                os.replace(old, target)
            raise
        _flush_folder(target.parent)
    except OSError as error:
        raise FileFormatError(
            f"{target}: cannot be written ({error.strerror or error}), nothing was changed; "
            f"{_CURES.get(error.errno or 0, 'choose another place')}"
        ) from None
    finally:
        for path in (new, old):
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def flushed(path: Path) -> Iterator[BinaryIO]:
    """A new file for writing whose contents are on the disk when the block ends.

    Parameters
    ----------
    path : Path
        Must not exist.

    Yields
    ------
    binary file
        For writing.
    """
    with path.open("xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def recover(target: Path) -> None:
    """End the exchange that a process began and did not live to end. Cheap where there is nothing to do.

    Parameters
    ----------
    target : Path
        The last of its names.

    Raises
    ------
    OSError
        Where the folder cannot be written.
    """
    journal = _journal(target)
    try:
        pid, born, moves, gone = json.loads(journal.read_bytes())
        if _lives(pid, born):
            return
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return
    for source, name in moves:
        # only what this module writes is believed: plain names of this folder
        if Path(source).name == source and source.startswith(_MARK) and Path(name).name == name:
            with contextlib.suppress(FileNotFoundError):  # moved already
                os.replace(target.with_name(source), target.with_name(name))
    for name in gone:
        if Path(name).name == name and is_note(name):
            target.with_name(name).unlink(missing_ok=True)
    journal.unlink(missing_ok=True)


def _lives(pid: int, born: float) -> bool:
    """True while the process that wrote a journal runs: it will end the exchange itself."""
    import psutil

    try:
        process = psutil.Process(pid)
        # numbers of dead processes are given out again
        return bool(abs(process.create_time() - born) < 1 and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _check(targets: tuple[Path, ...], notes: Sequence[Path], overwrite: bool) -> None:
    folder = targets[-1].parent
    if not os.path.isdir(folder):
        raise FileFormatError(f"{targets[-1]}: the folder {folder} does not exist; create it or choose another")
    for target in reversed(targets):
        if os.path.isdir(target):
            raise FileFormatError(f"{target} is a folder; choose another name")
        if not overwrite and os.path.lexists(target):
            raise FileFormatError(f"{target} already exists; choose another name or allow overwriting")
    if notes and not overwrite:
        raise FileFormatError(
            f"{notes[0]} already exists and would be believed to tell of the new file; choose another name or allow "
            f"overwriting, which removes it"
        )


def _temporary(target: Path) -> Path:
    # short: the target's own name may be as long as the file system allows
    return target.with_name(f"{_MARK}{secrets.token_hex(6)}.tmp")


def _journal(target: Path) -> Path:
    return target.with_name(f"{_MARK}{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}.journal")


def _exchange(new: list[Path], targets: tuple[Path, ...], notes: Sequence[Path], hide_last: bool) -> None:
    backups: list[Path] = []
    journal = _journal(targets[-1])
    with contextlib.ExitStack() as undo:
        if len(targets) > 1:
            _begin(journal, new, targets, notes)
        try:
            for note in notes:
                backups.append(_temporary(note))
                undo.callback(_restore, backups[-1], note)
                _keep(note, backups[-1], move=True)
            for target in reversed(targets):
                if os.path.lexists(target):
                    backups.append(_temporary(target))
                    undo.callback(_restore, backups[-1], target)
                    _keep(target, backups[-1], move=hide_last and target == targets[-1])
                else:
                    undo.callback(target.unlink, missing_ok=True)
            for source, target in zip(new, targets, strict=True):
                os.replace(source, target)
        except BaseException:
            # first of all: from here on the old files count again
            journal.unlink(missing_ok=True)
            raise
        undo.pop_all()
    _flush_folder(journal.parent)
    for path in (journal, *backups):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _begin(journal: Path, new: list[Path], targets: tuple[Path, ...], notes: Sequence[Path]) -> None:
    """Make the journal appear: the moment from which on the new files count."""
    import psutil

    moves = [[source.name, target.name] for source, target in zip(new, targets, strict=True)]
    gone = [note.name for note in notes]
    part = _temporary(journal)
    try:
        with flushed(part) as file:
            file.write(json.dumps([os.getpid(), psutil.Process().create_time(), moves, gone]).encode())
        os.replace(part, journal)
    finally:
        part.unlink(missing_ok=True)


def _keep(target: Path, backup: Path, move: bool) -> None:
    """Give the old file a second name; where there are no hard links, another one."""
    if not move:
        try:
            os.link(target, backup)
        except OSError:
            move = True
    if move:
        os.replace(target, backup)


def _restore(backup: Path, target: Path) -> None:
    if os.path.lexists(backup):
        os.replace(backup, target)
        # of two names of one file, renaming leaves both
        backup.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Make the new names last through a power cut, on systems where folders can be flushed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
