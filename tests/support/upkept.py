"""The upkeep of a table that is not the project's: python -m tests.support.upkept TABLE"""

import os
import sys

from cdp.publish.publisher import Publisher
from cdp.settings import settings
from cdp.spark import connect
from cdp.upkeep.maintain import Upkeep
from cdp.upkeep.rules import Kept, Rules

RULES = Rules(
    compaction="sort",
    file_target_mb=256,
    compact_from_files=5,
    compact_from_deletes=1,
    snapshots_keep_days=5,
    snapshots_keep_last=20,
    orphans_after_hours=72,
)


def keep(table: str, rules: Rules = RULES) -> str:
    """What became of the table."""
    found = settings()
    upkeep = Upkeep([table], found, print, wait=60)
    return upkeep.keep(Kept(table, rules), connect(found), Publisher(found))


if __name__ == "__main__":
    os.environ.update(settings().environment())
    keep(sys.argv[1])
