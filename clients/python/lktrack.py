#!/usr/bin/env python3
"""A client of lktrack, the service that follows boxes through a video.

One file, the standard library only, Python 3.8 or newer: copy it beside your program.

    from lktrack import Client

    client = Client("http://127.0.0.1:8080")
    job = client.submit("clip.mp4", rois=["70,51,107,87"]).wait(progress=True)
    for frame in job.results():
        print(frame["frame"], frame["targets"][0]["box"])

Or on the command line:

    python lktrack.py submit clip.mp4 --roi 70,51,107,87 --wait --format csv --output boxes.csv

A `Client` may be used by several threads. What goes wrong is raised as an `LktrackError`.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import email.utils
import http.client
import json
import math
import os
import random
import re
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import uuid
from typing import (
    Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type,
    TypeVar, Union,
)

__version__ = "0.3.0"
__all__ = [
    "Client", "Job", "Event", "LktrackError", "APIError", "InvalidRequest", "NotAuthorized", "NotFound", "Conflict",
    "TooLarge", "Busy", "StorageFull", "ConnectionFailed", "JobFailed", "WaitTimeout", "SourceError", "ProgressBar",
]

#: "x,y,width,height" or four numbers: pixels from the top-left corner of the first frame.
Box = Union[str, Sequence[float]]
#: A path to a video, an archive, an image or a folder of images; the bytes of one; or an earlier job.
Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, "Job", Sequence[Any]]

_T = TypeVar("_T")

FINAL_STATES = ("succeeded", "failed", "canceled")

_CHUNK = 256 * 1024
#: A file of more bytes is sent as an upload of its own, which goes on where it was after the line was cut.
_RESUMED_ABOVE = 8 << 20
_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


# Errors ---------------------------------------------------------------------------------------------------------------


class LktrackError(Exception):
    """Everything that this module raises about the service."""


class ConnectionFailed(LktrackError):
    """The server cannot be reached, or the connection broke and retries were of no use."""


class SourceError(LktrackError):
    """What was to be uploaded cannot be read."""


class WaitTimeout(LktrackError):
    """The job has not ended in time, or a video of it is not made yet. The server goes on; `job` is as it was last seen."""

    def __init__(self, job: "Job", text: Optional[str] = None) -> None:
        super().__init__(text or "job %s is still %s" % (job.id, job.status))
        self.job = job


class JobFailed(LktrackError):
    """The job has ended otherwise than well. `job.error` says why: {code, message, frame, pointer}."""

    def __init__(self, job: "Job") -> None:
        error = job.error or {}
        reason = "%s: %s" % (error.get("code"), error.get("message", ""))
        end = "been canceled" if job.status == "canceled" else "failed"
        super().__init__("job %s has %s: %s" % (job.id, end, reason) if error else "job %s has %s" % (job.id, end))
        self.job = job

    @property
    def code(self) -> Optional[str]:
        return (self.job.error or {}).get("code")


class APIError(LktrackError):
    """The server answered with an error.

    `problem` is its problem document (RFC 9457): type, title, status, detail, instance and, for a request that was
    wrong, errors with a pointer and a detail for each field.
    """

    def __init__(self, status: int, problem: Dict[str, Any], headers: http.client.HTTPMessage) -> None:
        self.status = status
        self.problem = problem
        self.headers = headers
        super().__init__(self._text())

    @property
    def detail(self) -> str:
        return str(self.problem.get("detail") or self.problem.get("title") or "")

    @property
    def errors(self) -> List[Dict[str, str]]:
        """What was wrong with which field."""
        return list(self.problem.get("errors") or [])

    @property
    def request_id(self) -> Optional[str]:
        """Names the request in the server's log."""
        return self.problem.get("instance") or self.headers.get("X-Request-Id")

    @property
    def kind(self) -> str:
        """The last part of the problem's type: `queue-full`."""
        return str(self.problem.get("type") or "").rpartition(":")[2]

    def _text(self) -> str:
        lines = ["%d %s" % (self.status, self.detail or http.client.responses.get(self.status, ""))]
        if len(self.errors) > 1:
            lines += ["  %s %s" % (error.get("pointer", ""), error.get("detail", "")) for error in self.errors]
        text = "\n".join(lines)
        return "%s (request %s)" % (text, self.request_id) if self.request_id else text


class InvalidRequest(APIError):
    """400, 406, 411, 415, 422: asking again in the same way is of no use."""


class NotAuthorized(APIError):
    """401, 403: the key is missing, wrong, revoked, or may not do this."""


class NotFound(APIError):
    """404, 410: there is no such job, or it is not kept any more."""


class Conflict(APIError):
    """409, 412: the job's state does not allow it."""


class TooLarge(APIError):
    """413: the upload is over the server's limit."""


class Busy(APIError):
    """429, 502, 503, 504: too many requests or jobs, or the server is stopping. Raised after the retries."""


class StorageFull(APIError):
    """507: the server's disk is full, or your jobs and uploads keep as much as they may."""


_ERRORS: Dict[int, Type[APIError]] = {
    400: InvalidRequest, 401: NotAuthorized, 403: NotAuthorized, 404: NotFound, 406: InvalidRequest, 409: Conflict,
    410: NotFound, 411: InvalidRequest, 412: Conflict, 413: TooLarge, 415: InvalidRequest, 422: InvalidRequest,
    429: Busy, 502: Busy, 503: Busy, 504: Busy, 507: StorageFull,
}
_RETRIED = (429, 502, 503, 504)
#: Kinds of these that the next attempt would meet, too: a frame far into a long video takes a minute to give up.
_LASTING = ("decode-timeout",)
#: Seconds that the server may take longer to decode a single frame than for any sign of life.
_DECODING = 30.0


def _api_error(status: int, body: bytes, headers: http.client.HTTPMessage) -> APIError:
    try:
        problem = json.loads(body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError):
        problem = None
    if not isinstance(problem, dict):
        # Something in between, such as a proxy, has answered.
        text = body[:200].decode("utf-8", "replace").strip()
        problem = {"title": http.client.responses.get(status, ""), "status": status, "detail": text}
    return _ERRORS.get(status, APIError)(status, problem, headers)


# What is sent ---------------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """A file of a form: on disk, or in memory."""

    field: str
    name: str
    path: Optional[str]
    data: Optional[bytes]
    size: int


def _sniff(head: bytes) -> str:
    """The form field for a file that begins like this. The server looks for itself: this only has to be near enough."""
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b")) or head[257:262] == b"ustar":
        return "archive"
    is_image = head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*"))
    if is_image or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "frame"
    return "video"


