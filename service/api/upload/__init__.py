"""The body of a request about an image: its types, and the way to the bytes of the file."""
