"""One connection of HTTP/1.1, below the application: its parser and its transport."""