def _natural(name: str) -> List[Tuple[int, int, str]]:
    """Orders `2.jpg` before `10.jpg`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"[0-9]+|[^0-9]+", name)]


def _file_part(path: str, field: Optional[str] = None, name: Optional[str] = None) -> _Part:
    try:
        with open(path, "rb") as file:
            kind = field or _sniff(file.read(512))
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise SourceError("%s: %s" % (path, error.strerror or error)) from error
    return _Part(kind, name or os.path.basename(path), path, None, size)


def _bytes_part(data: Any, field: Optional[str] = None, name: Optional[str] = None) -> _Part:
    content = bytes(data)
    return _Part(field or _sniff(content[:512]), name or "upload", None, content, len(content))


def _folder_parts(folder: str) -> List[_Part]:
    inner = os.path.join(folder, "img")
    folder = inner if os.path.isdir(inner) else folder
    names = sorted((name for name in os.listdir(folder) if name.lower().endswith(_IMAGES)), key=_natural)
    if not names:
        raise SourceError("%s: there are no images in this folder" % folder)
    return [_file_part(os.path.join(folder, name), "frame") for name in names]


def _parts(source: Any) -> List[_Part]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return [_bytes_part(source)]
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        return _folder_parts(path) if os.path.isdir(path) else [_file_part(path)]
    frames = list(source)
    if not frames:
        raise SourceError("there are no frames")
    # The server sorts frames by name; these keep the order of the list, whatever the files are called.
    parts = []
    for number, frame in enumerate(frames):
        name = "%09d" % number
        if isinstance(frame, (bytes, bytearray, memoryview)):
            parts.append(_bytes_part(frame, "frame", name))
        else:
            parts.append(_file_part(os.fspath(frame), "frame", name))
    return parts


def _chunks(part: _Part, offset: int = 0) -> Iterator[bytes]:
    """A file from an offset on, piece by piece."""
    if part.data is not None:
        for start in range(offset, part.size, _CHUNK):
            yield part.data[start:start + _CHUNK]
        return
    left = part.size - offset
    try:
        with open(str(part.path), "rb") as file:
            file.seek(offset)
            while left > 0:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    raise SourceError("%s: the file became shorter while it was sent" % part.path)
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise SourceError("%s: %s" % (part.path, error.strerror or error)) from error


class _Body:
    """What a request sends, piece by piece. Each iteration gives the same bytes."""

    content_type: str
    size: int

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError


class _Form(_Body):
    """A multipart form (RFC 7578) that is read from the disk while it is sent."""

    def __init__(
        self, fields: Sequence[Tuple[str, str]], parts: Sequence[_Part], boundary: str,
        progress: Optional[Callable[[int, int], None]] = None,
    ) -> None:
        self.content_type = "multipart/form-data; boundary=" + boundary
        self._progress = progress
        self._parts: List[Tuple[bytes, Optional[_Part]]] = []
        for name, value in fields:
            self._parts.append((self._head(boundary, name, None) + value.encode("utf-8"), None))
        for part in parts:
            self._parts.append((self._head(boundary, part.field, part.name), part))
        self._end = ("--%s--\r\n" % boundary).encode("ascii")
        self.size = len(self._end) + sum(len(head) + (part.size if part else 0) + 2 for head, part in self._parts)

    @staticmethod
    def _head(boundary: str, field: str, file_name: Optional[str]) -> bytes:
        def quoted(text: str) -> str:
            return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

        head = '--%s\r\nContent-Disposition: form-data; name="%s"' % (boundary, quoted(field))
        if file_name is not None:
            head += '; filename="%s"\r\nContent-Type: application/octet-stream' % quoted(file_name)
        return (head + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for head, part in self._parts:
            pieces: List[Iterable[bytes]] = [(head,), _chunks(part) if part else (), (b"\r\n",)]
            for chunk in (chunk for piece in pieces for chunk in piece):
                yield chunk
                sent += len(chunk)
                if self._progress is not None:
                    self._progress(sent, self.size)
        yield self._end
        if self._progress is not None:
            self._progress(self.size, self.size)


class _Rest(_Body):
    """What is missing of an upload (tus 1.0.0): a file from an offset on."""

    content_type = "application/offset+octet-stream"

    def __init__(self, part: _Part, offset: int, progress: Optional[Callable[[int, int], None]] = None) -> None:
        self.size = part.size - offset
        self._part, self._offset, self._progress = part, offset, progress

    def __iter__(self) -> Iterator[bytes]:
        sent = self._offset
        for chunk in _chunks(self._part, self._offset):
            yield chunk
            sent += len(chunk)
            if self._progress is not None:
                self._progress(sent, self._part.size)


# The spec -------------------------------------------------------------------------------------------------------------

#: Options that are members of a part of the spec.
_MEMBERS = {
    "tracker": ("motion", "aligner", "levels", "max_iterations", "epsilon", "illumination", "gamma", "on_lost"),
    "output": ("video", "crops"),
}
#: The member that a plain text stands for.
_SHORTHANDS = {"tracker": "mode", "webhook": "url"}
#: Options whose value is a text, even where it looks like JSON.
_TEXTS = ("motion", "aligner", "illumination", "on_lost", "video")


def _spec(
    spec: Optional[Mapping[str, Any]], rois: Union[str, Iterable[Box]], targets: Optional[Sequence[Mapping[str, Any]]],
    labels: Optional[Mapping[str, str]], options: Mapping[str, Any],
) -> Dict[str, Any]:
    """One document of all that a job was described by. What is said twice is a mistake."""
    document = json.loads(json.dumps(dict(spec or {}), allow_nan=False))
    boxes = _boxes(rois)
    if boxes and targets is not None:
        raise ValueError("give the boxes either as rois or as targets, not both")
    if boxes:
        _put(document, ("targets",), [{"box": box} for box in boxes])
    if targets is not None:
        _put(document, ("targets",), json.loads(json.dumps(list(targets), allow_nan=False)))
    for name, value in (labels or {}).items():
        _put(document, ("labels", name), value)
    groups = {member: group for group, members in _MEMBERS.items() for member in members}
    # Whole objects first, so that single members can be added to them.
    for name, value in sorted(options.items(), key=lambda option: option[0] in groups):
        if value is None or name == "keyframe":
            continue
        value = value if name in _TEXTS or name.startswith("label.") else _option(value)
        if name in _SHORTHANDS and isinstance(value, str):
            _put(document, (name, _SHORTHANDS[name]), value)
        elif name.startswith("label."):
            _put(document, ("labels", name[len("label."):]), value)
        else:
            _put(document, (groups[name], name) if name in groups else (name,), value)
    keyframes = options.get("keyframe") or []
    for text in [keyframes] if isinstance(keyframes, str) else keyframes:
        _add_keyframe(document, text)
    return document


def _put(document: Dict[str, Any], path: Sequence[str], value: Any) -> None:
    for group in path[:-1]:
        document = document.setdefault(group, {})
        if not isinstance(document, dict):
            raise ValueError("%s must be an object" % group)
    if path[-1] in document:
        raise ValueError("%s is given twice" % ".".join(path))
    document[path[-1]] = value


def _option(value: Any) -> Any:
    """From a command line everything comes as text: numbers, true, objects and lists are read as JSON."""
    if not isinstance(value, str):
        return json.loads(json.dumps(value, allow_nan=False))
    try:
        return json.loads(value)
    except ValueError:
        return value


def _add_keyframe(document: Dict[str, Any], text: str) -> None:
    """A correction as `ID:FRAME:x,y,width,height`."""
    name, _, rest = text.partition(":")
    frame, _, box = rest.partition(":")
    targets = document.get("targets") or []
    ids = [target.get("id", "target-%d" % number) for number, target in enumerate(targets, 1)]
    if not frame.isdigit() or name not in ids:
        raise ValueError("a keyframe is ID:FRAME:x,y,width,height of one of the targets %s, not %r" % (ids, text))
    keyframe = {"frame": int(frame), "box": _box(box)}
    targets[ids.index(name)].setdefault("keyframes", []).append(keyframe)


def _boxes(rois: Union[str, Iterable[Box]]) -> List[List[float]]:
    boxes = [rois] if isinstance(rois, str) else list(rois)
    if boxes and not isinstance(boxes[0], str) and not isinstance(boxes[0], Iterable):
        boxes = [boxes]
    return [_box(box) for box in boxes]


def _box(box: Box) -> List[float]:
    try:
        numbers = [float(number) for number in (box.split(",") if isinstance(box, str) else box)]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise ValueError("a box is four finite numbers x,y,width,height, not %r" % (box,))
    return numbers


# The connection -------------------------------------------------------------------------------------------------------


class _Response:
    """An answer whose body is still to be read; `close` gives the connection back."""

    def __init__(self, transport: "_Transport", connection: http.client.HTTPConnection,
                 response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self._transport = transport
        self._connection: Optional[http.client.HTTPConnection] = connection
        self._stream = response

    def read(self) -> bytes:
        """The whole body."""
        try:
            return self._stream.read()
        finally:
            self.close()

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes. A body that ends too early raises: http.client does not tell by itself."""
        length = self.headers.get("Content-Length")
        if length is None:
            while True:
                chunk = self._stream.read1(_CHUNK)
                if not chunk:
                    return
                yield chunk
        left = int(length)
        while left > 0:
            chunk = self._stream.read(min(left, _CHUNK))
            if not chunk:
                raise http.client.IncompleteRead(b"", left)
            left -= len(chunk)
            yield chunk

    def lines(self) -> Iterator[bytes]:
        """The body's lines, without their ends."""
        rest = b""
        for chunk in self.chunks():
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield line.rstrip(b"\r")
        if rest:
            yield rest

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._stream.isclosed() and not self._stream.will_close:
            self._transport.give_back(connection)
        else:
            connection.close()

    def __enter__(self) -> "_Response":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


