"""Files in, model input out: `decode` reads a mammogram's bytes, `fit` lays its breast on the model's grid."""

from service.imaging.decoding import decode
from service.imaging.fitting import fit
from service.imaging.limits import Limits

__all__ = ["Limits", "decode", "fit"]
