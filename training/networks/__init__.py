"""Networks: the CNN, backbones with their first weights, and the files they come from."""