#: What a connection that breaks raises.
_BROKEN = (OSError, http.client.HTTPException)


class _Transport:
    """Sends single requests to one server, over connections that are kept open between them."""

    def __init__(self, url: str, key: Optional[str], timeout: float, context: Optional[ssl.SSLContext]) -> None:
        parts = urllib.parse.urlsplit(url if "://" in url else "http://" + url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("not the URL of a server: %r" % url)
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._context = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._timeout = timeout
        self._headers = {"User-Agent": "lktrack-python/" + __version__}
        if key:
            self._headers["Authorization"] = "Bearer " + key
        self._lock = threading.Lock()
        self._idle: List[http.client.HTTPConnection] = []

    def send(self, method: str, path: str, query: Sequence[Tuple[str, str]], headers: Mapping[str, str],
             body: Union[None, bytes, _Body], patience: float) -> _Response:
        """One request, with its answer's head. Raises what http.client raises."""
        target = self._prefix + path + ("?" + urllib.parse.urlencode(query) if query else "")
        all_headers = dict(self._headers, **headers)
        if isinstance(body, _Body):
            all_headers["Content-Type"] = body.content_type
            all_headers["Content-Length"] = str(body.size)
        while True:
            # An upload is not sent for nothing: it has a connection of its own.
            connection, is_used = self._take(patience, not isinstance(body, _Body))
            try:
                return self._exchange(connection, method, target, all_headers, body)
            except _BROKEN as error:
                connection.close()
                # The server may have closed an idle connection: that is no error, and nothing was done.
                if not is_used or isinstance(error, socket.timeout):
                    raise

    def _exchange(self, connection: http.client.HTTPConnection, method: str, target: str, headers: Mapping[str, str],
                  body: Union[None, bytes, _Body]) -> _Response:
        try:
            connection.request(method, target, body=body, headers=dict(headers))
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            # A server that refuses an upload answers before its end, and reads no further.
            if not isinstance(body, _Body):
                raise
        except SourceError:
            connection.close()
            raise
        return _Response(self, connection, connection.getresponse())

    def _take(self, patience: float, may_be_used: bool) -> Tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            connection = self._idle.pop() if self._idle and may_be_used else None
        timeout = self._timeout + patience
        if connection is not None:
            connection.timeout = timeout
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            return connection, True
        if self._context is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._context), False
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout), False

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if len(self._idle) < 8:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


# The client -----------------------------------------------------------------------------------------------------------


class Event(NamedTuple):
    """Something that happened to a job: `status`, `progress`, `frame` or `end`."""

    type: str
    data: Dict[str, Any]
    id: Optional[str] = None


