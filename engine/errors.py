"""Errors a user can cause or mend. Each is one clear sentence; `msa_cli` prints it and sets the exit code."""


class MsaError(Exception):
    """Base of every error meant for a user's eyes."""


class SourceError(MsaError):
    """A file that cannot become documents: encrypted, broken, not text, no permission, a scan without text."""

    def __init__(self, path: str, reason: str):
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.path, self.reason)


class StoreError(MsaError):
    """The memory cannot be used as asked."""


class NoMemoryError(StoreError):
    """There is no memory at the given place yet."""


class StoreLockedError(StoreError):
    """Another process is writing; the message names it."""


class StoreCorruptError(StoreError):
    """A checksum or a catalog row does not hold."""


class ModelMismatchError(StoreError):
    """The memory was encoded by another model; the message names the mending command."""


class CheckpointError(MsaError):
    """A model folder that cannot be loaded; the message names the file and the key."""


class UnsupportedError(MsaError):
    """The loaded model cannot do this (for example answer, when it can only route)."""


class RankError(MsaError):
    """Another process that holds a part of this memory is gone or cannot be reached."""
