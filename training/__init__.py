"""Training of a model bundle, offline: prepare images, train, evaluate and export."""
