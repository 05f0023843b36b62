"""The other servers, each written as its documentation says, and the work that they all do."""
