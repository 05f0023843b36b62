"""Pictures and figures of a training, by epoch."""
