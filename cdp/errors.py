"""The one kind of error that people are shown: what is wrong, and what mends it."""


class CdpError(Exception):
    """A failure its reader can act on. Printed as one line, with the fix; exit code 1.

    problem: what is wrong, with the names and numbers at hand.
    fix: the command or change that mends it. is_told: whether people were alerted of it.
    is_final: whether to try again would give the same.
    """

    def __init__(
        self, problem: str, fix: str = "", *, is_told: bool = False, is_final: bool = False
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix
        self.is_told = is_told
        self.is_final = is_final
