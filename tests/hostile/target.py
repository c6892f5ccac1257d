"""What every target does: write the files of a case, load them, and judge what came of it."""

import time
from pathlib import Path
from typing import ClassVar

from hostile import budget


class Fault(AssertionError):
    """A loader did what it must not."""


def check(condition, what):
    """A `Fault` unless the condition holds."""
    if not condition:
        raise Fault(what)


class Target:
    """One kind of input: how mutants of it are made, and how it is loaded.

    named: What a refusal must name.
    refusals: The errors that are documented, exactly: a KeyError is no LookupError that somebody thought of.
    """

    named: ClassVar[str]
    refusals: ClassVar[tuple[type[Exception], ...]] = (ValueError,)

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.present = set()
        self.prepare()

    def prepare(self):
        """Make the sound files."""

    def sound(self):
        """Sound inputs, as what `files` takes."""
        raise NotImplementedError

    def mutant(self, rng):
        """The files of one case, by name."""
        raise NotImplementedError

    def files(self, content):
        """The files of a case that is one string of bytes."""
        return {self.named: content}

    def load(self):
        """Load what lies in the folder, and check that it is sound."""
        raise NotImplementedError

    def judge(self, files):
        """Whether the loader took the files; a `Fault` if it did what it must not."""
        self.write(files)
        begun, taken = time.process_time(), True
        try:
            self.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # Rust panics are no Exceptions
            taken = False
            if problem := self.problem(error):
                raise Fault(f"{type(self).__name__}: {problem}; files: {shown(files)}") from error
        if (seconds := time.process_time() - begun) > budget.MOST_SECONDS:
            raise Fault(f"{type(self).__name__}: took {seconds:.1f} s; files: {shown(files)}")
        return taken

    def write(self, files):
        """Put the files of a case in place of those of the last."""
        for name in self.present - files.keys():
            (self.folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        self.present = set(files)

    def problem(self, error):
        """What is wrong with an error, if anything."""
        message = str(error)
        if type(error) not in self.refusals:
            return f"{type(error).__name__} is not a documented error: {message[:300]}"
        if self.named not in message:
            return f"{type(error).__name__} does not name the file: {message[:300]!r}"
        if len(message) > budget.LONGEST_MESSAGE:
            return f"a message of {len(message)} characters: {message[:300]}"
        return ""


def shown(files):
    """Files for a message."""
    return {
        name: content if len(content) < 3000 else content[:3000] + b"..." for name, content in files.items()
    }
