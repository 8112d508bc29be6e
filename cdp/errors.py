"""The one kind of error that people are shown: what is wrong, and what mends it."""


class CdpError(Exception):
    """A failure its reader can act on. Printed as one line, with the fix; exit code 1.

    problem: what is wrong, with the names and numbers at hand.
    fix: the command or change that mends it.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix
