"""HTTP: the application, its routes, middleware, problems and schemas.

Knows neither TensorFlow nor pixels.
"""
