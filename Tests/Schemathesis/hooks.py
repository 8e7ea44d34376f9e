"""What no schema can tell: bytes that are a video, an archive or an image."""

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
# Any bytes are an upload's; now and then a whole video.
schemathesis.openapi.media_type("application/offset+octet-stream", st.one_of(st.binary(max_size=64), st.just(video)))


@schemathesis.hook
def map_case(context, case):
    """Of the requests that keep to the schemas, makes most keep to the rules among several fields, too, so that jobs are
    accepted and not only refused: one source, and its targets given once."""
    if (
        case.operation.definition.raw.get("operationId") != "createJob"
        or not case.meta.generation.mode.is_positive
        # Its cases are what they are for a reason.
        or case.meta.phase.name == "coverage"
    ):
        return case
    query = dict(case.query or {})
    if len(query) % 4 == 3:
        return case
    free = ("motion", "aligner", "levels", "max_iterations", "epsilon", "illumination", "gamma", "on_lost", "priority")
    case.query = {name: value for name, value in query.items() if name in free}
    if case.media_type == "application/json" and isinstance(case.body, dict):
        case.query = {}
        kept = ("source", "tracker", "output", "labels", "priority", "deadline_seconds")
        case.body = {name: value for name, value in case.body.items() if name in kept}
        case.body["targets"] = [{"box": [46, 18, 8, 8]}]
    elif case.media_type == "multipart/form-data" and isinstance(case.body, dict):
        source = next((name for name in ("video", "archive", "frame") if case.body.get(name)), None)
        case.body = {source: case.body[source], "roi": ["46,18,8,8"]} if source else case.body
    else:
        case.query["roi"] = ["46,18,8,8"]
    return case


@schemathesis.hook
def filter_case(context, case):
    """A head that does not fit into a connection's memory, libmicrohttpd answers by itself, with 414 or 431, in HTML and
    without a content type. It cannot be told not to; up to there, a target that is too long is a problem document."""
    return len(json.dumps(case.query, default=str)) < 8_000
