"""The pages for browsers, and the files that they load."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from docs.viewers import PAGES, RECORD, VIEWERS, digest_of
from service import __version__
from service.api.app import create_app
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.paths import SAMPLE_FOLDER

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
VIEWER = PAGES / "viewer"
VIEWER_SCRIPTS = sorted(VIEWER.glob("*.js"))
VIEWER_PATHS = ["/viewer", "/viewer/model"]
PATHS = ["/", "/docs", "/redoc", *VIEWER_PATHS]
STORAGE = (
    r"localStorage|sessionStorage|indexedDB|document\.cookie|\bcaches\b|pushState|replaceState"
)
INLINE = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\s*="


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Client without a key of a ready service that asks for one."""
    keys = tmp_path_factory.mktemp("keys") / "keys.toml"
    keys.touch()
    with TestClient(create_app(Settings(model=FAKE, keys=keys))) as client:
        until_ready(client)
        yield client


def load(client: TestClient, path: str) -> Response:
    return client.get(path, headers=BROWSER)


def policy_of(answer: Response) -> dict[str, list[str]]:
    """Return the sources of each directive of the Content Security Policy."""
    directives = answer.headers["content-security-policy"].split(";")
    return {name: sources for name, *sources in map(str.split, directives)}


def loaded(html: str) -> list[str]:
    """Return the files that a page names, without the steps up to the root."""
    pattern = r'<(?:script(?: type="module")? src|img src|link rel="\w+" href)="(?:\.\./)*([^"]+)"'
    return re.findall(pattern, html)


@pytest.mark.parametrize("path", PATHS)
def test_pages_load_only_served_files(client: TestClient, path: str) -> None:
    answer = load(client, path)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    files = loaded(answer.text)
    assert len(files) >= 2
    for file in files:
        served = client.get(f"/{file}")
        assert served.status_code == 200, file
        assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert served.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PATHS)
def test_pages_allow_no_host_and_no_inline_script(client: TestClient, path: str) -> None:
    answer = load(client, path)

    policy = policy_of(answer)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert set(policy.get("script-src", [])) <= {"'self'"}
    sources = {source for allowed in policy.values() for source in allowed}
    assert sources <= {"'none'", "'self'", "'unsafe-inline'", "data:", "blob:"}
    assert not re.search(r"<script>|<style>|\son\w+=|https?://", answer.text)
    assert answer.headers["cache-control"] == "no-store"


def test_documentation_may_show_a_picture_it_received(client: TestClient) -> None:
    assert "blob:" in policy_of(load(client, "/docs"))["img-src"]


def test_front_page_has_no_script(client: TestClient) -> None:
    answer = load(client, "/")

    assert "<script" not in answer.text
    assert "script-src" not in policy_of(answer)
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]


def test_front_page_names_the_served_model(client: TestClient) -> None:
    page = load(client, "/").text

    assert "Not a medical device." in page
    assert f"Version {__version__}" in page
    assert "Model <strong>fake</strong>, version 1." in page


