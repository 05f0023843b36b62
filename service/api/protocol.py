"""HTTP/1.1 as uvicorn speaks it, but for what it says itself: that is a problem, too."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.api.problems import MEDIA_TYPE, MalformedRequest, describe


class ProblemProtocol(H11Protocol):
    """Answers bytes that are no HTTP request, which no application ever sees, like every other mistake."""

    def send_400_response(self, msg: str) -> None:
        """Sends the problem and closes the connection; `msg` is uvicorn's own word for it."""
        problem = describe(MalformedRequest(msg)).model_dump_json(exclude_none=True).encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(problem))),
            ("connection", "close"),
        ]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=problem), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