class Client:
    """A service of lktrack.

    Args:
        url: Where it is: `http://127.0.0.1:8080`. A path is kept: `https://example.com/lktrack`.
        key: An API key, sent as a bearer token. `LKTRACK_KEY` in the environment where it is left out.
        timeout: Seconds that the server may take for a sign of life.
        retries: How often a request is sent again where the connection breaks or the server is busy (429, 503).
        context: For TLS; by default certificates are checked against the system's authorities.
        sleep: Waits for so many seconds; for tests.
    """

    #: A wait grows from the first to the last of these, in seconds, unless the server asks for another (Retry-After).
    BACKOFF = (0.5, 30.0)
    #: Retry-After is followed up to this many seconds; a server that asks for more is not waited for.
    LONGEST_RETRY_AFTER = 300.0

    def __init__(
        self, url: str = "http://127.0.0.1:8080", key: Optional[str] = None, *, timeout: float = 60.0,
        retries: int = 5, context: Optional[ssl.SSLContext] = None, sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url
        self._retries = retries
        self._sleep = sleep
        self._transport = _Transport(url, key or os.environ.get("LKTRACK_KEY"), timeout, context)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Closes idle connections. The client can still be used."""
        self._transport.close()

    # Jobs

    def submit(
        self, source: Source, rois: Union[str, Iterable[Box]] = (), *,
        targets: Optional[Sequence[Mapping[str, Any]]] = None, spec: Optional[Mapping[str, Any]] = None,
        labels: Optional[Mapping[str, str]] = None, idempotency_key: Optional[str] = None,
        progress: Optional[Callable[[int, int], None]] = None, **options: Any,
    ) -> "Job":
        """Uploads a source and queues a job on it.

        Args:
            source: A path to a video, an archive (zip, tar) or a folder of images (`img/` inside it where there is
                one); a list of images, as paths or bytes, in their order; the bytes of a file; or an earlier `Job`,
                whose source is tracked again.
            rois: The boxes to follow in the first frame: `"x,y,width,height"` or four numbers each.
            targets: In full, instead of `rois`: `[{"id": "car", "box": [70, 51, 107, 87], "keyframes": [...]}]`.
            spec: The rest of the spec, or all of it. What is said twice, here and by an argument, is a `ValueError`.
            labels: To find the job by.
            idempotency_key: Names this submission; made where it is left out. A submission that is repeated with the
                same key and content gives the same job, so that a retry after a broken connection doubles nothing.
            progress: Called while the source is sent, with the bytes sent and the bytes in all.
            options: Any field of the form: `tracker="points"`, `motion="similarity"`, `stop_frame=100`, `video="mp4"`
                (an annotated video), `output={...}`, `priority=5`, `deadline_seconds=60` …

        Returns:
            The job, queued.

        A file over 8 MiB is sent as a resumable upload: after a cut line it goes on where it was. Not so with an
        `idempotency_key` of your own: what a key names is compared with its content, which must come with it.
        """
        document = _spec(spec, rois, targets, labels, options)
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        if isinstance(source, Job):
            return self._submit_json(dict(document, source={"job": source.id}), headers)
        parts = _parts(source)
        is_one_file = len(parts) == 1 and parts[0].field != "frame"
        if is_one_file and parts[0].size > _RESUMED_ABOVE and idempotency_key is None:
            return self._submit_upload(parts[0], document, headers, progress)
        # The boundary is made of the key, so that a retry sends the same bytes.
        boundary = "lktrack-%s" % uuid.uuid5(uuid.NAMESPACE_OID, headers["Idempotency-Key"]).hex
        body = _Form([("spec", json.dumps(document))], parts, boundary, progress)
        return Job(self, self._json("POST", "/v1/jobs", headers=headers, body=body))

    def _submit_json(self, document: Mapping[str, Any], headers: Mapping[str, str]) -> "Job":
        body = json.dumps(document).encode("utf-8")
        headers = dict(headers, **{"Content-Type": "application/json"})
        return Job(self, self._json("POST", "/v1/jobs", headers=headers, body=body))

    def _submit_upload(
        self, part: _Part, document: Mapping[str, Any], headers: Mapping[str, str],
        progress: Optional[Callable[[int, int], None]],
    ) -> "Job":
        upload = _Upload.create(self, part)
        try:
            upload.send(progress)
            return self._submit_json(dict(document, source={"upload": upload.id}), headers)
        except APIError:
            # Refused: the server need not keep it.
            with contextlib.suppress(LktrackError):
                upload.delete()
            raise

    def job(self, job_id: str) -> "Job":
        """The job with this id, as it is now. Raises `NotFound`."""
        return Job(self, self._json("GET", _job_path(job_id)))

    def jobs(
        self, status: Optional[str] = None, labels: Optional[Mapping[str, str]] = None,
        limit: Optional[int] = None,
    ) -> Iterator["Job"]:
        """Jobs, newest first, page by page; all of them where there is no limit."""
        query = [("status", status)] if status else []
        query += [("label." + name, value) for name, value in (labels or {}).items()]
        query.append(("limit", str(min(limit or 200, 200))))
        left = sys.maxsize if limit is None else limit
        for page in self._pages(query):
            for document in page[:left]:
                yield Job(self, document)
            left -= len(page)
            if left <= 0:
                return

    def _pages(self, query: Sequence[Tuple[str, str]]) -> Iterator[List[Dict[str, Any]]]:
        while True:
            body, headers = self._whole("GET", "/v1/jobs", query=query)
            yield json.loads(body.decode("utf-8"))["jobs"]
            following = re.search(r'<([^>]*)>\s*;\s*rel="?next"?', headers.get("Link") or "")
            if following is None:
                return
            query = urllib.parse.parse_qsl(urllib.parse.urlsplit(following.group(1)).query)

    def trackability(
        self, image: Union[Source, "Job"], rois: Union[str, Iterable[Box]], *, frame: int = 0,
    ) -> List[Dict[str, Any]]:
        """How well boxes can be tracked, before a job is paid for: {box, verdict, findings, advice, …} for each.

        Args:
            image: A path to an image, its bytes, or a `Job`, of whose source a frame is looked at.
            rois: The boxes, as for `submit`.
            frame: Of the job's source.
        """
        boxes = _boxes(rois)
        if isinstance(image, Job):
            document = {"job": image.id, "frame": frame, "boxes": boxes}
            arguments: Dict[str, Any] = {
                "headers": {"Content-Type": "application/json"}, "body": json.dumps(document).encode("utf-8")}
        else:
            is_bytes = isinstance(image, (bytes, bytearray, memoryview))
            part = _bytes_part(image, "image") if is_bytes else _file_part(os.fspath(image), "image")  # type: ignore
            arguments = {"body": _Form([("boxes", json.dumps(boxes))], [part], "lktrack-%s" % uuid.uuid4().hex)}
        return list(self._json("POST", "/v1/trackability", patience=_DECODING, **arguments)["boxes"])

    def is_ready(self) -> bool:
        """Whether a job that came now could be taken and worked on."""
        try:
            self._json("GET", "/readyz", retries=0)
            return True
        except (Busy, ConnectionFailed):
            return False

    # Requests

    def _json(self, method: str, path: str, **arguments: Any) -> Dict[str, Any]:
        body, _ = self._whole(method, path, **arguments)
        try:
            return dict(json.loads(body.decode("utf-8")))
        except (UnicodeDecodeError, ValueError) as error:
            raise ConnectionFailed("%s %s: the answer is not JSON: is this lktrack?" % (method, self.url)) from error

    def _whole(
        self, method: str, path: str, *, retries: Optional[int] = None, **arguments: Any
    ) -> Tuple[bytes, http.client.HTTPMessage]:
        """An answer's body and headers."""

        def attempt(number: int) -> Tuple[bytes, http.client.HTTPMessage]:
            with self._once(number, method, path, **arguments) as response:
                return response.read(), response.headers

        return self._retrying(attempt, retries)

    def _once(
        self, attempt: int, method: str, path: str, *, query: Sequence[Tuple[str, str]] = (),
        headers: Optional[Mapping[str, str]] = None, body: Union[None, bytes, _Body] = None, patience: float = 0.0,
    ) -> _Response:
        """An answer that is no error; its body is still to be read."""
        response = self._transport.send(method, path, query, headers or {}, body, patience)
        # The first attempt has done it, and its answer was lost.
        if response.status < 400 or (attempt > 0 and method == "DELETE" and response.status == 404):
            return response
        raise _api_error(response.status, response.read(), response.headers)

    def _retrying(self, action: Callable[[int], _T], retries: Optional[int] = None) -> _T:
        """Does something until it is answered. All that is sent here may be sent twice: submissions have their key.

        Args:
            action: Is given the number of its attempt; raises what http.client raises, or an `APIError`.
        """
        left = self._retries if retries is None else retries
        attempt = 0
        while True:
            error: LktrackError
            try:
                return action(attempt)
            except APIError as refusal:
                # A 409 with Retry-After: the attempt before is still at it.
                is_in_flight = attempt > 0 and refusal.status == 409 and "Retry-After" in refusal.headers
                if (refusal.status not in _RETRIED or refusal.kind in _LASTING) and not is_in_flight:
                    raise
                error, wait = refusal, _retry_after(refusal.headers)
            except _BROKEN as cause:
                error, wait = ConnectionFailed("%s: %s" % (self.url, _reason(cause))), None
                error.__cause__ = cause
            if attempt >= left or (wait or 0) > self.LONGEST_RETRY_AFTER:
                raise error
            self._sleep(self._backoff(attempt) if wait is None else wait)
            attempt += 1

    def _backoff(self, attempt: int) -> float:
        """Half of it at random, so that clients that were refused together do not come back together."""
        first, longest = self.BACKOFF
        return float(min(first * 2 ** attempt, longest)) * random.uniform(0.5, 1)


def _retry_after(headers: http.client.HTTPMessage) -> Optional[float]:
    """Seconds (RFC 9110 section 10.2.3: a number of them, or a date)."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return max(0.0, moment.timestamp() - time.time())


def _reason(error: BaseException) -> str:
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without an answer"
    return str(error) or type(error).__name__


def _job_path(job_id: str) -> str:
    return "/v1/jobs/" + urllib.parse.quote(job_id, safe="")


# A resumable upload ---------------------------------------------------------------------------------------------------


class _Upload:
    """A file that is sent with tus 1.0.0, over as many connections as it takes."""

    _HEADERS = {"Tus-Resumable": "1.0.0"}

    def __init__(self, client: Client, part: _Part, upload_id: str) -> None:
        self._client = client
        self._part = part
        self.id = upload_id
        self._path = "/v1/uploads/" + urllib.parse.quote(upload_id, safe="")

    @classmethod
    def create(cls, client: Client, part: _Part) -> "_Upload":
        name = base64.b64encode(part.name.encode("utf-8", "surrogateescape")).decode("ascii")
        headers = dict(cls._HEADERS, **{"Upload-Length": str(part.size), "Upload-Metadata": "filename " + name})
        _, answer = client._whole("POST", "/v1/uploads", headers=headers, body=b"")
        return cls(client, part, str(answer.get("Location") or "").rstrip("/").rpartition("/")[2])

    def send(self, progress: Optional[Callable[[int, int], None]]) -> None:
        """Sends what the server does not have. A cut line counts as a failure only where nothing came through."""
        offset, failures = 0, 0
        while offset < self._part.size:
            try:
                offset = self._patch(offset, progress)
                continue
            except APIError as refusal:
                # 409: at another offset; 423: the request before is not over there yet.
                if refusal.status not in _RETRIED + (409, 423):
                    raise
                error: LktrackError = refusal
                wait = _retry_after(refusal.headers)
            except _BROKEN as cause:
                error, wait = ConnectionFailed("%s: %s" % (self._client.url, _reason(cause))), None
                error.__cause__ = cause
            if failures >= self._client._retries or (wait or 0) > Client.LONGEST_RETRY_AFTER:
                raise error
            self._client._sleep(self._client._backoff(failures) if wait is None else wait)
            reached = self._offset()
            failures = 0 if reached > offset else failures + 1
            offset = reached

    def _patch(self, offset: int, progress: Optional[Callable[[int, int], None]]) -> int:
        headers = dict(self._HEADERS, **{"Upload-Offset": str(offset)})
        body = _Rest(self._part, offset, progress)
        with self._client._once(0, "PATCH", self._path, headers=headers, body=body) as response:
            response.read()
            return int(response.headers["Upload-Offset"])

    def _offset(self) -> int:
        """How much the server has."""
        _, headers = self._client._whole("HEAD", self._path, headers=self._HEADERS)
        return int(headers["Upload-Offset"])

    def delete(self) -> None:
        self._client._whole("DELETE", self._path, headers=self._HEADERS)


# A job ----------------------------------------------------------------------------------------------------------------


class Job:
    """A job as it was when it was last asked for. `refresh`, `wait`, `cancel` bring it up to date."""

    #: Seconds between two looks at a server that does not hold requests: from the first, growing to the last.
    POLL = (0.1, 2.0)
    #: For how long the server is asked to hold a request.
    HOLD = 30

    def __init__(self, client: Client, document: Dict[str, Any]) -> None:
        self._client = client
        #: The job's document, as the server sent it.
        self.document = document

    def __repr__(self) -> str:
        return "<Job %s %s>" % (self.id, self.status)

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def status(self) -> str:
        """`queued`, `running`, `succeeded`, `failed` or `canceled`."""
        return str(self.document["status"])

    @property
    def done(self) -> bool:
        return self.status in FINAL_STATES

    @property
    def error(self) -> Optional[Dict[str, Any]]:
        """Why it failed: {code, message, frame, pointer}."""
        return self.document.get("error")

    @property
    def progress(self) -> Dict[str, Any]:
        """{frames_done, frames_total, frames_per_second}"""
        return dict(self.document.get("progress") or {})

    @property
    def targets(self) -> List[str]:
        """The targets' ids, in the order in which they were given."""
        return [str(target["id"]) for target in self.document["spec"]["targets"]]

    @property
    def _path(self) -> str:
        return _job_path(self.id)

    def refresh(self) -> "Job":
        """Brings it up to date."""
        self.document = self._client._json("GET", self._path)
        return self

    def wait(
        self, timeout: Optional[float] = None, *, progress: Union[bool, None, Callable[["Job"], None]] = None,
        check: bool = True,
    ) -> "Job":
        """Returns when the job has ended.

        Args:
            timeout: Seconds; `WaitTimeout` is raised after them.
            progress: Called with the job whenever there is news; True: a bar on standard error, where that is a
                terminal.
            check: Whether to raise `JobFailed` where it has not succeeded.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        bar = ProgressBar() if progress is True else None
        report = bar if bar is not None else (progress if callable(progress) else None)
        try:
            self._wait(deadline, report)
        finally:
            if bar is not None:
                bar.close()
        if check and self.status != "succeeded":
            raise JobFailed(self)
        return self

    def _wait(self, deadline: Optional[float], report: Optional[Callable[["Job"], None]]) -> None:
        pause, longest = self.POLL
        # Who watches wants to hear of frames, not only of states.
        hold = self.HOLD if report is None else 1
        longest = longest if report is None else 0.5
        while True:
            if report is not None:
                report(self)
            if self.done:
                return
            left = math.inf if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(self)
            seconds = int(min(hold, max(left, 1)))
            body, headers = self._client._whole(
                "GET", self._path, headers={"Prefer": "wait=%d" % seconds}, patience=seconds)
            self.document = json.loads(body.decode("utf-8"))
            was_held = "wait" in (headers.get("Preference-Applied") or "")
            if not was_held and not self.done:
                self._client._sleep(max(0.0, min(pause, left)))
                pause = min(pause * 1.5, longest)

    def events(self, frames: bool = False) -> Iterator[Event]:
        """What happens to the job from now on, up to and including `end`.

        Args:
            frames: Whether boxes are wanted while they are made, as `frame` events.

        A connection that breaks is made again, without a gap. A server that has no events is asked for the job now and
        then instead; `frame` events are left out then.
        """
        last: Optional[str] = None
        failures = 0
        while True:
            headers = {"Accept": "text/event-stream"}
            if last is not None:
                headers["Last-Event-ID"] = last
            query = [("frames", "true")] if frames else []
            try:
                response = self._client._retrying(
                    lambda attempt: self._client._once(
                        attempt, "GET", self._path + "/events", query=query, headers=headers))
            except NotFound:
                self.refresh()  # Raises where it is the job that is not there.
                for event in self._polled_events():
                    yield event
                return
            try:
                with response:
                    for event in _parse_events(response.lines()):
                        failures = 0
                        last = event.id if event.id is not None else last
                        yield event
                        if event.type == "end":
                            return
            except _BROKEN as cause:
                failures += 1
                if failures > self._client._retries:
                    raise ConnectionFailed("%s: %s" % (self._client.url, _reason(cause))) from cause
            else:
                failures += 1
                if failures > self._client._retries:
                    raise ConnectionFailed("%s: the events end before the job" % self._client.url)
            self._client._sleep(self._client._backoff(failures - 1))

    def _polled_events(self) -> Iterator[Event]:
        seen: Tuple[Any, Any] = (None, None)
        while True:
            status, progress = self.status, self.progress
            if status != seen[0]:
                yield Event("status", {"id": self.id, "status": status})
            if progress != seen[1] and progress.get("frames_done"):
                yield Event("progress", progress)
            if self.done:
                yield Event("end", self.document)
                return
            seen = (status, progress)
            self._client._sleep(0.5)
            self.refresh()

    # Results

    def results(
        self, start: Optional[int] = None, stop: Optional[int] = None, target: Optional[str] = None,
        partial: bool = False,
    ) -> List[Dict[str, Any]]:
        """A record for each frame: {frame, pts, time, targets: [{id, box, quad, affine, state, confidence, …}]}.

        Args:
            start, stop: Only frames from `start` to before `stop`.
            target: Only this one.
            partial: What there is so far, of a job that has not ended.
        """
        return self._client._retrying(lambda attempt: list(self._records(attempt, start, stop, target, partial)))

    def iter_results(
        self, start: Optional[int] = None, stop: Optional[int] = None, target: Optional[str] = None,
        partial: bool = False,
    ) -> Iterator[Dict[str, Any]]:
        """The same, one by one while they arrive. A connection that breaks in between raises `ConnectionFailed`."""
        try:
            for record in self._records(0, start, stop, target, partial):
                yield record
        except _BROKEN as cause:
            raise ConnectionFailed("%s: %s" % (self._client.url, _reason(cause))) from cause

    def _records(
        self, attempt: int, start: Optional[int], stop: Optional[int], target: Optional[str], partial: bool
    ) -> Iterator[Dict[str, Any]]:
        query = [("format", "ndjson")]
        query += [(name, str(value)) for name, value in (("from", start), ("to", stop), ("target", target))
                  if value is not None]
        if partial:
            query.append(("partial", "true"))
        with self._client._once(attempt, "GET", self._path + "/results", query=query) as response:
            for line in response.lines():
                yield json.loads(line.decode("utf-8"))

    def boxes(self) -> List[List[List[float]]]:
        """Boxes by frame and target: `boxes()[i][j]` is `[x, y, width, height]` of target `targets[j]` in the i-th
        frame that was tracked, and four NaN where the target is lost, out of the frame or not there yet."""
        places = {target: place for place, target in enumerate(self.targets)}
        rows = []
        for record in self.results():
            row = [[math.nan] * 4 for _ in places]
            for target in record["targets"]:
                if target["state"] in ("tracked", "coasting"):
                    row[places[target["id"]]] = [math.nan if side is None else float(side) for side in target["box"]]
            rows.append(row)
        return rows

    def array(self) -> Any:
        """The same as a NumPy array of frames × targets × 4 (float64). Needs NumPy."""
        import numpy

        return numpy.asarray(self.boxes(), dtype=numpy.float64).reshape(-1, len(self.targets), 4)

    def download(
        self, path: Union[str, "os.PathLike[str]", BinaryIO], what: str = "results", format: Optional[str] = None, *,
        timeout: Optional[float] = 600.0,
    ) -> None:
        """Saves the results in any format (`csv`, `mot`, `cvat` …), the annotated `video`, or the `source`.

        A file appears under its name when it is whole. A video that the job was not asked for is made now: it is waited
        for, `WaitTimeout` is raised after `timeout` seconds.
        """
        query = [("format", format)] if format else []
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self._download(path, what, query)
            except _Rendering as answer:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WaitTimeout(self, "the video of job %s is still being made" % self.id) from None
                self._client._sleep(min(answer.seconds, left))

    def video(self, path: Union[str, "os.PathLike[str]", BinaryIO], *, timeout: Optional[float] = 600.0) -> None:
        """Saves the annotated video, as `download(path, "video")` does."""
        self.download(path, "video", timeout=timeout)

    def crops(
        self, path: Union[str, "os.PathLike[str]", BinaryIO], target: Optional[str] = None, *,
        timeout: Optional[float] = 600.0,
    ) -> None:
        """Saves a video of a target alone, held still; of the only one where none is named."""
        if target is None and len(self.targets) != 1:
            raise ValueError("the job has several targets, name one: %s" % ", ".join(self.targets))
        name = self.targets[0] if target is None else target
        self.download(path, "targets/%s/crops" % urllib.parse.quote(name, safe=""), timeout=timeout)

    def frame(self, number: int, format: str = "png") -> bytes:
        """The picture of a frame, as it was tracked on: `png` or `jpeg`."""
        body, _ = self._client._whole(
            "GET", "%s/frames/%d" % (self._path, number), headers={"Accept": "image/" + format}, patience=_DECODING)
        return body

    def deliveries(self) -> List[Dict[str, Any]]:
        """Who was called back, and what came of it: {event, url, state, next_attempt_at, attempts, …} for each."""
        return list(self._client._json("GET", self._path + "/deliveries")["deliveries"])

    def _download(
        self, path: Union[str, "os.PathLike[str]", BinaryIO], what: str, query: Sequence[Tuple[str, str]]
    ) -> None:
        def fetch(attempt: int, file: BinaryIO) -> None:
            with self._client._once(attempt, "GET", "%s/%s" % (self._path, what), query=query) as response:
                if response.status == 202:
                    response.read()
                    raise _Rendering(_retry_after(response.headers))
                for chunk in response.chunks():
                    try:
                        file.write(chunk)
                    except OSError as error:
                        # Not to be taken for a connection that broke.
                        raise _FileError(error) from error

        if isinstance(path, (str, os.PathLike)) and _is_special(path):
            with open(path, "wb") as file:
                return self._download(file, what, query)
        try:
            if not isinstance(path, (str, os.PathLike)):
                # What was written cannot be taken back: no second attempt.
                stream = path
                return self._client._retrying(lambda attempt: fetch(attempt, stream), retries=0)
            with _whole_file(os.fspath(path)) as file:

                def attempt(number: int) -> None:
                    file.seek(0)
                    file.truncate()
                    fetch(number, file)

                self._client._retrying(attempt)
        except _FileError as error:
            raise error.cause from None

    # Ends

    def cancel(self) -> "Job":
        """Stops the job; the frames that it has are kept. Raises `Conflict` where it has ended already."""
        self.document = self._client._json("POST", self._path + "/cancel")
        return self

    def delete(self) -> None:
        """Removes the job, its source and its results, whatever its state."""
        self._client._whole("DELETE", self._path)


class _Rendering(Exception):
    """The server is making what was asked for (202)."""

    def __init__(self, seconds: Optional[float]) -> None:
        super().__init__("it is being made")
        self.seconds = 1.0 if seconds is None else max(seconds, 0.1)


class _FileError(Exception):
    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _is_special(path: Union[str, "os.PathLike[str]"]) -> bool:
    """Whether it is a device, a pipe or the like, which a file must not take the place of."""
    return os.path.exists(path) and not os.path.isfile(path)


@contextlib.contextmanager
def _whole_file(name: str) -> Iterator[BinaryIO]:
    """A file that is there when the block ends well, and not otherwise; what is special is written to as it is."""
    if _is_special(name):
        with open(name, "wb") as file:
            yield file
        return
    partial = name + ".part"
    try:
        with open(partial, "wb") as file:
            yield file
        os.replace(partial, name)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(partial)
        raise


def _parse_events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Takes an event stream apart (WHATWG HTML, section 9.2.6)."""
    kind, data, event_id = "message", [], None  # type: str, List[str], Optional[str]
    for raw in lines:
        line = raw.decode("utf-8")
        if not line:
            if data:
                yield Event(kind, _object("\n".join(data)), event_id)
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id" and "\0" not in value:
            event_id = value


def _object(text: str) -> Dict[str, Any]:
    value = json.loads(text)
    return value if isinstance(value, dict) else {"value": value}


class ProgressBar:
    """Shows the progress of an upload or a job on one line of a terminal; where the stream is none, nothing is written."""

    WIDTH = 30

    def __init__(self, stream: Any = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._is_shown = False
        self._is_terminal = bool(getattr(self._stream, "isatty", lambda: False)())

    def __call__(self, job: Job) -> None:
        self._show(self.text(job))

    def upload(self, sent: int, total: int) -> None:
        """Shows an upload's progress: `submit(..., progress=bar.upload)`."""
        share = sent / max(total, 1)
        bar = "#" * int(self.WIDTH * share)
        self._show("%-9s [%s] %3d%%  %.1f/%.1f MB" % (
            "sending", bar.ljust(self.WIDTH, "-"), 100 * share, sent / 1e6, total / 1e6))

    def _show(self, text: str) -> None:
        if not self._is_terminal:
            return
        self._is_shown = True
        self._stream.write("\r\033[K" + text)
        self._stream.flush()

    def text(self, job: Job) -> str:
        done = int(job.progress.get("frames_done") or 0)
        total = job.progress.get("frames_total")
        rate = float(job.progress.get("frames_per_second") or 0)
        if not total:
            return "%-9s %d frames" % (job.status, done)
        filled = min(self.WIDTH, self.WIDTH * done // max(total, 1))
        text = "%-9s [%s%s] %3d%%  %d/%d" % (
            job.status, "#" * filled, "-" * (self.WIDTH - filled), 100 * done // max(total, 1), done, total)
        if rate > 0 and not job.done:
            left = max(0, total - done) / rate
            text += "  %.0f fps, %d:%02d left" % (rate, left // 60, left % 60)
        return text

    def close(self) -> None:
        if self._is_shown:
            self._stream.write("\n")
            self._stream.flush()


# The command line -----------------------------------------------------------------------------------------------------

EXIT_JOB_FAILED = 1
EXIT_REFUSED = 3
EXIT_UNREACHABLE = 4


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lktrack.py", description="Follows boxes through a video, on a server of lktrack.",
        epilog="exit status: 0; 1 the job did not succeed; 2 usage; 3 the server refused; 4 no connection")
    parser.add_argument("--url", default=os.environ.get("LKTRACK_URL", "http://127.0.0.1:8080"),
                        help="the server (LKTRACK_URL; %(default)s)")
    parser.add_argument("--key", help="an API key (better in LKTRACK_KEY, where others do not see it)")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True

    def command(name: str, help: str, run: Callable[[Client, argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(run=run)
        return sub

    def outputs(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--format", default=None, help="json, ndjson, csv, mot, otb … (json)")
        sub.add_argument("--output", metavar="FILE", help="where to (standard output)")

    submit = command("submit", "Uploads a video, an archive or a folder of images, and prints the job's id.", _submit)
    submit.add_argument("source", nargs="+", help="a video, an archive, a folder, or images in their order")
    submit.add_argument("--roi", action="append", default=[], metavar="X,Y,W,H", help="a box to follow (repeatable)")
    submit.add_argument("--spec", help="the spec as JSON, or @FILE")
    submit.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a field of the spec: tracker=points, stop_frame=100 (repeatable)")
    submit.add_argument("--label", action="append", default=[], metavar="NAME=VALUE", help="(repeatable)")
    submit.add_argument("--idempotency-key", metavar="KEY", help="names this submission, so that it is done once")
    submit.add_argument("--wait", action="store_true", help="wait for the end; print the results, not the id")
    submit.add_argument("--timeout", type=float, help="seconds to wait")
    outputs(submit)

    wait = command("wait", "Waits for a job's end.", _wait)
    wait.add_argument("id")
    wait.add_argument("--timeout", type=float, help="seconds")
    status = command("status", "Prints a job's document.", _status)
    status.add_argument("id")
    results = command("results", "Prints or saves a job's results.", _results)
    results.add_argument("id")
    outputs(results)
    video = command("video", "Saves a job's annotated video; it is made where the job was not asked for it.", _video)
    crops = command("crops", "Saves a video of one target alone, held still.", _crops)
    crops.add_argument("--target", metavar="ID", help="(the only one)")
    frame = command("frame", "Saves the picture of a frame.", _frame)
    for sub in (video, crops, frame):
        sub.add_argument("id")
        sub.add_argument("--output", metavar="FILE", required=True)
    for sub in (video, crops):
        sub.add_argument("--timeout", type=float, default=600, help="seconds that it may take to be made (%(default)s)")
    frame.add_argument("number", type=int, help="counts from 0")
    frame.add_argument("--format", choices=["png", "jpeg"], default="png")
    deliveries = command("deliveries", "Prints who was called back about a job, a JSON line each.", _deliveries)
    deliveries.add_argument("id")
    trackability = command("trackability", "Prints how well boxes on an image can be tracked, a JSON line each.",
                           _trackability)
    trackability.add_argument("image")
    trackability.add_argument("--roi", action="append", default=[], required=True, metavar="X,Y,W,H",
                              help="(repeatable)")
    events = command("events", "Prints what happens to a job, a JSON line each.", _events)
    events.add_argument("id")
    events.add_argument("--frames", action="store_true", help="boxes too, as they are made")
    listing = command("list", "Lists jobs, newest first.", _list)
    listing.add_argument("--status", choices=["queued", "running", *FINAL_STATES])
    listing.add_argument("--label", action="append", default=[], metavar="NAME=VALUE")
    listing.add_argument("--limit", type=int, default=20)
    cancel = command("cancel", "Stops a job; keeps what it has.", lambda c, a: _print(c.job(a.id).cancel().status))
    cancel.add_argument("id")
    delete = command("delete", "Removes jobs with all that belongs to them.", _delete)
    delete.add_argument("id", nargs="+")
    return parser


def _print(text: str) -> int:
    print(text)
    return 0


def _pairs(texts: Sequence[str], option: str) -> Dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise SystemExit("lktrack.py: %s %s: expected NAME=VALUE" % (option, text))
        pairs[name] = value
    return pairs


def _submit(client: Client, arguments: argparse.Namespace) -> int:
    spec = arguments.spec
    if spec is not None and spec.startswith("@"):
        with open(spec[1:], encoding="utf-8") as file:
            spec = file.read()
    options: Dict[str, Any] = dict(_pairs(arguments.set, "--set"))
    source = arguments.source[0] if len(arguments.source) == 1 else arguments.source
    bar = ProgressBar()
    try:
        job = client.submit(
            source, arguments.roi, spec=None if spec is None else json.loads(spec),
            labels=_pairs(arguments.label, "--label"), idempotency_key=arguments.idempotency_key, progress=bar.upload,
            **options)
    finally:
        bar.close()
    if not arguments.wait:
        return _print(job.id)
    print("job %s" % job.id, file=sys.stderr)
    job.wait(arguments.timeout, progress=True)
    return _save(job, "results", arguments.format, arguments.output)


def _save(job: Job, what: str, format: Optional[str], output: Optional[str]) -> int:
    if output and output != "-":
        job.download(output, what, format)
    else:
        job.download(sys.stdout.buffer, what, format)
        sys.stdout.buffer.flush()
    return 0


def _wait(client: Client, arguments: argparse.Namespace) -> int:
    return _print(client.job(arguments.id).wait(arguments.timeout, progress=True).status)


def _status(client: Client, arguments: argparse.Namespace) -> int:
    return _print(json.dumps(client.job(arguments.id).document, indent=2))


def _results(client: Client, arguments: argparse.Namespace) -> int:
    return _save(client.job(arguments.id), "results", arguments.format, arguments.output)


def _video(client: Client, arguments: argparse.Namespace) -> int:
    client.job(arguments.id).video(arguments.output, timeout=arguments.timeout)
    return 0


def _crops(client: Client, arguments: argparse.Namespace) -> int:
    client.job(arguments.id).crops(arguments.output, arguments.target, timeout=arguments.timeout)
    return 0


def _frame(client: Client, arguments: argparse.Namespace) -> int:
    picture = client.job(arguments.id).frame(arguments.number, arguments.format)
    with _whole_file(arguments.output) as file:
        file.write(picture)
    return 0


def _deliveries(client: Client, arguments: argparse.Namespace) -> int:
    for delivery in client.job(arguments.id).deliveries():
        print(json.dumps(delivery))
    return 0


def _trackability(client: Client, arguments: argparse.Namespace) -> int:
    for box in client.trackability(arguments.image, arguments.roi):
        print(json.dumps(box))
    return 0


def _events(client: Client, arguments: argparse.Namespace) -> int:
    for event in client.job(arguments.id).events(arguments.frames):
        print(json.dumps({"event": event.type, "data": event.data}), flush=True)
    return 0


def _list(client: Client, arguments: argparse.Namespace) -> int:
    for job in client.jobs(arguments.status, _pairs(arguments.label, "--label"), arguments.limit):
        done, total = job.progress.get("frames_done"), job.progress.get("frames_total")
        print("%s  %-9s  %s  %s/%s" % (job.id, job.status, job.document["created_at"], done, total or "?"))
    return 0


def _delete(client: Client, arguments: argparse.Namespace) -> int:
    for job_id in arguments.id:
        client.job(job_id).delete()
    return 0


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        with Client(options.url, options.key) as client:
            return int(options.run(client, options))
    except (JobFailed, WaitTimeout) as error:
        print("lktrack.py: %s" % error, file=sys.stderr)
        return EXIT_JOB_FAILED
    except ConnectionFailed as error:
        print("lktrack.py: %s" % error, file=sys.stderr)
        return EXIT_UNREACHABLE
    except LktrackError as error:
        print("lktrack.py: %s" % error, file=sys.stderr)
        return EXIT_REFUSED
    except (OSError, ValueError) as error:
        print("lktrack.py: %s" % error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
