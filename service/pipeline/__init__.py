"""The pipeline: bytes -> decode -> fit -> model -> explanation -> picture.

Start reading at `service/pipeline/steps.py`.
"""

from service.pipeline.archive import (
    THUMBNAIL_EDGE,
    ArchiveOrder,
    ArchiveSource,
    archive_sources,
    build_objects,
    draw_summary_png,
)
from service.pipeline.archive_choice import choose_parts, require_parts
from service.pipeline.counted_images import AnsweredImage, count_images
from service.pipeline.drawing import (
    draw_filters,
    draw_heatmap,
    draw_montage,
    draw_overlay_samples,
    draw_thumbnail,
    picture_edge,
)
from service.pipeline.exam import (
    Exam,
    ExamQuestion,
    ExplainedImage,
    RunAll,
    explain_alone,
    explain_exam,
    run_in_turn,
)
from service.pipeline.exam_decisions import (
    CountedImage,
    decide_breasts,
    decide_exam,
    decide_image,
    decision_warnings,
)
from service.pipeline.exam_files import ExamFile, SampleOrder, SourceReader
from service.pipeline.exam_results import exam_results, image_results
from service.pipeline.model_facts import model_warnings
from service.pipeline.packed_heat import PackedHeat, pack_heat
from service.pipeline.passes import count_passes
from service.pipeline.selftest import golden_case, replay, warm
from service.pipeline.steps import (
    Activations,
    Explanation,
    ImagePrediction,
    Question,
    check_question,
    explain,
    predict,
    show_activations,
)

__all__ = [
    "THUMBNAIL_EDGE",
    "Activations",
    "AnsweredImage",
    "ArchiveOrder",
    "ArchiveSource",
    "CountedImage",
    "Exam",
    "ExamFile",
    "ExamQuestion",
    "ExplainedImage",
    "Explanation",
    "ImagePrediction",
    "PackedHeat",
    "Question",
    "RunAll",
    "SampleOrder",
    "SourceReader",
    "archive_sources",
    "build_objects",
    "check_question",
    "choose_parts",
    "count_images",
    "count_passes",
    "decide_breasts",
    "decide_exam",
    "decide_image",
    "decision_warnings",
    "draw_filters",
    "draw_heatmap",
    "draw_montage",
    "draw_overlay_samples",
    "draw_summary_png",
    "draw_thumbnail",
    "exam_results",
    "explain",
    "explain_alone",
    "explain_exam",
    "golden_case",
    "image_results",
    "model_warnings",
    "pack_heat",
    "picture_edge",
    "predict",
    "replay",
    "require_parts",
    "run_in_turn",
    "show_activations",
    "warm",
]
