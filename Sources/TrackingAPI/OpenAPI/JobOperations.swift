import Jobs

/// Submitting, reading, canceling and deleting.
enum JobOperations {
    static let all = [create, list, get, events, deliveries, cancel, delete]

    private static let ownJob: (type: String, schema: JSONValue?) = ("application/json", Schema.ref("Job"))

    /// A bare file. What it is, its bytes tell.
    private static let rawTypes = [
        "video/*", "application/octet-stream", "application/zip", "application/x-tar", "application/gzip",
    ]

    private static let create = Operation(
        method: "post", path: SubmitRoute.path, id: "createJob", tag: .jobs, summary: "Submit a job",
        description: """
            The source comes as a form with one `video`, one `archive` or several `frame` files, as the bare bytes of a \
            video or an archive, or in JSON as a finished upload or an earlier job. Query parameters are fields of the \
            form, whatever the body is. The job is on the disk before the answer comes.
            """,
        parameters: [idempotencyKey] + SpecFields.parameters,
        body: [
            (
                "multipart/form-data",
                [
                    "schema": Schema.ref("JobForm"),
                    "encoding": [
                        "video": ["contentType": "video/*"], "frame": ["contentType": "image/*"],
                        "archive": ["contentType": "application/zip, application/x-tar"],
                        "spec": ["contentType": "application/json"],
                        "roi": ["style": "form", "explode": true], "keyframe": ["style": "form", "explode": true],
                    ],
                ]
            ),
            (
                "application/json",
                [
                    "schema": Schema.ref("JobRequest"),
                    "example": [
                        "source": ["upload": "0197f3a0-5b7c-7d3e-9a41-2c6e8f0b1d24"],
                        "targets": [["id": "car", "box": [70, 51, 107, 87]]],
                    ],
                ]
            ),
        ] + rawTypes.map { ($0, ["schema": Schema.binary]) },
        responses: [
            Response(
                202, "The job is queued.", headers: ["Location", "Retry-After", "ETag", "Idempotency-Replayed?"],
                content: [ownJob],
                links: [
                    "getJob", "getEvents", "getDeliveries", "getResults", "getVideo", "getSource", "cancelJob",
                    "deleteJob",
                ].map {
                    Link($0)
                } + [
                    Link("getFrame", [("n", "0")]), Link("getCrops", [("t", "$response.body#/spec/targets/0/id")]),
                ])
        ] + Response.always + Response.problems(409, 411, 413, 415, 503, 507),
        curl: "curl -F video=@clip.mp4 -F roi=70,51,107,87 localhost:8080/v1/jobs")

    private static let idempotencyKey = Parameter.header(
        "Idempotency-Key",
        "A name for this submission, in quotes or bare: sent again with the same payload, it gets the first answer again.",
        // A string of RFC 9651 §3.3.3, or the bare text of one.
        Schema.text(
            pattern: #"^("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-~]([ -~]{0,253}[!-~])?)$"#
        ).example("\"order-4711\""))

    private static let list = Operation(
        method: "get", path: SubmitRoute.path, id: "listJobs", tag: .jobs, summary: "List jobs",
        description: """
            Newest first, page by page: `Link` has the next one. A page may have fewer jobs than `limit`, where their specs \
            are long, and not be the last all the same.
            """,
        parameters: [
            Parameter.query("status", "Only jobs in this state.", Schema.ref("JobStatus")),
            Parameter.prefixed(
                JobListRoute.labelPrefix, "Only jobs with these labels, up to \(SpecLimits.labels): `label.camera=7`.",
                ("^label\\..+$", Schema.string)),
            Parameter.query(
                "limit", "Jobs on a page.",
                Schema.integer(APILimits.pageSize).byDefault(.int(APILimits.defaultPageSize))),
            Parameter.query(
                "cursor", "Where to go on: opaque, from the `Link` of the page before.",
                Schema.text(pattern: "^[A-Za-z0-9_-]{51}$")),
        ],
        responses: [
            Response(
                200, "A page of jobs.", headers: ["Link?"], content: [("application/json", Schema.ref("JobList"))])
        ] + Response.always + Response.problems(503),
        curl: "curl 'localhost:8080/v1/jobs?status=succeeded&label.camera=7&limit=10'")

