"""What no schema can tell: bytes that are a video, an archive or an image."""

import itertools
import json
import os
import pathlib

import schemathesis
from hypothesis import strategies as st

material = pathlib.Path(os.environ["LKTRACK_MATERIAL"])
video = (material / "clip.mp4").read_bytes()
archive = (material / "frames.tar").read_bytes()
image = (material / "frame.png").read_bytes()

schemathesis.openapi.media_type("video/mp4", st.just(video))
schemathesis.openapi.media_type("image/png", st.just(image))
schemathesis.openapi.media_type("application/x-tar", st.just(archive))
# A name that leads nowhere (RFC 6761 §6.4).
schemathesis.openapi.format("uri", st.just("https://hooks.invalid/lktrack"))
# Any bytes are an upload's; now and then a whole video.
schemathesis.openapi.media_type("application/offset+octet-stream", st.one_of(st.binary(max_size=64), st.just(video)))


names = itertools.count()


@schemathesis.hook
def map_case(context, case):
    """Of the requests that keep to the schemas, makes most keep to the rules among several fields, too, so that jobs are
    accepted and not only refused: one source, and its targets given once."""
    operation = case.operation.definition.raw.get("operationId")
    if (
        operation not in ("createJob", "judgeBoxes")
        or not case.meta.generation.mode.is_positive
        # Its cases are what they are for a reason.
        or case.meta.phase.name == "coverage"
    ):
        return case
    if operation == "judgeBoxes":
        if case.media_type == "application/json" and isinstance(case.body, dict):
            case.body = {name: case.body[name] for name in ("upload", "job") if name in case.body}
            case.body["boxes"] = [[46, 18, 8, 8]]
            case.query = {}
        elif case.media_type != "multipart/form-data":
            case.query = {"roi": ["46,18,8,8"]}
        return case
    if case.headers and "Idempotency-Key" in case.headers:
        # A name that comes again gets the first answer again, also where that job was deleted since.
        case.headers["Idempotency-Key"] = f"submission-{next(names)}"
    query = dict(case.query or {})
    if len(query) % 4 == 3:
        return case
    # Texts only: a case that is changed is judged anew, by what is sent, where a number is a text.
    query = {name: query[name] for name in ("motion", "aligner", "illumination", "on_lost") if name in query}
    if case.media_type == "application/json" and isinstance(case.body, dict):
        kept = ("source", "tracker", "output", "labels", "priority", "deadline_seconds", "webhook")
        case.body = {name: value for name, value in case.body.items() if name in kept}
        case.body["targets"] = [{"box": [46, 18, 8, 8]}]
        case.query = {}
    elif case.media_type == "multipart/form-data":
        # Not its fields: a changed body with bytes in it is taken for one that keeps to no schema.
        case.query = {}
    else:
        case.query = {**query, "roi": ["46,18,8,8"]}
    return case


@schemathesis.hook
def filter_case(context, case):
    """A head that does not fit into a connection's memory, libmicrohttpd answers by itself, with 414 or 431, in HTML and
    without a content type. It cannot be told not to; up to there, a target that is too long is a problem document."""
    return len(json.dumps(case.query, default=str)) < 8_000
