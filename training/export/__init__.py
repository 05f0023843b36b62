"""Write the bundle that the service loads."""
