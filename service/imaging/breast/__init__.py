"""The breast in a mammogram: its outline, and its position on the model's grid."""
