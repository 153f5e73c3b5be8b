"""One family of errors. Each says what happened and what to do, in a sentence that a page may show.

A message never holds patient data. A programmer's mistake stays ValueError or TypeError.
"""

from colpo_core.terms import MaskDoubt


class ColpoError(Exception):
    """Something that a person can understand and mend."""


class ImageRejected(ColpoError):
    """A file is not an image that the program takes."""


class MaskRejected(ColpoError):
    """A mask or its run-length code does not fit its image."""


class InputRejected(ColpoError):
    """A value that a person gave cannot be taken."""


class MaskDoubted(InputRejected):
    """A mask looks like something that was not meant; it is taken once a person says that it is right.

    Attributes:
        doubt: What it looks like.
    """

    def __init__(self, sentence: str, doubt: MaskDoubt) -> None:
        """Say what the mask looks like and what can be done."""
        super().__init__(sentence)
        self.doubt = doubt


class NotFound(ColpoError):
    """The thing asked for is not in the store."""


class PermissionDenied(ColpoError):
    """The person may not do this."""


class SignInRefused(ColpoError):
    """The name or the password is wrong, or signing in is blocked for a while."""


class Conflict(ColpoError):
    """Somebody else changed the same thing first; nothing was overwritten."""


class StudyLocked(ColpoError):
    """The study's state forbids this."""


class SessionWaits(StudyLocked):
    """The next session of a study has not opened yet."""


class Blinding(ColpoError):
    """Showing this would unblind a reader."""


class ShownNoMore(Blinding):
    """An image was still on its way to the reader's page when its case was answered: not sent, and no attempt."""


class LeakageFound(ColpoError):
    """The same patient or image stands on two sides of a split."""


class SnapshotMismatch(ColpoError):
    """A snapshot is not what its hash says, or cannot serve what was asked."""


class CheckpointMismatch(ColpoError):
    """A checkpoint is damaged, from another version, or not fit for this use."""


class PromotionHeld(ColpoError):
    """There is doubt about a checkpoint, so it was not promoted."""


class JobFailed(ColpoError):
    """A background job cannot go on."""


class JobCancelled(ColpoError):
    """A person cancelled the job."""


class Unreachable(ColpoError):
    """What the program needs does not answer for now; a job waits for it and goes on."""


class Busy(ColpoError):
    """So many ask for the same scarce thing at this moment that it is better to try again a little later.

    Attributes:
        retry_after: After how many seconds.
    """

    def __init__(self, sentence: str, *, retry_after: int = 5) -> None:
        """Say what is busy."""
        super().__init__(sentence)
        self.retry_after = retry_after


class DiskRefuses(ColpoError):
    """The store's disk is full, or cannot be written; what was confirmed before is kept."""


class FilesUnreachable(Unreachable):
    """The place that several machines share for their files does not answer."""


class ClusterUnreachable(Unreachable):
    """The machines that share a training out among themselves do not answer."""


class StoreMismatch(ColpoError):
    """The store's schema is older or newer than the program."""


class StoreDamaged(ColpoError):
    """The store is not whole: its database is lost, empty or damaged, or files that it names are."""
