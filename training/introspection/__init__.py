"""A Keras classifier made explainable: layers, receptive fields, signatures and manifest."""
