"""Compare networks by their cross-validations on the same images."""
