"""Every error this package raises on purpose. Each message says what is wrong and what to do about it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


@contextmanager
def storage_named() -> Iterator[None]:
    """Raise StorageError for what the operating system says of a disk that takes no more, or that is closed."""
    try:
        yield
    except OSError as error:
        if error.errno not in _STORAGE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        says = error.strerror or error
        raise StorageError(f"{where}{says}; give it room, or the right to write, and start it again") from error


class SSRError(Exception):
    """Base of all errors that a user can act on; `ssr` prints its message and exits with `exit_code`."""

    exit_code = 1


class ConfigError(SSRError):
    """A scale's file, a run's overrides or a command's arguments are wrong."""

    exit_code = 2


class RepositoryError(SSRError):
    """A snapshot cannot be made from its sources."""

    exit_code = 3


class DigestMismatch(RepositoryError):
    """A fetched file is not the file that was pinned."""


class MissingRelease(RepositoryError):
    """A pinned release, commit or source cannot be had."""


class NoTests(RepositoryError):
    """A release carries no tests, so nothing can be injected or checked in it."""


class InstallFailed(RepositoryError):
    """The environment of a repository could not be installed."""


class InfrastructureError(SSRError):
    """The machine failed, not the policy: the episode is retried and never trained on."""

    exit_code = 4


class StorageError(InfrastructureError):
    """Results cannot be written: the disk is full, or closed to this user. What was written before is whole."""


class SandboxError(InfrastructureError):
    """A sandbox could not be started, or died."""


class EngineError(InfrastructureError):
    """An inference engine could not be started, or died."""


class ContextFull(EngineError):
    """A conversation leaves no room for a turn in the model's context: the episode ends with `context_limit`."""


class GameError(SSRError):
    """The game was asked for something impossible, e.g. a codebase from a diff that does not apply."""


class TrainingError(SSRError):
    """Training cannot start or must not go on."""


class RunCollapsed(TrainingError):
    """What a run's model samples has become gibberish or repetition, and training it on would teach nothing."""


class EvaluationError(SSRError):
    """A benchmark cannot be read, made or graded."""
