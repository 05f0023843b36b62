"""The other servers, written as their documentation recommends, and the work that they share."""
