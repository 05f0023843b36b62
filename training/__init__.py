"""From tables and images to a bundle: preparation, training, evaluation and export, offline."""
