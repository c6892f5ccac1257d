"""Hostile files for every loader, and what a loader may do with them.

A target makes mutants of sound files and judges what its loader makes of one: something sound, or an error of
the documented kind that says what is wrong and in which file. Anything else is a `Fault`, and so is a loader
that takes long or asks for much memory. The files of the last case stay in the target's folder.
"""

from hostile.alist_file import AlistFile
from hostile.budget import limits
from hostile.checkpoint import Checkpoint
from hostile.code_file import CodeFile
from hostile.curves import Curves
from hostile.matrix_file import MatrixFile
from hostile.references import References
from hostile.store_file import StoreFile
from hostile.study_file import StudyFile
from hostile.target import Fault
from hostile.training_file import TrainingFile
from hostile.training_state import TrainingState

__all__ = ["TARGETS", "Fault", "limits"]

TARGETS = {
    "alist": AlistFile,
    "code": CodeFile,
    "matrix": MatrixFile,
    "study": StudyFile,
    "training": TrainingFile,
    "references": References,
    "curves": Curves,
    "checkpoint": Checkpoint,
    "state": TrainingState,
    "store": StoreFile,
}
