"""Headers and ends of compressed images, read before a decoder sees them."""
