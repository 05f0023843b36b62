"""How far an image lies from what a model knows, in the model's own features."""

import numpy as np

from service.records import Domain, Floats, QualityWarning


def distance(features: Floats, domain: Domain) -> float:
    """The Mahalanobis distance of features [d] from the reference images' mean, divided by the square root of d.

    About 1 for an image like the reference images. Lee et al., "A Simple Unified Framework for Detecting
    Out-of-Distribution Samples", NeurIPS 2018, without classes.
    """
    whitened = (features.astype(np.float64) - domain.mean) @ domain.whitening
    return float(np.sqrt(np.mean(whitened**2)))


def domain_warnings(far: float, domain: Domain) -> tuple[QualityWarning, ...]:
    """A warning where the image is further away than 99 % of the reference images are."""
    if far <= domain.limit:
        return ()
    message = (
        f"The image is unlike those the model was tested on: {far:.2f} from their mean where 99 % of them are within "
        f"{domain.limit:.2f}. Its probability and its explanation are not covered by any measured figure."
    )
    return (QualityWarning("out-of-domain", message),)
