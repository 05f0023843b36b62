"""Provenance of a model version: the data and the code that it was made from."""

from pydantic import BaseModel, ConfigDict

from service.model.manifest_types import Count, Sentence, Sha256


class Provenance(BaseModel):
    """The data and the code behind a model version. It holds no key of a patient or an image.

    `table_sha256`, `images_sha256`, `split_sha256`: digests of the table's file, of the prepared
    images and of the split into parts. `first_weights_sha256`: of the file of weights that the
    training began with, None for random ones and in older bundles. `commit`: of the code, None if
    it is not known. `versions`: of Python and of packages, by name. `device`: what the network was
    trained on. `seeds`: by name. `patients`, `images`: their numbers by part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table_sha256: Sha256
    images_sha256: Sha256
    split_sha256: Sha256
    commit: Sentence | None
    versions: dict[str, str]
    device: Sentence
    seeds: dict[str, int]
    patients: dict[str, Count]
    images: dict[str, Count]
    first_weights_sha256: Sha256 | None = None
