"""Finding and building Fabric's programs, with small programs in their place."""

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gx.cli.main import app
from gx.fabric.building import (
    MODULE,
    SOURCES,
    BuildFailedError,
    GoMissingError,
    ModuleRefusedError,
    install_binaries,
    require_go,
)
from gx.fabric.release import (
    RELEASE,
    FabricMissingError,
    Program,
    bin_folder,
    find_binaries,
    refusal_path,
)

REFUSAL = "go: example@1: invalid version: reading the proxy: 403 Forbidden"


@pytest.fixture(autouse=True)
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a Fabric that this machine may have."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def write_program(path: Path, script: str) -> Path:
    """Make an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def write_release(folder: Path, version: str) -> None:
    """Make five programs that say they are this release."""
    for program in Program:
        write_program(folder / program, f"echo 'peer:'; echo ' Version: {version}'")


def write_go(folder: Path, *, version: str = "go1.26.8", install: str) -> str:
    """Make a Go that knows its version, and does this when asked to install."""
    script = f'if [ "$1" = version ]; then echo go version {version} linux/amd64; exit; fi'
    return str(write_program(folder / "go", f"{script}\n{install}"))


INSTALLS = f"""echo 'go: downloading example v1'
for name in {" ".join(Program)}; do
  printf '#!/bin/sh\\necho " Version: latest"\\n' > "$GOBIN/$name"; chmod 755 "$GOBIN/$name"
done"""


def test_programs_on_the_path_go_before_the_cache(tmp_path: Path) -> None:
    """Who has Fabric installed runs that one."""
    write_release(tmp_path / "path", "v3.1.5")
    write_release(bin_folder(tmp_path), "v3.0.0")

    found = find_binaries(tmp_path, search_path=str(tmp_path / "path"))

    assert found.version == "3.1.5"
    assert found[Program.ORDERER] == str(tmp_path / "path" / "orderer")


def test_a_release_too_old_is_passed_over(tmp_path: Path) -> None:
    """Release 2 does not know this channel's capabilities; a newer one in the cache does."""
    write_release(tmp_path / "path", "v2.5.9")
    write_release(bin_folder(tmp_path), "v3.1.5")

    assert find_binaries(tmp_path, search_path=str(tmp_path / "path")).version == "3.1.5"


def test_what_is_missing_is_named_with_the_remedy(tmp_path: Path) -> None:
    """Without programs the error says which, where they were looked for, and what to type."""
    write_release(tmp_path / "path", "v3.1.5")
    (tmp_path / "path" / "osnadmin").unlink()

    with pytest.raises(FabricMissingError, match=r"PATH lacks osnadmin.*`make fabric`"):
        find_binaries(tmp_path, search_path=str(tmp_path / "path"))


def test_a_program_of_another_kind_is_not_taken_for_fabric(tmp_path: Path) -> None:
    """There are other programs called `peer`."""
    write_release(tmp_path, "v3.1.5")
    write_program(tmp_path / "peer", "echo hello")

    with pytest.raises(FabricMissingError, match="is not Fabric's `peer`"):
        find_binaries(tmp_path / "cache", search_path=str(tmp_path))


def test_the_release_is_what_is_asked_for_first(tmp_path: Path) -> None:
    """All five programs come from one commit, and say which release they are."""
    command = SOURCES[0].command("go", tmp_path)
    packages = [part for part in command if "/cmd/" in part]

    assert SOURCES[0].version == RELEASE
    assert [part.rpartition("@")[2] for part in packages] == [SOURCES[0].commit] * len(Program)
    assert f"metadata.Version=v{RELEASE}" in " ".join(command)


def test_what_replaces_the_release_is_pinned_with_all_that_it_needs() -> None:
    """The module file names the commit that the source says, and the checksums are there."""
    source = SOURCES[1]
    assert source.folder is not None

    assert re.search(
        rf"hyperledger/fabric v\S+-{source.commit}$",
        (source.folder / "go.mod").read_text(),
        re.MULTILINE,
    )
    assert f"-{source.commit} h1:" in (source.folder / "go.sum").read_text()
    for program in Program:
        assert f'_ "{MODULE}/cmd/{program}"' in (source.folder / "programs.go").read_text()


def test_a_refused_release_is_replaced_by_what_the_proxy_has(tmp_path: Path) -> None:
    """The refusal is told in the proxy's words, and the next source is built."""
    lines: list[str] = []
    install = f'if [ "$1" = install ]; then echo "{REFUSAL}" >&2; exit 1; fi\n{INSTALLS}'
    go = write_go(tmp_path, install=install)

    install_binaries(tmp_path / "c", environment={"PATH": os.defpath}, report=lines.append, go=go)

    assert any(REFUSAL in line for line in lines)
    assert lines[-1].startswith(f"Fabric {SOURCES[1].version} is in ")
    assert not refusal_path(tmp_path / "c").exists()


def test_a_build_is_kept_and_not_repeated(tmp_path: Path) -> None:
    """The second call finds what the first one built, without Go."""
    lines: list[str] = []
    go = write_go(tmp_path / "go", install=INSTALLS)
    environment = {"PATH": os.defpath}

    built = install_binaries(tmp_path / "c", environment=environment, report=lines.append, go=go)
    again = install_binaries(
        tmp_path / "c", environment=environment, report=lines.append, go="/nowhere/go"
    )

    assert built == again
    assert built.version == "built without a version"
    assert lines.count("go: downloading example v1") == 1


def test_a_refusing_proxy_is_remembered_with_its_words(tmp_path: Path) -> None:
    """A refusal is told apart from a failed build, and its text is kept for the tests."""
    go = write_go(tmp_path, install=f"echo '{REFUSAL}' >&2; exit 1")

    with pytest.raises(ModuleRefusedError, match="403 Forbidden"):
        install_binaries(tmp_path / "c", environment={}, report=lambda _: None, go=go)

    told = "".join(f"{source.version}: {REFUSAL}\n" for source in SOURCES)
    assert refusal_path(tmp_path / "c").read_text() == told
    assert not bin_folder(tmp_path / "c").exists()


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    """A compiler's error is no refusal, and half a set of programs is none."""
    go = write_go(tmp_path, install='touch "$GOBIN/peer"; echo "peer.go:1: broken"; exit 1')

    with pytest.raises(BuildFailedError, match=r"peer\.go:1: broken"):
        install_binaries(tmp_path / "c", environment={}, report=lambda _: None, go=go)

    assert not refusal_path(tmp_path / "c").exists()
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["lock"]


def test_a_go_that_is_too_old_is_named_before_it_fails(tmp_path: Path) -> None:
    """Fabric's release needs a Go of its time."""
    with pytest.raises(GoMissingError, match=r"is Go 1\.19; .* needs 1\.26"):
        require_go(write_go(tmp_path, version="go1.19.8", install=""))


@pytest.mark.parametrize(("options", "status"), [((), 1), (("--optional",), 0)])
def test_a_refusal_fails_the_command_unless_it_is_optional(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], status: int
) -> None:
    """`make fabric` must fail where it cannot do its work; `make test` goes on and says so."""
    write_go(tmp_path / "empty", install=f"echo '{REFUSAL}' >&2; exit 1")
    monkeypatch.setenv("GX_FABRIC_NETWORK_CACHE_DIR", str(tmp_path / "cache"))

    result = CliRunner().invoke(app, ["fabric", "install", *options], prog_name="gx")

    assert result.exit_code == status
    assert "403 Forbidden" in result.stderr
