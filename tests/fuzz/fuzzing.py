"""Attacks a running API with schemathesis, as one of its callers."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.end_to_end.loop import Loop

ROOT: Final = Path(__file__).parents[2]
CONFIGURATION: Final = Path(__file__).with_name("schemathesis.toml")
ALL_PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
USER: Final = "alice"


@dataclass(frozen=True, kw_only=True)
class Attacker:
    """Somebody with a token of this role; without a role, somebody without a token."""

    name: str
    role: str | None = None
    subject: str = USER
    for_whom: str | None = None

    async def headers(self, loop: Loop) -> Sequence[str]:
        """Have a token made, and say what each request bears."""
        if self.role is None:
            return ()
        delegation = ("--act-for", "*") if self.for_whom else ()
        token = await loop.token(self.role, self.subject, *delegation)
        headers = [f"Authorization: Bearer {token}"]
        return [*headers, f"X-On-Behalf-Of: {self.for_whom}"] if self.for_whom else headers


NOBODY: Final = Attacker(name="without a token")
ATTACKERS: Final = (
    NOBODY,
    Attacker(name="as a user", role="user"),
    Attacker(name="as a partner for a user", role="partner", subject="shop", for_whom=USER),
    Attacker(name="as an admin", role="admin", subject="ops"),
    # Last, because it may pause the system.
    Attacker(name="as a super admin", role="super_admin", subject="root"),
)


@dataclass(frozen=True, kw_only=True)
class Assault:
    """How long and with what: test cases an operation, phases, and the seed of chance."""

    examples: int
    phases: Sequence[str] = ALL_PHASES
    seed: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What schemathesis said; `is_clean` if it found nothing."""

    is_clean: bool
    text: str


async def attack(loop: Loop, attacker: Attacker, assault: Assault) -> Report:
    """Attack the API once, and wait for the report."""
    given = [option for header in await attacker.headers(loop) for option in ("-H", header)]
    seed = () if assault.seed is None else ("--seed", str(assault.seed))
    with tempfile.TemporaryDirectory(prefix="gx-fuzz-") as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
            *("run", f"{loop.url.removesuffix('/api/v1')}/openapi.json", "--no-color"),
            *("--max-examples", str(assault.examples), "--phases", ",".join(assault.phases)),
            *given,
            *seed,
            cwd=folder,
            env=_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    return Report(is_clean=process.returncode == 0, text=output.decode(errors="replace"))


def _environment() -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
    }