    private static let get = Operation(
        method: "get", path: "/v1/jobs/{id}", id: "getJob", tag: .jobs, summary: "Read a job",
        description:
            """
            At once or, with `Prefer: wait=N`, when its state changes, or it is another than `If-None-Match` names. Without \
            `Preference-Applied` the answer came at once, because the tenant has its share of connections that are held.
            """,
        parameters: [
            Parameter.jobID,
            Parameter.header(
                "Prefer",
                "`wait=N`: hold the answer for up to so many seconds, \(APILimits.waitSeconds) at most (RFC 7240).",
                Schema.string.example("wait=1")),
        ] + Parameter.conditions,
        responses: [
            Response(200, "The job.", headers: ["ETag", "Preference-Applied?"], content: [ownJob]),
            Response(304, "The client has it already.", headers: ["ETag", "Preference-Applied?"]),
        ] + Response.always + Response.problems(404, 412, 503),
        curl: "curl localhost:8080/v1/jobs/$ID")

    private static let events = Operation(
        method: "get", path: "/v1/jobs/{id}/events", id: "getEvents", tag: .jobs, summary: "Watch a job",
        description: """
            Server-sent events until the job has ended: `status` with the state and the attempt, `progress`, `frame` with the \
            frame's line of the result, and `end` with the job. A client that comes back with `Last-Event-ID` goes on behind \
            that event. A tenant has a share of the connections that may be held so; beyond it comes 429.
            """,
        parameters: [
            Parameter.jobID,
            Parameter.query("frames", "With an event for each frame.", Schema.boolean.byDefault(false)),
            Parameter.header("Last-Event-ID", "The last event that the client has.", Schema.string),
        ],
        responses: [
            Response(
                200, "What happened, and what happens.", headers: ["Cache-Control", "X-Accel-Buffering"],
                content: [(EventFeed.mediaType, Schema.ref("Event"))]),
            Response(204, "There is no more; the client has everything."),
        ] + Response.always + Response.problems(404, 406, 410, 503),
        curl: "curl -N 'localhost:8080/v1/jobs/$ID/events?frames=true'")

    private static let deliveries = Operation(
        method: "get", path: DeliveryRoute.pattern, id: "getDeliveries", tag: .jobs,
        summary: "See what came of the job's webhook",
        parameters: [Parameter.jobID],
        responses: [
            Response(
                200, "What was tried, and when the next attempt is.",
                content: [("application/json", Schema.ref("DeliveryList"))])
        ] + Response.always + Response.problems(404, 503),
        curl: "curl localhost:8080/v1/jobs/$ID/deliveries")

    private static let cancel = Operation(
        method: "post", path: "/v1/jobs/{id}/cancel", id: "cancelJob", tag: .jobs, summary: "Cancel a job",
        description: "A queued job is canceled at once, a running one within a second; it keeps the frames it has.",
        parameters: [Parameter.jobID] + Parameter.precondition,
        responses: [
            Response(202, "The job is canceled, or will be.", headers: ["Location", "ETag"], content: [ownJob])
        ] + Response.always + Response.problems(404, 409, 412, 503),
        curl: "curl -X POST localhost:8080/v1/jobs/$ID/cancel")

    private static let delete = Operation(
        method: "delete", path: "/v1/jobs/{id}", id: "deleteJob", tag: .jobs, summary: "Delete a job",
        description: "Cancels it, and removes everything that belongs to it.",
        parameters: [Parameter.jobID] + Parameter.precondition,
        responses: [Response(204, "It is gone.")] + Response.always + Response.problems(404, 412, 503),
        curl: "curl -X DELETE localhost:8080/v1/jobs/$ID")
}
