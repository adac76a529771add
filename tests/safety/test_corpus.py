"""The cases that the fuzzer found, and some thousands of new ones."""

from collections import Counter
from pathlib import Path

import fuzz
import pytest
from cases import CORPUS, Case, Fault, Watch, folders, outcome, time_limit


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.mark.parametrize("kept", sorted(CORPUS.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_found_stays_mended(kept: Path, watch: Watch) -> None:
    with folders() as (case_folder, scratch), time_limit():
        outcome(Case.kept(kept).write(case_folder), watch, scratch, case_folder)


def test_new_inputs() -> None:
    """The short form of `make fuzz`, always with the same inputs."""
    answers, faults = Counter[str](), []
    for _, sent, found in fuzz.rounds(2000, seed=1):
        faults += [fault for _, fault in found]
        answers.update(sent[0] if sent else {})
    assert faults == []
    cubes = sum(count for answer, count in answers.items() if answer.startswith("cube"))
    # a fuzzer that opens nothing, or refuses nothing, tests nothing
    assert 200 < cubes < 1800
    assert len(answers) > 100


def test_the_fuzzer_sees_a_foreign_file(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "x").write_bytes(b"")
    (tmp_path / "foreign").write_bytes(b"")
    with watch.only(tmp_path / "own"):
        (tmp_path / "own" / "x").read_bytes()
    with pytest.raises(Fault, match="foreign"), watch.only(tmp_path / "own"):
        (tmp_path / "foreign").read_bytes()
