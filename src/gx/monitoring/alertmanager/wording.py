"""The words of notifications: what is wrong, the value, and where to read on.

Each template says everything by itself, so that it can stand in a template file or in place.
Alertmanager's functions of 0.25 alone are used.
"""

from collections.abc import Mapping
from typing import Final

# An alert that is none of ours may lack them; a link without an address is refused by PagerDuty.
_RUNBOOK: Final = (
    "{{ with .CommonAnnotations.runbook_url }}{{ . }}{{ else }}{{ $.ExternalURL }}{{ end }}"
)
_DASHBOARD: Final = (
    "{{ with .CommonAnnotations.dashboard }}{{ . }}{{ else }}{{ $.ExternalURL }}{{ end }}"
)
_WHERE: Final = "{{ with .CommonLabels.namespace }} in {{ . }}{{ end }}"

TITLE: Final = "gx.title"
TEXT: Final = "gx.text"
FALLBACK: Final = "gx.fallback"
COLOR: Final = "gx.color"
SUMMARY: Final = "gx.summary"
SEVERITY: Final = "gx.pagerduty.severity"
RUNBOOK: Final = "gx.runbook"
DASHBOARD: Final = "gx.dashboard"

TEMPLATES: Final[Mapping[str, str]] = {
    TITLE: (
        '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] '
        "{{ .CommonLabels.alertname }}" + _WHERE
    ),
    TEXT: (
        "{{ range .Alerts }}*{{ .Annotations.summary }}*\n"
        "{{ .Annotations.description }}\n"
        "{{ end }}"
        "<" + _RUNBOOK + "|Runbook> · <" + _DASHBOARD + "|Dashboard> · "
        "{{ .CommonLabels.severity }}, {{ .CommonLabels.component }}"
    ),
    FALLBACK: (
        "[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }}" + _WHERE + ": "
        "{{ .CommonAnnotations.summary }} " + _RUNBOOK
    ),
    COLOR: (
        '{{ if ne .Status "firing" }}good'
        '{{ else if eq .CommonLabels.severity "critical" }}danger'
        "{{ else }}warning{{ end }}"
    ),
    SUMMARY: (
        "{{ .CommonLabels.alertname }}" + _WHERE + ": {{ .CommonAnnotations.summary }} "
        "{{ with index .Alerts 0 }}{{ .Annotations.description }}{{ end }}"
    ),
    # PagerDuty refuses an event whose severity is none of these four.
    SEVERITY: (
        '{{ if match "^(critical|error|warning|info)$" .CommonLabels.severity }}'
        "{{ .CommonLabels.severity }}{{ else }}error{{ end }}"
    ),
    RUNBOOK: _RUNBOOK,
    DASHBOARD: _DASHBOARD,
}


def use(name: str) -> str:
    """Return the text that stands for a template of the template file."""
    return f'{{{{ template "{name}" . }}}}'


def spell_out(name: str) -> str:
    """Return a template's own text, for where no template file can be."""
    return TEMPLATES[name]


def render_templates() -> str:
    """Render the template file."""
    return (
        "\n".join(
            f'{{{{ define "{name}" }}}}{text}{{{{ end }}}}' for name, text in TEMPLATES.items()
        )
        + "\n"
    )
