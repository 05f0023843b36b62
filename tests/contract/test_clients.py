"""Clients generated from the OpenAPI document call every route of a running server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.client_generators import DOCUMENT, SCRIPTS, generate, generate_client
from tests.support.paths import SAMPLE

pytestmark = pytest.mark.interop  # the generator is a program in Java


def call(script: str, package: Path, server: str, image: Path) -> dict[str, object]:
    """Run a script and return the JSON that it prints.

    The script can import the generated package. Its arguments are the server, the image and a DICOM
    file.
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(script), server, str(image), str(SAMPLE)],
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    printed: dict[str, object] = json.loads(done.stdout)
    return printed


EXPECTED = {
    "alive": "alive",
    "ready": "ready",
    "model": "fake",
    "exam_threshold": 0.5,
    "layers": ["conv2d"],
    "predicted": True,
    "percentile": True,
    "filters": True,
    "explained": "ok",
    "exam": ["answered", "refused"],
    "exam_problem": "urn:mammolens:unsupported-format",
    "pictures": True,
    "dicom": [2] * 10,
    "metrics": True,
    "refused": "urn:mammolens:unknown-layer",
}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, mammogram_png: bytes) -> Path:
    path = tmp_path_factory.mktemp("image") / "breast.png"
    path.write_bytes(mammogram_png)
    return path


def test_openapi_python_client_calls_every_route(server: str, image: Path, tmp_path: Path) -> None:
    program = SCRIPTS / "openapi-python-client"
    out = tmp_path / "lens"
    generate([program, "generate", "--path", DOCUMENT, "--meta", "none", "--output-path", out])

    script = """
        import json, sys
        from io import BytesIO
        from pathlib import Path
        from lens import Client
        from lens.api.mammograms import draw_activations, explain, explain_exam, explain_picture
        from lens.api.mammograms import predict, show_activations
        from lens.api.model import describe_model, list_layers
        from lens.api.operation import check_alive, check_ready, read_metrics
        from lens.models import DrawActivationsFilesUpload, ExplainExamFilesUpload
        from lens.models import ExplainFilesUpload
        from lens.models import ExplainPictureFilesUpload, PredictFilesUpload
        from lens.models import Render, ShowActivationsFilesUpload
        from lens.types import File

        client = Client(base_url=sys.argv[1], timeout=30)
        data = Path(sys.argv[2]).read_bytes()
        file = lambda: File(payload=BytesIO(data), file_name="breast.png")
        dicom = lambda: File(payload=BytesIO(Path(sys.argv[3]).read_bytes()))

        # The generator has no type for a PNG: its bytes are the content of the response.
        heatmap = explain_picture.sync_detailed(
            client=client, body=ExplainPictureFilesUpload(file=file()), size="200"
        )
        montage = draw_activations.sync_detailed(
            client=client, layer="conv2d", body=DrawActivationsFilesUpload(file=file())
        )
        raw = [predict.sync(client=client, body=dicom()) for _ in range(10)]

        shown = show_activations.sync(
            client=client, layer="conv2d", body=ShowActivationsFilesUpload(file=file())
        )
        predicted = predict.sync(client=client, body=PredictFilesUpload(file=file()))
        explained = explain.sync(
            client=client,
            body=ExplainFilesUpload(file=file()),
            render=Render.HEATMAP,
            size="source",
            class_="cancer",
        )
        exam = explain_exam.sync(
            client=client,
            body=ExplainExamFilesUpload(file=[dicom(), File(payload=BytesIO(b"no image"))]),
        )
        refused = show_activations.sync(
            client=client, layer="none", body=ShowActivationsFilesUpload(file=file())
        )
        metrics = read_metrics.sync_detailed(client=client).content.decode()

        print(json.dumps({
            "alive": check_alive.sync(client=client).status,
            "ready": check_ready.sync(client=client).status,
            "model": describe_model.sync(client=client).model.name,
            "exam_threshold": describe_model.sync(client=client).levels.exam.threshold,
            "layers": [layer.name for layer in list_layers.sync(client=client).layers],
            "predicted": 0 <= predicted.prediction.probabilities["cancer"] <= 1,
            "percentile": 0 <= predicted.prediction.percentile <= 100,
            "filters": len(shown.filters) == shown.layer.filters,
            "explained": explained.state.value,
            "exam": [image.status for image in exam.images],
            "exam_problem": exam.images[1].problem.type_,
            "pictures": all(p.content.startswith(b"\\x89PNG") for p in (heatmap, montage)),
            "dicom": [len(answer.image.pixel_spacing_mm) for answer in raw],
            "metrics": "mammolens_requests" in metrics,
            "refused": refused.type_,
        }))
    """

    assert call(script, tmp_path, server, image) == EXPECTED


def test_openapi_generator_calls_every_route(server: str, image: Path, tmp_path: Path) -> None:
    generate_client("python", tmp_path, packageName="lens")

    script = """
        import json, sys
        from pathlib import Path
        from lens import ApiClient, ApiException, Configuration, Render
        from lens import MammogramsApi, ModelApi, OperationApi

        client = ApiClient(Configuration(host=sys.argv[1]))
        mammograms = MammogramsApi(client)
        model = ModelApi(client)
        operation = OperationApi(client)
        file = ("breast.png", Path(sys.argv[2]).read_bytes())
        dicom = ("image.dcm", Path(sys.argv[3]).read_bytes())

        heatmap = mammograms.explain_picture(file=file, size="200")
        montage = mammograms.draw_activations(layer="conv2d", file=file)
        formed = [mammograms.predict(file=dicom) for _ in range(10)]
        shown = mammograms.show_activations(layer="conv2d", file=file)
        predicted = mammograms.predict(file=file)
        explained = mammograms.explain(
            file=file, render=Render.HEATMAP, size="source", var_class="cancer"
        )
        exam = mammograms.explain_exam(file=[dicom, ("text", b"no image")])
        images = [image.actual_instance for image in exam.images]
        try:
            mammograms.show_activations(layer="none", file=file)
        except ApiException as error:
            refused = json.loads(error.body)["type"]

        print(json.dumps({
            "alive": operation.check_alive().status,
            "ready": operation.check_ready().status,
            "model": model.describe_model().model.name,
            "exam_threshold": model.describe_model().levels.exam.threshold,
            "layers": [layer.name for layer in model.list_layers().layers],
            "predicted": 0 <= predicted.prediction.probabilities["cancer"] <= 1,
            "percentile": 0 <= predicted.prediction.percentile <= 100,
            "filters": len(shown.filters) == shown.layer.filters,
            "explained": explained.state.value,
            "exam": [image.status for image in images],
            "exam_problem": images[1].problem.type,
            "pictures": all(bytes(p).startswith(b"\\x89PNG") for p in (heatmap, montage)),
            "dicom": [len(answer.image.pixel_spacing_mm) for answer in formed],
            "metrics": "mammolens_requests" in str(operation.read_metrics()),
            "refused": refused,
        }))
    """

    assert call(script, tmp_path, server, image) == EXPECTED
