"""Names and values of settings: what is refused, and which line says so."""

from typing import Any

import pytest

from service.settings import Settings, SettingsRefused, unknown_variables, variable_of

FIELDS = Settings.model_fields
WRONG = "no value for anything"
PATHS_AND_TEXTS = {
    "host",
    "keys",
    "model",
    "audit_log",
    "oidc_audience",
    "tls_certificate",
    "tls_key",
}
"""Settings for which any text is a value until the file or the address is used."""


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """Return the line with which the settings are refused."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsRefused) as refused:
        Settings.read()
    line = str(refused.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - PATHS_AND_TEXTS))
def test_wrong_value_names_variable_and_not_value(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    variable = variable_of(name, FIELDS)

    line = refusal(monkeypatch, **{variable: WRONG})

    assert line.startswith(f"invalid settings: {variable}: ")
    assert WRONG not in line
    assert "Value error" not in line


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Compose sets one for `${NAME:-}`."""
    monkeypatch.delenv(variable_of(name, FIELDS), raising=False)
    expected = getattr(Settings.read(), name)

    monkeypatch.setenv(variable_of(name, FIELDS), "")

    assert getattr(Settings.read(), name) == expected


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if "int" in str(field)])
def test_huge_number_is_refused_or_kept(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A number without an upper bound is held against the memory when the service starts."""
    variable = variable_of(name, FIELDS)
    if name == "max_body_bytes":
        return

    assert variable in refusal(monkeypatch, **{variable: "9" * 21})


@pytest.mark.parametrize(
    ("variable", "advice"),
    [
        ("MAMMOLENS_MODELS", "did you mean MAMMOLENS_MODEL?"),
        ("MAMMOLENS_KEY", "did you mean MAMMOLENS_KEYS?"),
        ("MAMMOLENS_RATE", "did you mean MAMMOLENS_RATE_PER_MINUTE?"),
        ("mammolens_reader", "did you mean MAMMOLENS_READERS?"),
        ("MAMMOLENS_HOST", "did you mean HOST?"),
        ("MAMMOLENS_PORT", "did you mean PORT?"),
        ("MAMMOLENS_XYZ", "`python -m service --help` lists all settings"),
    ],
)
def test_unknown_variable_gets_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, advice: str
) -> None:
    line = refusal(monkeypatch, **{variable: "5"})

    assert line == f"invalid settings: {variable} is no setting: {advice}"


def test_all_faults_stand_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = refusal(monkeypatch, MAMMOLENS_MODELS="x", PORT="http", MAMMOLENS_READERS="0")

    for variable in ("MAMMOLENS_MODELS", "PORT", "MAMMOLENS_READERS"):
        assert variable in line


def test_variables_of_kubernetes_services_are_no_settings() -> None:
    """Kubernetes sets them in every pod beside a service named mammolens or mammolens-web."""
    environment = {
        "MAMMOLENS_SERVICE_HOST": "10.0.0.7",
        "MAMMOLENS_SERVICE_PORT": "8000",
        "MAMMOLENS_SERVICE_PORT_HTTP": "8000",
        "MAMMOLENS_PORT": "tcp://10.0.0.7:8000",
        "MAMMOLENS_PORT_8000_TCP": "tcp://10.0.0.7:8000",
        "MAMMOLENS_PORT_8000_TCP_PROTO": "tcp",
        "MAMMOLENS_PORT_8000_TCP_PORT": "8000",
        "MAMMOLENS_PORT_8000_TCP_ADDR": "10.0.0.7",
        "MAMMOLENS_WEB_SERVICE_HOST": "10.0.0.8",
        "MAMMOLENS_WEB_PORT": "tcp://10.0.0.8:80",
    }

    assert unknown_variables(environment, FIELDS) == []


def test_service_link_is_not_taken_as_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setenv("MAMMOLENS_PORT", "tcp://10.0.0.7:8000")

    assert Settings.read().port == 8000


@pytest.mark.parametrize(
    "origins",
    [
        "localhost:3000",
        "https://viewer.example/",
        "https://viewer.example/path",
        "https://user@viewer.example",
        "viewer.example",
        "https://",
        "*",
        '["https://viewer.example"]',
        "https://viewer.example;http://localhost:3000",
        "https://[",
    ],
)
def test_origin_that_never_matches_is_refused(
    monkeypatch: pytest.MonkeyPatch, origins: str
) -> None:
    line = refusal(monkeypatch, MAMMOLENS_CORS_ORIGINS=origins)

    assert line.startswith("invalid settings: MAMMOLENS_CORS_ORIGINS: ")


def test_viewer_is_served_unless_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.read().viewer

    monkeypatch.setenv("MAMMOLENS_VIEWER", "false")

    assert not Settings.read().viewer


def test_origins_of_browsers_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = "https://viewer.example, http://localhost:3000,http://[::1]:8080"
    monkeypatch.setenv("MAMMOLENS_CORS_ORIGINS", origins)

    assert Settings.read().cors_origins == origins


@pytest.mark.parametrize("issuer", ["https://", "https:///realm", "http://login.example"])
def test_issuer_needs_host_and_safe_transport(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    line = refusal(monkeypatch, MAMMOLENS_OIDC_ISSUER=issuer, MAMMOLENS_OIDC_AUDIENCE="mammolens")

    assert "MAMMOLENS_OIDC_ISSUER: the address" in line


@pytest.mark.parametrize("audience", ["", "  "])
def test_empty_audience_is_refused(monkeypatch: pytest.MonkeyPatch, audience: str) -> None:
    line = refusal(
        monkeypatch,
        MAMMOLENS_OIDC_ISSUER="https://login.example",
        MAMMOLENS_OIDC_AUDIENCE=audience,
    )

    assert "MAMMOLENS_OIDC_AUDIENCE" in line


def test_short_audit_key_is_told_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"MAMMOLENS_AUDIT_LOG": "a", "MAMMOLENS_AUDIT_KEY": "secretsecret"}

    line = refusal(monkeypatch, **settings)

    assert line == "invalid settings: MAMMOLENS_AUDIT_KEY: the key needs at least 32 characters"


@pytest.mark.parametrize(
    ("upload", "body", "exam"),
    [(100, 1000, 200), (100, 300, 150), (100, 100, 100)],
    ids=["two files", "half of all bodies", "one file"],
)
def test_unset_exam_size_follows_other_bounds(upload: int, body: int, exam: int) -> None:
    settings = Settings(max_upload_bytes=upload, max_body_bytes=body)

    assert settings.exam_bytes == exam


@pytest.mark.parametrize(("exam", "named"), [("99", "MAX_UPLOAD_BYTES"), ("301", "MAX_BODY_BYTES")])
def test_exam_size_outside_other_bounds_is_refused(
    monkeypatch: pytest.MonkeyPatch, exam: str, named: str
) -> None:
    line = refusal(
        monkeypatch,
        MAMMOLENS_MAX_UPLOAD_BYTES="100",
        MAMMOLENS_MAX_BODY_BYTES="300",
        MAMMOLENS_MAX_EXAM_BYTES=exam,
    )

    assert "MAMMOLENS_MAX_EXAM_BYTES" in line
    assert f"MAMMOLENS_{named}" in line
