import Jobs

/// What a file of a job is called when it is saved (RFC 6266 §4): after the job, and for browsers, which a page cannot tell
/// otherwise, after the file that was submitted.
struct DownloadName: Sendable {
    /// Of the characters of ids and of targets' names.
    let plain: String
    /// `nil` where the client sent no name.
    let readable: String?

    /// - Parameters:
    ///   - ending: what follows the job's id.
    ///   - readableEnding: what follows the submitted name without its extension; `nil`: the file is what was submitted.
    init(_ job: Job, ending: String, readableEnding: String?) {
        plain = "\(job.id)\(ending)"
        readable = job.source.fileName.map { name in
            guard let readableEnding else { return name }
            return (name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name) + readableEnding
        }
    }

    /// The value of `Content-Disposition`.
    var disposition: String {
        let encoded = readable.map { "; filename*=UTF-8''\(ClientText.percentEncoded($0))" } ?? ""
        return "attachment; filename=\"\(plain)\"\(encoded)"
    }
}
