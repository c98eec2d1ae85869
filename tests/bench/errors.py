"""What goes wrong here, as a user reads it."""


class BenchError(Exception):
    """Ends the benchmark. The message is lower case without a full stop; the hint says what to do next."""

    def __init__(self, message, hint, exit_status=1):
        super().__init__(message)
        self.hint = hint
        self.exit_status = exit_status


class WrongData(Exception):
    """A contender failed, or left something other than what it should."""
