"""Schema of the section [network]: the CNN, or a backbone with a new head."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from training.table_config import Section, Share


class Network(Section):
    """Size of the CNN, whose structure is in `training.networks.cnn`."""

    kind: Literal["cnn"] = Field(default="cnn", description="three convolutions; the default")
    filters: tuple[int, int, int] = Field(description="filters of conv2d, conv2d_1 and conv2d_2")
    kernel_size: int = Field(ge=1, description="edge of their kernels, in cells")
    pool_size: int = Field(
        ge=1, description="edge and stride of the max-pooling after each convolution"
    )
    dropout: Share = Field(description="share of values dropped after each dense layer")
    pooling: Literal["flatten", "average", "max"] = Field(
        description="how the last maps become a vector for the dense layers"
    )
    dense: tuple[int, ...] = Field(description="units of the dense layers before the output")


class Backbone(Section):
    """Convolutions of a known network, and how they are trained. The head is new.

    The head is a pooling, a dropout and the logits.
    """

    kind: Literal[
        "efficientnet-lite0",
        "convnext-tiny",
        "densenet121",
        "efficientnetv2-b0",
        "mobilenetv2",
        "resnet50",
        "file",
    ] = Field(description='name of the backbone, or "file" for the network in `init`')
    init: Path | None = Field(
        default=None,
        description=(
            "Keras file with the first weights; default: random ones. Nothing is downloaded: "
            "`python -m training weights` makes the file for efficientnet-lite0"
        ),
    )
    pooling: Literal["average", "max"] = Field(
        default="average", description="how the last maps become a vector"
    )
    dropout: Share = Field(default=0.2, description="share of values dropped before the logits")
    frozen_until: str | None = Field(
        default=None,
        description=(
            "layer up to which weights and normalisation never change; default: all are trained"
        ),
    )
    frozen_epochs: int = Field(
        default=0, ge=0, description="first epochs, in which the head alone is trained"
    )
    backbone_rate: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="learning rate of the backbone, as a share of the head's",
    )

    @model_validator(mode="after")
    def _file_has_a_path(self) -> "Backbone":
        if self.kind == "file" and self.init is None:
            raise ValueError('kind = "file" needs `init`, the path of a Keras file')

        return self


def _tag(section: Any) -> str:
    """Return which of the two sections is meant: without a kind, it is the CNN."""
    if isinstance(section, dict):
        kind = section.get("kind", "cnn")
    else:
        # Anything but a section is refused as a CNN, which names what is wrong.
        kind = getattr(section, "kind", "cnn")
    return "cnn" if kind == "cnn" else "backbone"


AnyNetwork = Annotated[
    Annotated[Network, Tag("cnn")] | Annotated[Backbone, Tag("backbone")], Discriminator(_tag)
]
