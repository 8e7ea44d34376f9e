import Jobs

/// Submitting, reading, canceling and deleting.
enum JobOperations {
    static let all = [create, list, get, cancel, delete]

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
        parameters: SpecFields.parameters,
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
                202, "The job is queued.", headers: ["Location", "Retry-After", "ETag"], content: [ownJob],
                links: ["getJob", "getResults", "getVideo", "getSource", "cancelJob", "deleteJob"].map { Link($0) } + [
                    Link("getFrame", [("n", 0)]), Link("getCrops", [("t", "$response.body#/spec/targets/0/id")]),
                ])
        ] + Response.always + Response.problems(409, 411, 413, 415, 503, 507),
        curl: "curl -F video=@clip.mp4 -F roi=70,51,107,87 localhost:8080/v1/jobs")

    private static let list = Operation(
        method: "get", path: SubmitRoute.path, id: "listJobs", tag: .jobs, summary: "List jobs",
        description: "Newest first, page by page: `Link` has the next one.",
        parameters: [
            Parameter.query("status", "Only jobs in this state.", Schema.ref("JobStatus")),
            Parameter.labels(JobListRoute.labelPrefix, "Only jobs with these labels: `label.camera=7`."),
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
        parameters: [Parameter.jobID] + Parameter.conditions,
        responses: [
            Response(200, "The job.", headers: ["ETag"], content: [ownJob]),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(404, 412, 503),
        curl: "curl localhost:8080/v1/jobs/$ID")

    private static let cancel = Operation(
        method: "post", path: "/v1/jobs/{id}/cancel", id: "cancelJob", tag: .jobs, summary: "Cancel a job",
        description: "A queued job is canceled at once, a running one within a second; it keeps the frames it has.",
        parameters: [Parameter.jobID],
        responses: [
            Response(202, "The job is canceled, or will be.", headers: ["Location", "ETag"], content: [ownJob])
        ] + Response.always + Response.problems(404, 409, 503),
        curl: "curl -X POST localhost:8080/v1/jobs/$ID/cancel")

    private static let delete = Operation(
        method: "delete", path: "/v1/jobs/{id}", id: "deleteJob", tag: .jobs, summary: "Delete a job",
        description: "Cancels it, and removes everything that belongs to it.",
        parameters: [Parameter.jobID],
        responses: [Response(204, "It is gone.")] + Response.always + Response.problems(404, 503),
        curl: "curl -X DELETE localhost:8080/v1/jobs/$ID")
}
