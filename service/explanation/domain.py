"""Distance of an image from a model's reference images, in the model's features."""

import numpy as np

from service.records import Domain, Floats, QualityWarning


def distance(features: Floats, domain: Domain) -> float:
    """Return the Mahalanobis distance of features [d] from the reference images' mean, / sqrt(d).

    About 1 for an image like the reference images. Lee et al., "A Simple Unified Framework for
    Detecting Out-of-Distribution Samples", NeurIPS 2018, without classes.
    """
    whitened = (features.astype(np.float64) - domain.mean) @ domain.whitening
    return float(np.sqrt(np.mean(whitened**2)))


def domain_warnings(image_distance: float, domain: Domain) -> tuple[QualityWarning, ...]:
    """Return a warning if the image is further away than 99 % of the reference images."""
    if image_distance <= domain.limit:
        return ()

    message = (
        f"The image is unlike the model's reference images: its distance from their mean is "
        f"{image_distance:.2f}, while 99 % of them are within {domain.limit:.2f}. No measured "
        f"figure covers its probability and its explanation."
    )
    return (QualityWarning("out-of-domain", message),)