def test_front_page_links_lead_to_answers(client: TestClient) -> None:
    links = re.findall(r'<a href="([^"]+)"', load(client, "/").text)

    answers = {link: client.get(f"/{link}").status_code for link in links}

    described = {
        "viewer",
        "docs",
        "redoc",
        "openapi.json",
        "model",
        "model/scorecard",
        "livez",
        "readyz",
    }
    assert answers == dict.fromkeys(described, 200)


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html;q=0.5, */*"])
def test_programs_get_the_front_page_as_json(client: TestClient, accept: str) -> None:
    answer = client.get("/", headers={"accept": accept}).json()

    assert (answer["name"], answer["version"]) == ("mammolens", __version__)
    assert answer["state"] == "ready"
    assert answer["model"]["name"] == "fake"
    assert answer["links"]["documentation"] == "/docs"
    assert answer["links"]["viewer"] == "/viewer"
    assert answer["notice"].startswith("Not a medical device.")


def test_unsupported_type_of_front_page_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"accept": "image/png"}).status_code == 406


def test_front_page_tells_anonymous_callers_no_model(guarded: TestClient) -> None:
    page = load(guarded, "/").text
    facts = guarded.get("/").json()

    assert 'class="state ready"' in page
    assert "Callers need a key or a token" in page
    assert "fake" not in page
    assert facts["state"] == "ready"
    assert facts["model"] is None


def test_front_page_is_shown_before_the_model() -> None:
    client = TestClient(create_app(Settings(model=FAKE)))  # without its lifespan nothing is loaded

    page = load(client, "/").text

    assert 'class="state not-ready"' in page
    assert "The model is still being loaded and checked." in page
    assert client.get("/").json()["model"] is None


@pytest.mark.parametrize("path", [*PATHS, "/favicon.ico"])
def test_pages_answer_head_requests(client: TestClient, path: str) -> None:
    assert client.head(path, headers=BROWSER).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/assets/viewers.json",
        "/assets/0000000000000000/docs.js",
        "/assets/../settings.py",
        "/assets/%2e%2e/%2e%2e/settings.py",
        "/assets/docs.js",
    ],
)
def test_other_files_are_not_served(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:mammolens:not-found"


def test_icon_is_served_where_browsers_ask(client: TestClient) -> None:
    answer = client.get("/favicon.ico")

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.content == (PAGES / "favicon.svg").read_bytes()


@pytest.mark.parametrize("folder", [viewer.folder for viewer in VIEWERS])
def test_viewers_are_the_recorded_ones_with_licences(folder: str) -> None:
    record = json.loads(RECORD.read_text("utf-8"))[folder]

    files = {path.name: digest_of(path) for path in (PAGES / folder).iterdir()}

    assert record["files"] == files
    assert "LICENSE" in files
    assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", record["integrity"])


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.js")), ids=lambda path: path.name)
def test_scripts_load_nothing_from_another_host(path: Path) -> None:
    text = path.read_text("utf-8")

    assert not re.search(r"//cdn\.|//fonts\.|//otel\.", text)


@pytest.fixture(scope="module")
def without_viewer() -> Iterator[TestClient]:
    """Client of a service whose viewer is turned off."""
    with TestClient(create_app(Settings(model=FAKE, viewer=False))) as client:
        until_ready(client)
        yield client


@pytest.mark.parametrize("path", [*VIEWER_PATHS, "/viewer/sample/L-CC.dcm"])
def test_viewer_can_be_turned_off(without_viewer: TestClient, path: str) -> None:
    front = without_viewer.get("/").json()

    assert without_viewer.get(path).status_code == 404
    assert "viewer" not in front["links"]
    assert "viewer" not in load(without_viewer, "/").text


@pytest.mark.parametrize("path", VIEWER_PATHS)
def test_viewer_runs_own_scripts_and_calls_this_service_alone(
    client: TestClient, path: str
) -> None:
    policy = policy_of(load(client, path))

    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "blob:"]
    assert policy["form-action"] == ["'none'"]


@pytest.mark.parametrize("path", VIEWER_PATHS)
def test_viewer_is_open_as_the_documentation_is(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 200
    assert guarded.get("/viewer/sample/L-CC.dcm").status_code == 200


@pytest.mark.parametrize("name", ["L-CC.dcm", "L-MLO.dcm", "R-CC.dcm", "R-MLO.dcm"])
def test_sample_exam_is_served(client: TestClient, name: str) -> None:
    answer = client.get(f"/viewer/sample/{name}")

    assert answer.headers["content-type"] == "application/dicom"
    assert answer.content == (SAMPLE_FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", ["secret.dcm", "..%2fsample.dcm"])
def test_sample_serves_no_other_file(client: TestClient, name: str) -> None:
    assert client.get(f"/viewer/sample/{name}").status_code in {404, 422}


def test_modules_of_the_viewer_import_served_files(client: TestClient) -> None:
    script = next(file for file in loaded(load(client, "/viewer").text) if file.endswith(".js"))
    folder = script.rpartition("/")[0]
    texts = [path.read_text("utf-8") for path in VIEWER_SCRIPTS]
    names = {name for text in texts for name in re.findall(r"from \"\./([^\"]+)\"", text)}

    missing = {name for name in names if client.get(f"/{folder}/{name}").status_code != 200}

    assert {"store.js", "view.js", "panel.js"} <= names
    assert not missing


@pytest.mark.parametrize("path", VIEWER_SCRIPTS, ids=lambda path: path.name)
def test_viewer_stores_nothing_and_writes_no_markup(path: Path) -> None:
    text = path.read_text("utf-8")

    assert not re.search(STORAGE, text)
    assert not re.search(INLINE, text)


@pytest.mark.parametrize("path", sorted(VIEWER.glob("*.html")), ids=lambda path: path.name)
def test_viewer_has_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text("utf-8")

    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=", text)


def test_viewer_loads_less_than_100_kilobytes(client: TestClient) -> None:
    digest = loaded(load(client, "/viewer").text)[-1].split("/")[1]
    files = [path for path in VIEWER.iterdir() if path.suffix != ".html"]

    answers = [client.get(f"/assets/{digest}/{path.name}") for path in files]

    pages = sum(len(load(client, path).content) for path in VIEWER_PATHS)
    sent = sum(int(answer.headers["content-length"]) for answer in answers)
    assert {answer.headers["content-encoding"] for answer in answers} == {"gzip"}
    assert pages + sent < 100_000


def test_page_files_come_plain_to_clients_without_gzip(client: TestClient) -> None:
    script = loaded(load(client, "/docs").text)[-1]

    plain = client.get(f"/{script}", headers={"accept-encoding": "identity"})
    packed = client.get(f"/{script}", headers={"accept-encoding": "br, gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content == (PAGES / Path(script).name).read_bytes()
    assert "Accept-Encoding" in plain.headers["vary"]
    assert "Accept-Encoding" in packed.headers["vary"]
