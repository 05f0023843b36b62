"""Schema of the sections [augmentation] and [training]."""

from typing import Literal

from pydantic import Field, model_validator

from training.table_config import Section, Share


class Augmentation(Section):
    """Ranges of the augmentation. Each value is drawn uniformly for every image and epoch."""

    flip: bool = Field(description="swap top and bottom in half of the draws")
    shift: Share = Field(description="move by up to this share of the grid, along each axis")
    zoom: Share = Field(description="enlarge or shrink by up to this share")
    crop: Share = Field(
        default=0.0,
        description=(
            "move the top, bottom and right edge of the breast's box by up to this share of the "
            "grid, as another outline would; default 0"
        ),
    )
    rotate: float = Field(
        default=0.0,
        ge=0,
        le=45,
        description="turn about the middle of the chest wall by up to these degrees; default 0",
    )
    gain: Share = Field(description="multiply grey values by a factor within 1 +/- this share")
    gamma: Share = Field(description="raise grey values to a power within 1 +/- this share")
    contrast: Share = Field(
        default=0.0,
        description=(
            "spread grey values about middle grey by a factor within 1 +/- this share; black and "
            "white stay; default 0"
        ),
    )
    cutout: Share = Field(
        default=0.0,
        description=(
            "blacken a rectangle whose edges have up to this share of the grid, in half of the "
            "draws; default 0"
        ),
    )


class Training(Section):
    """Hyperparameters of the optimisation."""

    seed: int = Field(
        ge=0,
        description=(
            "seed of weights, dropout, draws and augmentation; the same seed gives the same figures"
        ),
    )
    epochs: int = Field(
        ge=1,
        description=(
            "max. number of epochs; each uses all images of the rarer class "
            "and `ratio` times as many freshly drawn images of the other"
        ),
    )
    patience: int = Field(
        ge=1,
        description=(
            'epochs without a better value of `monitor` before training stops; with "last" none do'
        ),
    )
    batch_size: int = Field(ge=1, description="images per step")
    learning_rate: float = Field(
        gt=0, description="highest rate of Adam; decays to 0 over `epochs` along half a cosine"
    )
    warmup_epochs: float = Field(
        default=0.0,
        ge=0,
        description="first epochs, fewer than `epochs`, in which the rate rises from 0; default 0",
    )
    weight_decay: float = Field(
        default=0.0, ge=0, description="decay of kernels, decoupled from Adam (AdamW); default 0"
    )
    clip: float | None = Field(
        default=None, gt=0, description="max. norm of all gradients of a step; default: none"
    )
    ema: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description=(
            "decay of a running mean of the weights over steps, which is what is validated and "
            "kept; default: none"
        ),
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of each label spread over both classes"
    )
    ratio: float = Field(
        default=1.0,
        ge=1,
        description=(
            "images of the commoner class for each one of the rarer; both classes weigh the same "
            "in the loss; default 1"
        ),
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="type of the computation in training; the network that is kept has float32",
    )
    monitor: Literal["loss", "auc", "breast_auc", "last"] = Field(
        default="loss",
        description=(
            "figure that chooses the epoch: balanced validation loss, or AUC of the validation "
            'part\'s images or breasts; "last": none, the last epoch is kept'
        ),
    )

    @model_validator(mode="after")
    def _rate_falls_after_warm_up(self) -> "Training":
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"`warmup_epochs` is {self.warmup_epochs:g}, and has to be less than `epochs`, "
                f"{self.epochs}"
            )

        return self
