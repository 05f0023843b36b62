"""The breast in a mammogram: its outline, and its place on the model's grid."""
