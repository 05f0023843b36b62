"""Query options of routes that answer with objects for archives."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from service.api.options import ImageOptions, QuestionOptions
from service.records import ObjectName, PixelSyntax

_NAME = f"({'|'.join(ObjectName)})"
ObjectNames = Annotated[str, Field(pattern=f"^{_NAME}(,{_NAME})*$")]


class ObjectOptions(QuestionOptions):
    """Options of every such route: the question, and how its answer becomes objects."""

    negatives: bool = Field(
        default=False,
        description="Make `sc`, `seg` and `marks` of images decided negative as well, labelled as "
        "such. Their heat is no finding.",
    )
    sc_syntax: PixelSyntax = Field(
        default=PixelSyntax.RAW,
        description="Encoding of the pixels of `sc`. `jpeg` loses detail, the others do not.",
    )


class ImageObjectOptions(ImageOptions, ObjectOptions):
    """Options of /gradcam/{object}.dcm."""


class ExamObjectOptions(ObjectOptions):
    """Options of /exam/dicom: also which objects are made."""

    objects: ObjectNames = Field(
        default=",".join(ObjectName),
        description="Comma-separated objects. Those that the exam does not have are left out.",
        examples=["summary,report"],
    )

    def wanted(self) -> tuple[ObjectName, ...]:
        """Return the objects that are asked for."""
        return tuple(map(ObjectName, self.objects.split(",")))


ImageObjectQuery = Annotated[ImageObjectOptions, Query()]
ExamObjectQuery = Annotated[ExamObjectOptions, Query()]
