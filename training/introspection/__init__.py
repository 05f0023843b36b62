"""Make a Keras classifier explainable: layers, receptive fields, signatures and manifest."""
