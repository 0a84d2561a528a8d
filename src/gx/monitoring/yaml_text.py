"""YAML as people read it: long expressions on one line, texts of several lines as blocks."""

from collections.abc import Mapping

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a block, so that files inside a ConfigMap can be read."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _block)


def dump(document: Mapping[str, object]) -> str:
    """Write a document; a long text stays one line, so that it can be copied from there."""
    return yaml.dump(
        dict(document), Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True
    )
