"""Every planted bug by name: what a process does before it begins, to have it.

Each is one that a release could have. None needs a switch in the product. Which fault brings it
out, and what the judge must say then, stands in `tests.chaos.planted.catalogue`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tests.chaos.bugs import effects, ledger, outbox, projection

BUGS: Final[Mapping[str, Callable[[], None]]] = {
    "no-fence": outbox.no_fence,
    "late-envelope": outbox.late_envelope,
    "silence-is-no": outbox.silence_is_no,
    "written-once": outbox.written_once,
    "cursor-of-ids": outbox.cursor_of_ids,
    "counted-notifications": outbox.counted_notifications,
    "buried-together": outbox.buried_together,
    "early-answer": outbox.early_answer,
    "checkpoint-apart": projection.checkpoint_apart,
    "gap-unseen": projection.gap_unseen,
    "stream-not-reopened": projection.stream_not_reopened,
    "no-idempotency-record": ledger.no_idempotency_record,
    "unchecked-hashes": ledger.unchecked_hashes,
    "unchecked-end": ledger.unchecked_end,
    "skips-when-slow": ledger.skips_when_slow,
    "no-effect": effects.no_effect,
    "one-unit": effects.one_unit,
    "refuses-all": effects.refuses_all,
    "stale-amount": effects.stale_amount,
    "swapped-ids": effects.swapped_ids,
}
