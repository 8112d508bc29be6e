"""Branches, tags and main of all tables of a run: begun, published, rolled back, discarded.

Each of these is done with the lease held. The rules, for people: docs/publish.md.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from cdp import lake
from cdp.catalog import Catalog, Change, MovedError, State
from cdp.errors import CdpError
from cdp.publish import journal
from cdp.publish.journal import Journal, Move, Run
from cdp.publish.keep import keep_state
from cdp.publish.patience import patiently
from cdp.settings import Settings

MAIN = "main"
DAY_MS = 86_400_000
STAMP = "%Y%m%d_%H%M%S"
AT_ONCE = 8
ATTEMPTS = 5
States = dict[str, State]


def new_id(kind: str = "run") -> str:
    """The id of a run, and the name of its branches: its moment in UTC and six hex digits.

    In lower case: Iceberg asks catalogs for a table by a branch's name, and not all take others.
    """
    return f"{kind}_{datetime.now(UTC).strftime(STAMP)}_{secrets.token_hex(3)}"


def tag(number: int) -> str:
    """The name of the tag that a publish leaves on each table."""
    return f"publish_{number:06d}"


class Publisher:
    """What a run does to branches, tags and main.

    Raises CdpError when the catalog or the store stays away, or when a run is refused.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalog = Catalog(settings)
        self.journal = patiently(lambda: Journal(settings))

    def run(self, run_id: str) -> Run:
        """A run by its id. Raises CdpError when there is none such."""
        run = self.journal.run(run_id)
        if run is None:
            raise CdpError(f"there is no run {run_id}", "cdp runs lists them")
        return run

    def begin(self, run_id: str, tables: Sequence[str]) -> list[Move]:
        """Give each table that is there a branch of the run, and drop branches that are too old.

        tables: all of the project, `namespace.name`, those that are not there yet too.
        """
        for state in self._load(tables).values():
            if state.head() is None:
                self._give_a_snapshot(state.name)
        states = self._load(tables)
        heads = {name: state.head() for name, state in states.items()}
        begun = [Move(name, heads.get(name), None) for name in tables]
        # Recorded before it is done, so that what a crash leaves can be found and discarded.
        self.journal.write(run_id, "begun", begun)
        for _ in range(ATTEMPTS):
            changes = [
                Change(
                    state,
                    expect={MAIN: head, run_id: None},
                    point={run_id: ("branch", head, self._settings.run_keep_days * DAY_MS)},
                    remove=self._outlived(state),
                )
                for state in states.values()
                if run_id not in state.refs and (head := state.head()) is not None
            ]
            if not changes:
                return begun
            try:
                self._commit(changes)
            except MovedError:
                # Another client writes to main, or the answer to a commit was lost.
                states = self._load(tables)
            else:
                return begun
        raise CdpError("tables are written to all the time", "find who writes to them; cdp build")

    def _give_a_snapshot(self, table: str) -> None:
        patiently(lambda: lake.give_a_snapshot(table, self._settings))

    def _outlived(self, state: State) -> tuple[str, ...]:
        """Branches of runs that are older than they are kept."""
        oldest = datetime.now(UTC) - timedelta(days=self._settings.run_keep_days)
        return tuple(
            ref
            for ref in state.refs
            if (found := re.fullmatch(r"run_(\d{8}_\d{6})_[0-9a-f]{6}", ref))
            and datetime.strptime(found[1], STAMP).replace(tzinfo=UTC) < oldest
        )

    def moves(self, run: Run) -> list[Move]:
        """For each table of a run the snapshot that it began at and the one that it came to.

        Raises CdpError when branches of the run are no longer there.
        """
        states = self._load([m.table for m in run.begun])
        found = []
        for begun in run.begun:
            state = states.get(begun.table)
            head = state.head(run.run_id) if state else None
            if begun.old is not None and head is None:
                raise CdpError(f"{begun.table} has no branch of {run.run_id} any more", "cdp build")
            found.append(Move(begun.table, begun.old, head))
        return found

    def publish(self, run: Run) -> tuple[int, list[Move]]:
        """Move main of every table of the run to where its branch is; the number of the publish and
        the tables that changed. 0 when none did.

        Raises CdpError when main of one has moved since the run began: nothing is published then.
        """
        moves = [m for m in self.moves(run) if m.new is not None]
        changed = [m for m in moves if m.old != m.new]
        if changed:
            return self._move(run.run_id, moves), changed
        self._remove(run.run_id, [m.table for m in moves])
        self.journal.write(run.run_id, "discarded", detail="nothing had changed")
        return 0, []

    def rollback(self, to: int | None) -> tuple[int, int, list[Move]]:
        """Move main of every table back to where a publish left it: a publish of its own.

        to: the number of that publish; the one before the last by default.
        Returns its own number, the one it went back to, and the tables that changed.
        """
        published = [r for r in self.journal.runs() if r.state == "published" and r.publish]
        numbers = sorted(r.publish or 0 for r in published)
        if to is None and len(numbers) < 2:
            raise CdpError("there is no publish to go back to", "cdp runs")
        number = numbers[-2] if to is None else to
        if number not in numbers:
            raise CdpError(
                f"there is no publish {number}",
                f"choose one of: {', '.join(map(str, numbers)) or 'none yet'}",
            )
        states = self._load(sorted({m.table for r in published for m in r.intended}))
        moves = [
            Move(name, state.head(), head)
            for name, state in states.items()
            if (head := state.head(tag(number))) is not None
        ]
        if not moves:
            raise CdpError(f"publish {number} is no longer kept", "choose a later one of cdp runs")
        changed = [m for m in moves if m.old != m.new]
        if not changed:
            raise CdpError(f"every table is as publish {number} left it", "cdp runs")
        run_id = new_id("rollback")
        self.journal.write(run_id, "begun", moves, detail=f"back to publish {number}")
        return self._move(run_id, moves), number, changed

    def discard(self, run: Run) -> None:
        """Remove the branches of a run, and tables that nothing was ever published to."""
        if run.state == "published":
            raise CdpError(
                f"{run.run_id} is published", f"cdp rollback undoes publish {run.publish}"
            )
        self._remove(run.run_id, [m.table for m in run.begun])
        self.journal.write(run.run_id, "discarded")

    def recover(self, say: Callable[[str], None]) -> None:
        """Bring publishes to their end that were interrupted: completed, or taken back when
        another client has written to main of a table since."""
        for run in self.journal.runs():
            if run.state == "intended":
                what, is_published = self._settle(run)
                say(f"publish {run.publish} of {run.run_id} was interrupted: {what}")
                if is_published:
                    keep_state(run, run.publish or 0, run.intended, self._settings, say)

    def _settle(self, run: Run) -> tuple[str, bool]:
        """What became of it, and whether it is published."""
        number = run.publish or 0
        states = self._load([m.table for m in run.intended])
        if strangers := _moved(run.intended, states, number):
            self._take_back(run.run_id, number, run.intended, states)
            why = f"interrupted, and {', '.join(strangers)} was written to since"
            self.journal.write(run.run_id, "refused", publish=number, detail=why)
            return f"it is taken back, since {', '.join(strangers)} was written to", False
        self._advance(run.run_id, number, run.intended, states)
        self.journal.write(run.run_id, "published", publish=number, detail="after a crash")
        return "it is completed", True

    def _move(self, run_id: str, moves: Sequence[Move]) -> int:
        """Intent, commit, outcome. The number of the publish."""
        states = self._load([m.table for m in moves])
        if moved := _moved(moves, states):
            raise self._refused(run_id, moved)
        number = journal.last_publish(self.journal.runs()) + 1
        self.journal.write(run_id, "intended", moves, publish=number)
        try:
            self._advance(run_id, number, moves, states)
        except MovedError as error:
            states = self._load([m.table for m in moves])
            # Nobody was faster: it was done, and the answer was lost.
            if any(states[m.table].head(tag(number)) != m.new for m in moves):
                self._take_back(run_id, number, moves, states)
                moved = _moved(moves, states, number)
                raise self._refused(run_id, moved, number) from error
        self.journal.write(run_id, "published", publish=number)
        return number

    def _refused(self, run_id: str, moved: Sequence[str], number: int | None = None) -> CdpError:
        why = f"{', '.join(moved) or 'a table'} was written to since it began"
        self.journal.write(run_id, "refused", publish=number, detail=why)
        return CdpError(
            f"{run_id} is not published: {why}", f"cdp discard {run_id}, then cdp build"
        )

    def _advance(self, run_id: str, number: int, moves: Iterable[Move], states: States) -> None:
        """main, tag and branch of each table that has not moved yet, in one request where the
        catalog has that. Raises MovedError when main of one is no longer where it was."""
        keep = self._settings.publish_keep_days * DAY_MS
        self._commit(
            [
                Change(
                    states[m.table],
                    expect={MAIN: m.old},
                    point={MAIN: ("branch", m.new, 0), tag(number): ("tag", m.new, keep)},
                    remove=(run_id,) if run_id in states[m.table].refs else (),
                )
                for m in moves
                if m.new is not None and states[m.table].head(tag(number)) != m.new
            ]
        )

    def _take_back(self, run_id: str, number: int, moves: Iterable[Move], states: States) -> None:
        """Undo what a publish did to tables that nobody has written to after it."""
        changes = []
        for move in moves:
            state = states.get(move.table)
            if state is None or move.new is None:
                continue
            if not state.head(tag(number)) == move.new == state.head():
                continue
            point = {run_id: ("branch", move.new, self._settings.run_keep_days * DAY_MS)}
            remove: tuple[str, ...] = (tag(number),)
            if move.old is None:
                remove += (MAIN,)
            else:
                point[MAIN] = ("branch", move.old, 0)
            changes.append(Change(state, {MAIN: move.new}, point, remove))
        self._commit(changes)

    def _remove(self, run_id: str, tables: Sequence[str]) -> None:
        having = [s for s in self._load(tables).values() if run_id in s.refs]
        unpublished = [s for s in having if set(s.refs) == {run_id}]
        self._commit([Change(s, remove=(run_id,)) for s in having if s not in unpublished])
        for state in unpublished:
            self._drop(state.name)

    def _drop(self, table: str) -> None:
        patiently(lambda: self._catalog.drop(table))

    def _load(self, tables: Sequence[str]) -> States:
        """Those that are there, by name."""

        def load() -> States:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found = filter(None, pool.map(self._catalog.load, tables))
                return {state.name: state for state in found}

        return patiently(load)

    def _commit(self, changes: Sequence[Change]) -> None:
        patiently(lambda: self._catalog.commit(changes))


def _moved(moves: Iterable[Move], states: States, number: int = 0) -> list[str]:
    """Tables whose main is not where it was, unless this publish has moved it."""
    return [
        m.table
        for m in moves
        if m.table not in states
        or (
            states[m.table].head() != m.old
            and not (number and states[m.table].head(tag(number)) == m.new)
        )
    ]
