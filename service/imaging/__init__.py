"""Files in, model input out: `read` decodes a mammogram's bytes and lays its breast on the model's grid."""

from service.imaging.breast.fitting import fit
from service.imaging.decoding import decode
from service.imaging.limits import Limits
from service.imaging.reading import Read, Reading, read

__all__ = ["Limits", "Read", "Reading", "decode", "fit", "read"]
