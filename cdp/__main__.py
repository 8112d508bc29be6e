"""The `cdp` command: runs the command line, and shows a failure as one line with its fix."""

import gc
import os
import sys
import time

# Collections of garbage are rare: to import and to read a project makes none, and looking for it
# takes a fifth of a start.
ALLOCATIONS = (200_000, 20, 20)


def main() -> None:
    """Entry point. `--debug` anywhere before a lone `--` shows the trace of a failure."""
    gc.set_threshold(*ALLOCATIONS)
    own = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    debug = "--debug" in own[1:]
    if debug:
        sys.argv.remove("--debug")
    from cdp.cli import app
    from cdp.errors import CdpError

    try:
        if len(own) > 1 and "--help" not in own:
            from cdp.settings import settings

            os.environ.update(settings().environment())
            time.tzset()
        app()
    except CdpError as error:
        if debug:
            raise
        _fail(error.problem, error.fix, told=error.is_told, final=error.is_final)
    except KeyboardInterrupt:
        _fail("stopped", "run it again: every command goes on where it stopped", 130)
    except Exception as error:
        if debug:
            raise
        _fail_for_setting(error)
        text = str(error).strip().splitlines()
        _fail(
            f"{type(error).__name__}: {text[0] if text else ''}",
            "run it again with --debug for the trace",
        )


def _fail_for_setting(error: Exception) -> None:
    """Name the setting that is not right, if that is what the error says."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        first = error.errors()[0]
        name = "CDP_" + "_".join(str(p) for p in first["loc"]).upper()
        _fail(f"the setting {name} is not right: {first['msg']}", "see .env.example")


def _fail(problem: str, fix: str, code: int = 1, **fields: bool) -> None:
    sys.stdout.flush()
    if os.environ.get("CDP_LOG_FORMAT") == "json":
        from cdp import log

        line = log.line(f"error: {problem}", error=problem, fix=fix, **fields)
        sys.stderr.write(line + "\n")
    else:
        sys.stderr.write(f"error: {problem}\n" + (f"  fix: {fix}\n" if fix else ""))
    sys.exit(code)


if __name__ == "__main__":
    main()
